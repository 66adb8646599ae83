//! The API of `serve`.

use super::stop::Stop;
use crate::cli::work::ServeArgs;
use crate::data::Data;
use anyhow::Context as _;
use futures::executor::block_on;
use plumbline_api::token::{Development, TrustedIssuer, issuers};
use plumbline_api::{Api, Limits, Settings};
use plumbline_ports::{Clock, Secrets as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tracing::{error, info, warn};

/// How long requests may go on after the stop.
const GRACE: Duration = Duration::from_secs(5);
/// How often the stop is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// The API on its socket, before it serves.
pub(super) struct Http {
    listener: TcpListener,
    address: SocketAddr,
    api: Api,
    runtime: Runtime,
}

impl Http {
    /// Takes the socket and prepares the API, so that what is wrong is said before anything runs.
    pub(super) fn bind(data: &Data, serve: &ServeArgs) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(serve.listen).with_context(|| {
            format!("cannot listen on {}; name another address with --listen", serve.listen)
        })?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let root = block_on(data.stores.secrets.root_key())?;
        let ports = data.ports.clone();
        let mut issuers = vec![Development::new(&root)?.issuer()?];
        if let Some(path) = &serve.issuers {
            issuers.extend(trusted(path, &ports.clock)?);
        }
        let settings = Settings {
            system: data.system.clone(),
            ports,
            issuers,
            limits: Limits::default(),
            open_workspaces: !serve.closed,
        };
        // Requests wait for the embedded stores on their thread, so there are more threads than cores.
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads((cores * 4).max(8))
            .thread_name("http")
            .enable_all()
            .build()
            .context("cannot start the threads of the API")?;
        let api = runtime.block_on(Api::new(settings))?;
        Ok(Self { listener, address, api, runtime })
    }

    /// Says where the API is and how to use it.
    pub(super) fn announce(&self) {
        let address = self.address;
        info!(
            "the API is at http://{address}, its reference at http://{address}/reference; for a token run: \
             export PLUMBLINE_TOKEN=\"$(plumbline token)\""
        );
        if !address.ip().is_loopback() {
            warn!("the API is open to other machines without TLS; put a proxy with TLS before it");
        }
    }

    /// Serves until the stop, then a little longer for what has begun.
    pub(super) fn serve(self, stop: &Stop) {
        let Self { listener, api, runtime, .. } = self;
        let stopped = stop.clone();
        let served = runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let service = api.router().into_make_service_with_connect_info::<SocketAddr>();
            let waiting = stopped.clone();
            let serving = axum::serve(listener, service)
                .with_graceful_shutdown(async move { wait(&waiting).await });
            tokio::select! {
                served = serving => served,
                () = async { wait(&stopped).await; tokio::time::sleep(GRACE).await } => Ok(()),
            }
        });
        if let Err(trouble) = served {
            error!("the API stopped: {trouble}");
        }
        runtime.shutdown_timeout(GRACE);
    }
}

async fn wait(stop: &Stop) {
    while !stop.is_set() {
        tokio::time::sleep(LOOK).await;
    }
}

/// Reads the issuers that are trusted besides the directory's own.
fn trusted(path: &Path, clock: &Arc<dyn Clock>) -> anyhow::Result<Vec<TrustedIssuer>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    issuers(&bytes, clock).with_context(|| path.display().to_string())
}
