//! The systems that a function works with.

use async_trait::async_trait;
use plumbline_governance::ids::WorkspaceId;
use plumbline_operations::{OperationError, System};

/// Gives a function its systems. A worker's system reaches the records and objects of one workspace and
/// no other's; only what belongs to no workspace (queues, the schedule) is done with the whole.
#[async_trait]
pub trait Systems: Send + Sync {
    /// The system of one workspace.
    async fn of(&self, workspace: WorkspaceId) -> Result<System, OperationError>;

    /// The system with everything that the function itself may do.
    fn whole(&self) -> System;
}

/// One system for everything: embedded stores have no fences.
#[async_trait]
impl Systems for System {
    async fn of(&self, _: WorkspaceId) -> Result<System, OperationError> {
        Ok(self.clone())
    }

    fn whole(&self) -> System {
        self.clone()
    }
}
