//! What a service answers, in the words of the ports: what may go better later is unavailable; anything
//! else is refused, with what to do about it.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use plumbline_ports::PortError;
use std::error::Error;

/// Codes that say: later. Everything with a status of 429 or from 500 says so too.
const LATER: &[&str] = &[
    "BandwidthLimitExceeded",
    "ConditionalRequestConflict",
    "ExpiredToken",
    "ExpiredTokenException",
    "InternalServerError",
    "KmsThrottled",
    "LimitExceededException",
    "OperationAborted",
    "OverLimit",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "SlowDown",
    "Throttling",
    "ThrottledException",
    "ThrottlingError",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// What to do about a code.
const ADVICE: &[(&[&str], &str)] = &[
    (
        &["AccessDenied", "AccessDeniedException", "AccessDenied.DataRole"],
        "allow it to the function's role or the data role, or look whether it is the right workspace",
    ),
    (
        &[
            "NoSuchBucket",
            "NonExistentQueue",
            "AWS.SimpleQueueService.NonExistentQueue",
            "QueueDoesNotExist",
            "ResourceNotFoundException",
        ],
        "look whether the function's environment names what the stage was deployed with",
    ),
    (
        &[
            "IncompleteSignature",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationToken",
            "RequestTimeTooSkewed",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ],
        "look at the credentials, the region and the machine's clock",
    ),
];

/// Whether a code says that the same call may succeed later.
pub(crate) fn is_later(code: &str) -> bool {
    LATER.contains(&code)
}

/// The error of a port for one of a service. `what` was asked for, such as the name of the table.
pub(crate) fn port_error<E>(
    op: &'static str,
    what: &str,
    error: &SdkError<E, HttpResponse>,
) -> PortError
where
    E: Error + ProvideErrorMetadata + 'static,
{
    if let Some(inner) = port_error_within(error) {
        return inner;
    }
    match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            let code = service.err().code().map_or_else(|| format!("HTTP {status}"), str::to_owned);
            let told = match service.err().message() {
                Some(message) => format!("{code} ({what}): {message}"),
                None => format!("{code} ({what})"),
            };
            if is_later(&code) || status == 429 || status >= 500 {
                PortError::unavailable(op, told)
            } else {
                refused(op, &code, &told)
            }
        }
        SdkError::DispatchFailure(failure) if !failure.is_io() && !failure.is_timeout() => {
            let told = format!("{} ({what})", DisplayErrorContext(error));
            refused(op, "MissingAuthenticationToken", &told)
        }
        SdkError::ConstructionFailure(_) => {
            PortError::refused(op, format!("{} ({what})", DisplayErrorContext(error)))
        }
        _ => PortError::unavailable(op, format!("{} ({what})", DisplayErrorContext(error))),
    }
}

fn refused(op: &'static str, code: &str, told: &str) -> PortError {
    let advice = ADVICE.iter().find(|(codes, _)| codes.contains(&code)).map(|(_, advice)| *advice);
    PortError::refused(
        op,
        advice.map_or_else(|| told.to_owned(), |advice| format!("{told}; {advice}")),
    )
}

/// The error of a port that one of our own parts gave to the SDK, such as the session's.
fn port_error_within(error: &(dyn Error + 'static)) -> Option<PortError> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(found) = error.downcast_ref::<PortError>() {
            return Some(found.clone());
        }
        at = error.source();
    }
    None
}

/// The error of a port that is used without its setting.
pub(crate) fn not_set(op: &'static str, variable: &str) -> PortError {
    PortError::refused(op, format!("`{variable}` is not set; set it in the function's environment"))
}
