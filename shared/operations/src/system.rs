//! What every operation has at hand: the ports, the workspace's key, and who asks.

use crate::error::OperationError;
use crate::repository::Stored;
use crate::repository::keys::{self, sk};
use crate::repository::rows::{AuditEntry, Tenant, Workspace};
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, pending};
use hkdf::Hkdf;
use jiff::Timestamp;
use plumbline_governance::ids::{TenantId, WorkspaceId};
use plumbline_policy::digest::Digest;
use plumbline_policy::secret::SecretKey;
use plumbline_ports::{Counters, Ports};
use serde::Serialize;
use sha2::Sha256;
use std::sync::Arc;

/// The system: all operations over one set of ports. Cheap to clone.
#[derive(Clone)]
pub struct System {
    pub(crate) ports: Ports,
    /// This process, where it is known to be the only one on its stores.
    pub(crate) alone: Option<uuid::Uuid>,
    /// When a worker must have given back what it works on.
    pub(crate) expiry: Expiry,
}

/// Comes when the time of a worker is over. Cheap to clone.
pub type Expiry = Shared<BoxFuture<'static, ()>>;

/// Who asks for an operation, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    name: String,
    issuer: Option<String>,
    from: Option<String>,
}

impl Actor {
    /// Names a person or a program.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), issuer: None, from: None }
    }

    /// The system itself: the schedule, the collector, a worker.
    #[must_use]
    pub fn system() -> Self {
        Self::new("system")
    }

    /// Says who vouches for the name.
    #[must_use]
    pub fn by(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Says where the request came from: `command`, or an IP address.
    #[must_use]
    pub fn from(mut self, origin: impl Into<String>) -> Self {
        self.from = Some(origin.into());
        self
    }

    /// The name, as the audit shows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl System {
    /// Wires the operations to ports.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { ports, alone: None, expiry: pending().boxed().shared() }
    }

    /// Wires the operations to ports that no other process uses. What a process before this one left in
    /// the middle is taken over at once, instead of after its lease.
    #[must_use]
    pub fn alone(ports: Ports) -> Self {
        let now = ports.clock.now();
        let alone = Some(ports.ids.mint(now));
        Self { alone, ..Self::new(ports) }
    }

    /// The same system for a worker whose time is limited: a run that is not through when it is over is
    /// given back, for another worker to go on with.
    #[must_use]
    pub fn until(self, expiry: Expiry) -> Self {
        Self { expiry, ..self }
    }

    /// Whether the time of this worker is over.
    pub(crate) fn is_over(&self) -> bool {
        self.expiry.clone().now_or_never().is_some()
    }

    /// The same system, with every call to the stores counted.
    pub(crate) fn metered(&self) -> (Self, Arc<Counters>) {
        let counters = Arc::new(Counters::default());
        (Self { ports: self.ports.metered(&counters), ..self.clone() }, counters)
    }

    /// The time, in whole milliseconds, so that what is stored reads back equal.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = self.ports.clock.now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    pub(crate) fn mint(&self) -> uuid::Uuid {
        self.ports.ids.mint(self.now())
    }

    /// Asks the records for one row, so that a face can say whether it is well.
    ///
    /// # Errors
    /// The store's.
    pub async fn is_reachable(&self) -> Result<(), OperationError> {
        let key = plumbline_ports::Key::new(keys::WORKSPACES, "-");
        self.ports.records.get(&key).await?;
        Ok(())
    }

    /// The key under which a workspace's secrets and ids are compared (contracts 1.4).
    pub(crate) async fn workspace_key(
        &self,
        workspace: WorkspaceId,
    ) -> Result<SecretKey, OperationError> {
        let root = self.ports.secrets.root_key().await?;
        let mut bytes = [0; 32];
        let info = format!("plumbline workspace key v1\n{workspace}");
        Hkdf::<Sha256>::new(None, root.expose())
            .expand(info.as_bytes(), &mut bytes)
            .map_err(|error| OperationError::damaged("the root key", error))?;
        Ok(SecretKey::new(root.id, bytes))
    }

    /// Reads a workspace.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn workspace(&self, id: WorkspaceId) -> Result<Workspace, OperationError> {
        Ok(self.stored_workspace(id).await?.row)
    }

    /// Reads a workspace with its revision.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn stored_workspace(
        &self,
        id: WorkspaceId,
    ) -> Result<Stored<Workspace>, OperationError> {
        self.read(&keys::in_workspace(id, sk::META))
            .await?
            .ok_or_else(|| OperationError::not_found("workspace", id))
    }

    /// Reads a tenant.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn tenant(
        &self,
        workspace: WorkspaceId,
        id: TenantId,
    ) -> Result<Tenant, OperationError> {
        Ok(self.stored_tenant(workspace, id).await?.row)
    }

    /// Reads a tenant with its revision.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn stored_tenant(
        &self,
        workspace: WorkspaceId,
        id: TenantId,
    ) -> Result<Stored<Tenant>, OperationError> {
        self.read(&keys::in_workspace(workspace, sk::tenant(id)))
            .await?
            .ok_or_else(|| OperationError::not_found("tenant", id))
    }

    /// A line of the audit, for [`System::commit_audited`].
    pub(crate) fn audit(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        action: &str,
        target: impl std::fmt::Display,
    ) -> AuditEntry {
        AuditEntry {
            // The commit gives it its place.
            sequence: 1,
            previous: None,
            id: self.mint(),
            workspace,
            at: self.now(),
            actor: actor.name.clone(),
            issuer: actor.issuer.clone(),
            from: actor.from.clone(),
            action: action.to_owned(),
            target: target.to_string(),
            tenant: None,
            reason: None,
            before: None,
            after: None,
        }
    }
}

/// Digest of a thing for the audit.
pub(crate) fn digest_of(row: &impl Serialize) -> Option<Digest> {
    serde_json::to_vec(row).ok().map(|bytes| Digest::of(&bytes))
}
