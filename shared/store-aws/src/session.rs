//! The fence of a workspace: one data role, assumed with a session policy that reaches one workspace's
//! keys, places in the indexes and objects. Whatever a worker is made to ask for, it is denied elsewhere.

use crate::bill::Meter;
use crate::clients::Clients;
use crate::error::port_error;
use crate::settings::RoleArn;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use plumbline_ports::PortError;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// How long a session lasts. The shortest that STS gives; the SDK asks for another when it ends.
const SESSION_SECONDS: i32 = 900;
/// How many workspaces' sessions are kept.
const MOST_SESSIONS: usize = 64;

/// What one session reaches.
#[derive(Clone, Copy, Debug)]
pub struct Fence<'f> {
    /// The partition of the stage, such as `aws`.
    pub partition: &'f str,
    /// Its region.
    pub region: &'f str,
    /// Its account.
    pub account: &'f str,
    /// The table, where there is one.
    pub table: Option<&'f str>,
    /// The bucket, where there is one.
    pub bucket: Option<&'f str>,
    /// The workspace.
    pub workspace: &'f str,
}

/// The session policy for one workspace, as JSON.
///
/// A request without a leading key would satisfy `ForAllValues`, so `Null` demands that there is one.
/// Nothing here deletes objects, and nothing lists outside the workspace.
#[must_use]
pub fn policy(fence: &Fence<'_>) -> String {
    let Fence { partition, region, account, workspace, .. } = fence;
    let mut statements = Vec::new();
    if let Some(table) = fence.table {
        let table = format!("arn:{partition}:dynamodb:{region}:{account}:table/{table}");
        statements.push(json!({
            "Sid": "Records",
            "Effect": "Allow",
            "Action": [
                "dynamodb:GetItem",
                "dynamodb:Query",
                "dynamodb:PutItem",
                "dynamodb:DeleteItem",
                "dynamodb:ConditionCheckItem",
            ],
            "Resource": [table, format!("{table}/index/*")],
            "Condition": {
                "ForAllValues:StringLike": {
                    "dynamodb:LeadingKeys": [format!("WS#{workspace}"), format!("WS#{workspace}#*")],
                },
                "Null": { "dynamodb:LeadingKeys": "false" },
            },
        }));
    }
    if let Some(bucket) = fence.bucket {
        let bucket = format!("arn:{partition}:s3:::{bucket}");
        let objects = format!("ws/{workspace}/*");
        statements.push(json!({
            "Sid": "Objects",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": format!("{bucket}/{objects}"),
        }));
        statements.push(json!({
            "Sid": "Listing",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": bucket,
            "Condition": { "StringLike": { "s3:prefix": objects } },
        }));
    }
    json!({ "Version": "2012-10-17", "Statement": Value::Array(statements) }).to_string()
}

/// The data role under one workspace's policy.
#[derive(Debug)]
struct Session {
    sts: aws_sdk_sts::Client,
    role: String,
    workspace: String,
    policy: String,
    /// What the first request got; the SDK keeps it from there on.
    first: Mutex<Option<Credentials>>,
    meter: Arc<Meter>,
}

impl Session {
    async fn assume(&self) -> Result<Credentials, PortError> {
        const OP: &str = "assume the data role";
        self.meter.session();
        let answer = self
            .sts
            .assume_role()
            .role_arn(&self.role)
            .role_session_name(&self.workspace)
            .policy(&self.policy)
            .duration_seconds(SESSION_SECONDS)
            .send()
            .await
            .map_err(|error| port_error(OP, &self.role, &error))?;
        let given = answer
            .credentials
            .ok_or_else(|| PortError::unavailable(OP, "the answer holds no credentials"))?;
        let expires = SystemTime::try_from(given.expiration)
            .map_err(|error| PortError::unavailable(OP, error))?;
        Ok(Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            Some(expires),
            "data role",
        ))
    }
}

impl ProvideCredentials for Session {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
            match first {
                Some(first) => Ok(first),
                None => self.assume().await.map_err(CredentialsError::provider_error),
            }
        })
    }
}

/// Clients of workspaces, those used last kept.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<VecDeque<(String, Clients)>>);

impl Sessions {
    /// The clients of a workspace under the data role.
    pub(crate) async fn of(
        &self,
        workspace: &str,
        role: &str,
        own: &Clients,
        names: (Option<&str>, Option<&str>),
        meter: &Arc<Meter>,
    ) -> Result<Clients, PortError> {
        const OP: &str = "open a session";
        check_workspace(workspace)?;
        if let Some(kept) = self.take(workspace) {
            return Ok(self.keep(workspace, kept));
        }
        let arn = RoleArn::parse(role)
            .ok_or_else(|| PortError::refused(OP, format!("`{role}` is no ARN of a role")))?;
        let region = own
            .region()
            .ok_or_else(|| PortError::refused(OP, "no region is set; set AWS_REGION"))?;
        let (table, bucket) = names;
        let RoleArn { partition, account } = arn;
        let fence = Fence { partition, region, account, table, bucket, workspace };
        let session = Session {
            sts: own.sts.clone(),
            role: role.to_owned(),
            workspace: workspace.to_owned(),
            policy: policy(&fence),
            first: Mutex::default(),
            meter: Arc::clone(meter),
        };
        // Asked for at once, so that a role that cannot be assumed is told here and by its name.
        let first = session.assume().await?;
        *session.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(first);
        Ok(self.keep(workspace, own.under(session)))
    }

    fn take(&self, workspace: &str) -> Option<Clients> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(name, _)| name == workspace)?;
        kept.remove(at).map(|(_, clients)| clients)
    }

    fn keep(&self, workspace: &str, clients: Clients) -> Clients {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_SESSIONS {
            kept.pop_front();
        }
        kept.push_back((workspace.to_owned(), clients.clone()));
        clients
    }
}

/// A workspace stands in patterns of the policy, so it holds no sign that means anything there.
fn check_workspace(workspace: &str) -> Result<(), PortError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if (2..=60).contains(&workspace.len()) && workspace.bytes().all(plain) {
        return Ok(());
    }
    Err(PortError::refused("open a session", format!("`{workspace}` is no id of a workspace")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FENCE: Fence<'_> = Fence {
        partition: "aws",
        region: "eu-central-1",
        account: "123456789012",
        table: Some("plumbline"),
        bucket: Some("plumbline-objects"),
        workspace: "wsp_1",
    };

    #[test]
    fn the_policy_reaches_one_workspace() {
        let found: Value = serde_json::from_str(&policy(&FENCE)).unwrap();
        let expected = json!({
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "Records",
                    "Effect": "Allow",
                    "Action": [
                        "dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem",
                        "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem",
                    ],
                    "Resource": [
                        "arn:aws:dynamodb:eu-central-1:123456789012:table/plumbline",
                        "arn:aws:dynamodb:eu-central-1:123456789012:table/plumbline/index/*",
                    ],
                    "Condition": {
                        "ForAllValues:StringLike": {
                            "dynamodb:LeadingKeys": ["WS#wsp_1", "WS#wsp_1#*"],
                        },
                        "Null": { "dynamodb:LeadingKeys": "false" },
                    },
                },
                {
                    "Sid": "Objects",
                    "Effect": "Allow",
                    "Action": ["s3:GetObject", "s3:PutObject"],
                    "Resource": "arn:aws:s3:::plumbline-objects/ws/wsp_1/*",
                },
                {
                    "Sid": "Listing",
                    "Effect": "Allow",
                    "Action": "s3:ListBucket",
                    "Resource": "arn:aws:s3:::plumbline-objects",
                    "Condition": { "StringLike": { "s3:prefix": "ws/wsp_1/*" } },
                },
            ],
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn the_policy_fits_into_a_session() {
        let long = "w".repeat(60);
        let name = "n".repeat(63);
        let table = "t".repeat(255);
        let fence = Fence { workspace: &long, table: Some(&table), bucket: Some(&name), ..FENCE };
        assert!(policy(&fence).len() <= 2_048, "{}", policy(&fence).len());
    }

    #[test]
    fn what_a_function_does_not_have_is_not_allowed() {
        let none = policy(&Fence { table: None, bucket: None, ..FENCE });
        assert_eq!(none, r#"{"Statement":[],"Version":"2012-10-17"}"#);
        assert!(!policy(&Fence { table: None, ..FENCE }).contains("dynamodb"));
        assert!(!policy(&Fence { bucket: None, ..FENCE }).contains("s3"));
    }

    #[test]
    fn a_workspace_is_no_pattern() {
        for wrong in ["", "*", "wsp_*", "wsp_?", "wsp_1#TEN", "wsp_1/ten", "${aws:username}", "w"] {
            assert!(check_workspace(wrong).is_err(), "{wrong}");
        }
        assert!(check_workspace("wsp_018f3a5b7c2d7e4f8a1b2c3d4e5f6a7b").is_ok());
    }
}
