//! What the system does: one module an operation, over the ports. The same code runs in one process on
//! embedded stores and in the functions of the cloud.
//!
//! Each operation is a pure plan (in `plumbline-governance`, or beside the operation) and a thin part
//! that reads what the plan needs and commits what it says.

mod archive;
mod assignment;
mod audit;
mod capture;
mod collect;
mod compare;
mod drift_groups;
mod error;
mod finding;
mod finding_list;
mod idempotency;
mod import;
mod items;
mod lists;
mod member;
mod message;
mod overview;
mod packing;
mod paging;
mod posture;
mod profile;
mod rederive;
mod repository;
mod role_mapping;
mod run;
mod schedule;
mod start_compares;
mod stored_payloads;
mod system;
mod tenant;
mod upload;
mod values;
mod verify;
mod worker;
mod workspace;

pub use collect::{CollectOptions, Collected, Count, DEFAULT_GRACE};
pub use compare::Step;
pub use error::OperationError;
pub use finding::{Acted, MAX_AT_ONCE, SeenFinding};
pub use finding_list::FindingFilter;
pub use idempotency::{KeptAnswer, Once, OnceKey, OnceTicket};
pub use import::{CoverageClaim, ImportOptions, Imported, NamedBytes};
pub use items::{IdentityStrategy, InventoryItem, ItemIdentity, SnapshotItem};
pub use lists::{RunFilter, TenantFilter};
pub use message::{BadMessage, MESSAGE_VERSION, Work};
pub use paging::{MAX_PAGE, Page, Position};
pub use profile::{NewProfile, ProfileEdit};
pub use rederive::{Foreseen, Renormalised, ReplayOptions, Replayed};
pub use repository::rows::{
    Assignment, AuditEntry, DriftGroup, DriftGroups, GroupSample, NightRecord, NightStatus,
    Overview, Posture, RoleMapping, Snapshot, State, Tenant, TenantStatus, Totals, TrendPoint,
    Workspace,
};
pub use repository::{Stored, record_as_json};
pub use role_mapping::NewRoleMapping;
pub use run::Started;
pub use schedule::Ticked;
pub use start_compares::MAX_STARTED;
pub use system::{Actor, Expiry, System};
pub use tenant::TenantEdit;
pub use upload::{MAX_PART_BYTES, MAX_PARTS, Upload, UploadPart};
pub use values::{BadStream, Placed, Values};
pub use verify::{Checked, Damage};
pub use worker::{Handled, VISIBILITY};
pub use workspace::{DEFAULT_MAX_AGE_HOURS, Person, WorkspaceEdit};
