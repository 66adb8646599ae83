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

const CREDENTIALS: &str = "look at the credentials, the region and the machine's clock";

/// What to do about a code.
const ADVICE: &[(&[&str], &str)] = &[
    (
        &["AccessDenied", "AccessDeniedException"],
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
        CREDENTIALS,
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
            let code = match (service.err().code(), status) {
                (Some(code), _) => code.to_owned(),
                // The answer to a question for a head has no body that could say so.
                (None, 403) => "AccessDenied".to_owned(),
                (None, status) => format!("HTTP {status}"),
            };
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
            let told = DisplayErrorContext(error);
            PortError::refused(op, format!("{told} ({what}); {CREDENTIALS}"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::operation::head_object::HeadObjectError;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    fn service(status: u16, code: Option<&str>) -> PortError {
        let mut told = ErrorMetadata::builder().message("told");
        if let Some(code) = code {
            told = told.code(code);
        }
        let status = StatusCode::try_from(status).unwrap();
        let answer = HttpResponse::new(status, SdkBody::empty());
        let error = SdkError::service_error(HeadObjectError::generic(told.build()), answer);
        port_error("put object", "the bucket", &error)
    }

    #[test]
    fn what_may_go_better_later_is_unavailable() {
        for (status, code) in [
            (400, Some("ThrottlingException")),
            (400, Some("ProvisionedThroughputExceededException")),
            (400, Some("TransactionConflictException")),
            (403, Some("ExpiredTokenException")),
            (409, Some("ConditionalRequestConflict")),
            (429, None),
            (500, Some("InternalError")),
            (503, Some("SlowDown")),
            (503, None),
        ] {
            let error = service(status, code);
            assert!(error.is_retryable(), "{status} {code:?}: {error}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_to_do() {
        for (status, code, advice) in [
            (403, Some("AccessDenied"), "data role"),
            (403, None, "data role"),
            (400, Some("AccessDeniedException"), "data role"),
            (400, Some("ResourceNotFoundException"), "environment"),
            (404, Some("NoSuchBucket"), "environment"),
            (400, Some("QueueDoesNotExist"), "environment"),
            (403, Some("SignatureDoesNotMatch"), "credentials"),
            (400, Some("UnrecognizedClientException"), "credentials"),
            (400, Some("ValidationException"), "told"),
        ] {
            let error = service(status, code);
            assert!(matches!(error, PortError::Refused { .. }), "{status} {code:?}: {error}");
            let told = error.to_string();
            assert!(told.contains(advice) && told.contains("the bucket"), "{told}");
            assert!(told.starts_with("put object: "), "{told}");
        }
    }

    #[test]
    fn a_broken_connection_is_unavailable_and_missing_credentials_are_not() {
        type Error = SdkError<HeadObjectError, HttpResponse>;
        let io = Error::dispatch_failure(ConnectorError::io("broken".into()));
        assert!(port_error("get object", "b", &io).is_retryable());
        let timeout = Error::timeout_error("too long");
        assert!(port_error("get object", "b", &timeout).is_retryable());
        let none = Error::dispatch_failure(ConnectorError::other("no credentials".into(), None));
        let told = port_error("get object", "b", &none);
        assert!(told.to_string().contains("no credentials"), "{told}");
        assert!(!told.is_retryable());
    }

    /// What the session says of the data role is not lost inside the SDK's words.
    #[test]
    fn an_error_of_ours_comes_through_the_sdk() {
        let ours = PortError::unavailable("assume the data role", "throttled");
        let inside = ConnectorError::other(ours.clone().into(), None);
        let error = SdkError::<HeadObjectError, HttpResponse>::dispatch_failure(inside);
        assert_eq!(port_error("get object", "b", &error), ours);
    }
}
