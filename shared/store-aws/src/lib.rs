//! The stores in the cloud: records on `DynamoDB`, objects on S3, queues on SQS, keys in Secrets Manager.
//!
//! [`Aws::connect`] takes region, credentials and endpoints from the environment, [`Settings`] say which
//! table, bucket, queues and secret. [`Aws::ports`] works with the function's own role;
//! [`Aws::of_workspace`] with a session that reaches one workspace. The reasons are in
//! `shared/decisions/0022-stores-in-the-cloud.md`.

mod aws;
mod bill;
mod clients;
mod error;
mod objects;
mod queue;
mod records;
mod secrets;
mod session;
mod settings;

pub use aws::Aws;
pub use bill::Bill;
pub use clients::Server;
pub use session::{Fence, policy};
pub use settings::{BadSetting, QueueUrls, Settings};
