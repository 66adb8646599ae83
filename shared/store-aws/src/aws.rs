//! A stage's stores: the ports over them, with the function's own role or fenced to one workspace.

use crate::bill::{Bill, Meter};
use crate::clients::{Clients, Server};
use crate::objects::S3Objects;
use crate::queue::SqsQueue;
use crate::records::DynamoRecords;
use crate::secrets::StageSecrets;
use crate::session::Sessions;
use crate::settings::Settings;
use futures::future::try_join_all;
use plumbline_ports::{Clock, Ids, PortError, Ports, Secrets as _};
use std::sync::Arc;

/// The stores of a stage. Cheap to clone.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

struct Inner {
    settings: Settings,
    clients: Clients,
    sessions: Sessions,
    queue: Arc<SqsQueue>,
    secrets: Arc<StageSecrets>,
    meter: Arc<Meter>,
}

/// A workspace that is nobody's; what is asked of it is not there.
const NOBODY: &str = "nobody";

impl Aws {
    /// Takes region, credentials and endpoints from the environment. Asks nothing of any service yet.
    pub async fn connect(settings: Settings) -> Self {
        Self::over(Clients::from_env().await, settings)
    }

    /// As [`Aws::connect`], to a server that is not AWS.
    pub async fn connect_to(server: &Server, settings: Settings) -> Self {
        Self::over(Clients::of_server(server).await, settings)
    }

    fn over(clients: Clients, settings: Settings) -> Self {
        let meter = Arc::new(Meter::default());
        let queue = SqsQueue::new(clients.sqs.clone(), settings.queues.clone(), Arc::clone(&meter));
        let secrets =
            StageSecrets::new(clients.secrets.clone(), settings.secret.clone(), Arc::clone(&meter));
        let (queue, secrets) = (Arc::new(queue), Arc::new(secrets));
        let sessions = Sessions::default();
        Self(Arc::new(Inner { settings, clients, sessions, queue, secrets, meter }))
    }

    /// Opens connections and proves that what is set is there: the table, the bucket, each queue, the
    /// secret, and the data role by what it is for.
    ///
    /// # Errors
    /// The first that is not there or not allowed, by name.
    pub async fn warm(&self) -> Result<(), PortError> {
        let Inner { settings, queue, secrets, .. } = &*self.0;
        let stores = async {
            let clients = self.clients_of(NOBODY).await?;
            let (records, objects) = (self.records(&clients), self.objects(&clients));
            futures::try_join!(records.warm(NOBODY), objects.warm(NOBODY)).map(drop)
        };
        let queues = try_join_all(settings.queues.keys().map(|name| queue.warm(*name)));
        let secret = async {
            match &settings.secret {
                Some(_) => secrets.root_key().await.map(drop),
                None => Ok(()),
            }
        };
        futures::try_join!(stores, queues, secret).map(drop)
    }

    /// Every port, with the function's own role.
    #[must_use]
    pub fn ports(&self, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Ports {
        self.ports_over(&self.0.clients, clock, ids)
    }

    /// Every port, records and objects fenced to one workspace where a data role is set.
    ///
    /// # Errors
    /// The data role's, when it cannot be assumed.
    pub async fn of_workspace(
        &self,
        workspace: &str,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Ports, PortError> {
        let clients = self.clients_of(workspace).await?;
        Ok(self.ports_over(&clients, clock, ids))
    }

    /// What was billed since the start, over all ports and workspaces.
    #[must_use]
    pub fn bill(&self) -> Bill {
        self.0.meter.bill()
    }

    async fn clients_of(&self, workspace: &str) -> Result<Clients, PortError> {
        let Inner { settings, clients, sessions, meter, .. } = &*self.0;
        match &settings.data_role {
            Some(role) => {
                let names = (settings.table.as_deref(), settings.bucket.as_deref());
                sessions.of(workspace, role, clients, names, meter).await
            }
            None => Ok(clients.clone()),
        }
    }

    fn records(&self, clients: &Clients) -> DynamoRecords {
        let table = self.0.settings.table.clone();
        DynamoRecords::new(clients.dynamo.clone(), table, Arc::clone(&self.0.meter))
    }

    fn objects(&self, clients: &Clients) -> S3Objects {
        let bucket = self.0.settings.bucket.clone();
        S3Objects::new(clients.s3.clone(), bucket, Arc::clone(&self.0.meter))
    }

    fn ports_over(&self, clients: &Clients, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Ports {
        Ports {
            records: Arc::new(self.records(clients)),
            objects: Arc::new(self.objects(clients)),
            queue: Arc::clone(&self.0.queue) as _,
            secrets: Arc::clone(&self.0.secrets) as _,
            clock,
            ids,
        }
    }
}
