//! The start of a function on AWS Lambda: settings, clients and their connections before the first event,
//! so that what is wrong is said while the function starts; then one event after another.

use crate::answer::{Answer, Failed};
use crate::systems::Systems;
use crate::{log, metrics, settings};
use async_trait::async_trait;
use lambda_runtime::{Diagnostic, LambdaEvent, Service, service_fn};
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{PooledClient, build_request};
use plumbline_governance::ids::WorkspaceId;
use plumbline_operations::{OperationError, System};
use plumbline_ports::{Clock, Ids, Ports, SystemClock, SystemIds};
use plumbline_store_aws::{Aws, Settings};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tracing::error;

/// Why a function does not start.
pub type StartError = Box<dyn Error + Send + Sync>;

/// The stores in the cloud. Cheap to clone.
#[derive(Clone)]
pub struct Cloud {
    aws: Aws,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl Cloud {
    /// Builds the clients from the environment and opens their connections.
    async fn open(needed: &[&'static str]) -> Result<Self, StartError> {
        settings::check(needed, &environment)?;
        let aws = Aws::connect(Settings::from_env(&environment)?).await;
        aws.warm().await?;
        Ok(Self { aws, clock: Arc::new(SystemClock), ids: Arc::new(SystemIds::new()?) })
    }

    /// The ports with everything that the function itself may do.
    #[must_use]
    pub fn ports(&self) -> Ports {
        self.aws.ports(Arc::clone(&self.clock), Arc::clone(&self.ids))
    }

    /// What is left of the time until a moment, given in milliseconds since 1970.
    fn time_until(&self, deadline: u64) -> Duration {
        let now = u64::try_from(self.clock.now().as_millisecond()).unwrap_or_default();
        Duration::from_millis(deadline.saturating_sub(now))
    }
}

#[async_trait]
impl Systems for Cloud {
    async fn of(&self, workspace: WorkspaceId) -> Result<System, OperationError> {
        let (clock, ids) = (Arc::clone(&self.clock), Arc::clone(&self.ids));
        Ok(System::new(self.aws.of_workspace(&workspace.to_string(), clock, ids).await?))
    }

    fn whole(&self) -> System {
        System::new(self.ports())
    }
}

impl From<Failed> for Diagnostic {
    fn from(failed: Failed) -> Self {
        Self { error_type: "Failed".to_owned(), error_message: failed.0 }
    }
}

/// Reads a variable of the environment.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the edge of the functions: read while they start"
    )]
    std::env::var(name).ok()
}

/// Runs a function whose handler takes the stores, the event and the time that is left for it.
pub fn function<E, R, H, F>(needed: &[&'static str], handle: H) -> ExitCode
where
    E: DeserializeOwned + Send + 'static,
    R: Serialize + Send + 'static,
    H: Fn(Cloud, E, Duration) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Answer<R>, Failed>> + Send + 'static,
{
    run(needed, async |cloud| Ok(service(cloud, handle)))
}

/// Makes the service of a handler: it counts what was done, and logs what was not.
pub fn service<E, R, H, F>(
    cloud: Cloud,
    handle: H,
) -> impl Service<LambdaEvent<E>, Response = R, Error = Failed, Future: Send> + Clone + Send + 'static
where
    E: Send + 'static,
    R: Send + 'static,
    H: Fn(Cloud, E, Duration) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Answer<R>, Failed>> + Send + 'static,
{
    service_fn(move |event: LambdaEvent<E>| {
        let (event, context) = event.into_parts();
        let clock = Arc::clone(&cloud.clock);
        let done = handle(cloud.clone(), event, cloud.time_until(context.deadline));
        async move {
            let Answer { body, counts } = done.await.inspect_err(|failed| error!("{failed}"))?;
            let function = &context.env_config.function_name;
            if let Some(line) = metrics::line(function, clock.now(), &counts) {
                // A metric that cannot be written is no reason to do the work again.
                let _ = writeln!(std::io::stdout(), "{line}");
            }
            Ok(body)
        }
    })
}

/// Starts a function and runs it until Lambda ends it. `make` makes the service once the stores are there.
pub fn run<S, E, R>(
    needed: &[&'static str],
    make: impl AsyncFnOnce(Cloud) -> Result<S, StartError>,
) -> ExitCode
where
    S: Service<LambdaEvent<E>, Response = R> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Diagnostic> + Debug,
    E: DeserializeOwned + Send + 'static,
    R: Serialize + Send + 'static,
{
    log::begin();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(reason) => {
            error!("the function does not start: {reason}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(async {
        let started = async { make(Cloud::open(needed).await?).await };
        match started.await {
            Ok(service) => lambda_runtime::run_concurrent(service).await,
            Err(reason) => {
                tell(&*reason).await;
                Err(reason)
            }
        }
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            error!("the function ends: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Tells Lambda why the function does not start.
async fn tell(reason: &(dyn Error + Send + Sync)) {
    let told = serde_json::json!({
        "errorType": "Runtime.InitError",
        "errorMessage": reason.to_string(),
        "stackTrace": [],
    });
    let request = build_request()
        .method("POST")
        .uri("/2018-06-01/runtime/init/error")
        .header("lambda-runtime-function-error-type", "Runtime.InitError")
        .body(Body::from(told.to_string()));
    if let Ok(request) = request
        && let Err(trouble) = PooledClient::builder().build().call(request).await
    {
        error!("Lambda cannot be told why the function does not start: {trouble}");
    }
}
