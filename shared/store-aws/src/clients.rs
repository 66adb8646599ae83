//! Clients of the services: one pool of connections, times and tries that end before a function's time.

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder as HttpClient;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use std::time::Duration;

/// How often a request is tried. The waits between them grow from a tenth of a second.
const ATTEMPTS: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
const CONNECT: Duration = Duration::from_secs(2);
/// One try.
const ATTEMPT: Duration = Duration::from_secs(6);
/// One try with an object, which may be large.
const OBJECT_ATTEMPT: Duration = Duration::from_secs(20);
/// All tries together: less than the 29 seconds after which the API's gateway gives up.
const OPERATION: Duration = Duration::from_secs(25);

/// A server that speaks like AWS but is none; keys are not checked by such servers, or are its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it is.
    pub url: String,
    /// The region that it plays.
    pub region: String,
    /// The access key; servers for tests tell accounts apart by it.
    pub access_key: String,
    /// The secret key.
    pub secret_key: String,
}

/// A client of each service.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    config: SdkConfig,
    path_style: bool,
    pub(crate) dynamo: aws_sdk_dynamodb::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(crate) sts: aws_sdk_sts::Client,
}

impl Clients {
    /// Takes region, credentials and endpoints from the environment.
    pub(crate) async fn from_env() -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        // Other servers are reached by an address that cannot carry the bucket's name.
        let path_style = is_set("AWS_ENDPOINT_URL_S3") || is_set("AWS_ENDPOINT_URL");
        Self::new(&loader().load().await, path_style)
    }

    /// Clients of a server that is not AWS.
    pub(crate) async fn of_server(server: &Server) -> Self {
        let keys = Credentials::new(&server.access_key, &server.secret_key, None, None, "server");
        let loader = loader()
            .region(Region::new(server.region.clone()))
            .endpoint_url(&server.url)
            .credentials_provider(keys);
        Self::new(&loader.load().await, true)
    }

    fn new(config: &SdkConfig, path_style: bool) -> Self {
        let object_times = times(OBJECT_ATTEMPT);
        let s3 = aws_sdk_s3::config::Builder::from(config)
            .force_path_style(path_style)
            .timeout_config(object_times)
            // Every object is checked against its key; checking it twice costs time.
            .response_checksum_validation(
                aws_sdk_s3::config::ResponseChecksumValidation::WhenRequired,
            )
            .build();
        Self {
            path_style,
            dynamo: aws_sdk_dynamodb::Client::new(config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sqs: aws_sdk_sqs::Client::new(config),
            secrets: aws_sdk_secretsmanager::Client::new(config),
            sts: aws_sdk_sts::Client::new(config),
            config: config.clone(),
        }
    }

    /// The same, records and objects under other credentials.
    pub(crate) fn under(&self, credentials: impl ProvideCredentials + 'static) -> Self {
        let config = self
            .config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            // A cache of its own goes when the session goes.
            .identity_cache(IdentityCache::lazy().build())
            .build();
        let fenced = Self::new(&config, self.path_style);
        Self { dynamo: fenced.dynamo, s3: fenced.s3, ..self.clone() }
    }

    pub(crate) fn region(&self) -> Option<&str> {
        self.config.region().map(AsRef::as_ref)
    }
}

fn loader() -> ConfigLoader {
    let retry = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_WAIT)
        .with_max_backoff(LONGEST_WAIT);
    let http = HttpClient::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(retry)
        .timeout_config(times(ATTEMPT))
        .identity_cache(IdentityCache::lazy().build())
        .http_client(http)
}

fn times(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(OPERATION)
        .build()
}
