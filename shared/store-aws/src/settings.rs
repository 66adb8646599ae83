//! What the stores are called, from the environment of a function.

use plumbline_ports::QueueName;
use std::collections::BTreeMap;

/// Which table, bucket, queues, secret and role. A function names those it needs; a port that is used
/// without its setting answers an error that names the variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The table of the records.
    pub table: Option<String>,
    /// The bucket of the objects.
    pub bucket: Option<String>,
    /// The queues of each worker.
    pub queues: BTreeMap<QueueName, QueueUrls>,
    /// The secret that the root key is made from, by name or ARN.
    pub secret: Option<String>,
    /// The ARN of the role that is assumed for one workspace at a time. Without it, the function's own
    /// role is used for every workspace.
    pub data_role: Option<String>,
}

/// The queue of one worker, and where its messages go that were given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueUrls {
    /// The URL of the queue.
    pub queue: Option<String>,
    /// The URL of its dead-letter queue.
    pub dead_letters: Option<String>,
}

/// A variable that is set to what it cannot mean.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{variable}` is `{value}`, which is no {expected}; correct the function's environment")]
pub struct BadSetting {
    /// The variable.
    pub variable: &'static str,
    /// What it is set to.
    pub value: String,
    /// What it takes.
    pub expected: &'static str,
}

pub(crate) const TABLE: &str = "PLUMBLINE_TABLE";
pub(crate) const BUCKET: &str = "PLUMBLINE_BUCKET";
pub(crate) const SECRET: &str = "PLUMBLINE_SECRET";
const DATA_ROLE: &str = "PLUMBLINE_DATA_ROLE";

/// The variables of a queue and of its dead letters.
pub(crate) fn queue_variables(queue: QueueName) -> (&'static str, &'static str) {
    match queue {
        QueueName::Capture => ("PLUMBLINE_QUEUE_CAPTURE", "PLUMBLINE_DEAD_CAPTURE"),
        QueueName::Compare => ("PLUMBLINE_QUEUE_COMPARE", "PLUMBLINE_DEAD_COMPARE"),
    }
}

impl Settings {
    /// Reads the variables of a function.
    ///
    /// # Errors
    /// [`BadSetting`] names the first variable that is set to what it cannot mean.
    pub fn from_env(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, BadSetting> {
        let read = |name, expected, fits: fn(&str) -> bool| match variable(name) {
            Some(value) if !fits(&value) => Err(BadSetting { variable: name, value, expected }),
            other => Ok(other),
        };
        let mut queues = BTreeMap::new();
        for name in QueueName::ALL {
            let (queue, dead_letters) = queue_variables(name);
            let urls = QueueUrls {
                queue: read(queue, "URL of a queue", is_url)?,
                dead_letters: read(dead_letters, "URL of a queue", is_url)?,
            };
            if urls != QueueUrls::default() {
                queues.insert(name, urls);
            }
        }
        Ok(Self {
            table: read(TABLE, "name of a table", is_table)?,
            bucket: read(BUCKET, "name of a bucket", is_bucket)?,
            queues,
            secret: read(SECRET, "name or ARN of a secret", is_secret)?,
            data_role: read(DATA_ROLE, "ARN of a role", |text| RoleArn::parse(text).is_some())?,
        })
    }
}

fn is_url(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://")) && text.len() > "https://".len()
}

fn is_table(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (3..=255).contains(&text.len()) && text.bytes().all(plain)
}

fn is_bucket(text: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    (3..=63).contains(&text.len()) && text.bytes().all(plain)
}

fn is_secret(text: &str) -> bool {
    (1..=2_048).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The parts of a role's ARN that other ARNs of the same stage share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoleArn<'r> {
    pub(crate) partition: &'r str,
    pub(crate) account: &'r str,
}

impl<'r> RoleArn<'r> {
    /// Reads `arn:<partition>:iam::<account>:role/<name>`.
    pub(crate) fn parse(arn: &'r str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, "iam", "", account, name] = parts[..] else { return None };
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_role = name.strip_prefix("role/").is_some_and(|name| !name.is_empty());
        (is_account && is_role && partition.starts_with("aws"))
            .then_some(Self { partition, account })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> Result<Settings, BadSetting> {
        Settings::from_env(&|name| {
            let found = set.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn every_variable_is_read() {
        let settings = read(&[
            ("PLUMBLINE_TABLE", "plumbline-prod"),
            ("PLUMBLINE_BUCKET", "plumbline.prod-1"),
            ("PLUMBLINE_QUEUE_COMPARE", "https://sqs.eu-central-1.amazonaws.com/1/compare"),
            ("PLUMBLINE_DEAD_CAPTURE", "http://127.0.0.1:4566/1/capture-dead"),
            ("PLUMBLINE_SECRET", "arn:aws:secretsmanager:eu-central-1:1:secret:key-a1"),
            ("PLUMBLINE_DATA_ROLE", "arn:aws-cn:iam::123456789012:role/path/data"),
        ])
        .unwrap();
        assert_eq!(settings.table.as_deref(), Some("plumbline-prod"));
        assert_eq!(settings.bucket.as_deref(), Some("plumbline.prod-1"));
        let compare = &settings.queues[&QueueName::Compare];
        assert_eq!(
            compare.queue.as_deref(),
            Some("https://sqs.eu-central-1.amazonaws.com/1/compare")
        );
        assert_eq!(compare.dead_letters, None);
        let capture = &settings.queues[&QueueName::Capture];
        assert_eq!(capture.queue, None);
        assert_eq!(capture.dead_letters.as_deref(), Some("http://127.0.0.1:4566/1/capture-dead"));
        let secret = "arn:aws:secretsmanager:eu-central-1:1:secret:key-a1";
        assert_eq!(settings.secret.as_deref(), Some(secret));
        let role = settings.data_role.unwrap();
        let expected = RoleArn { partition: "aws-cn", account: "123456789012" };
        assert_eq!(RoleArn::parse(&role), Some(expected));
    }

    #[test]
    fn a_function_names_what_it_needs() {
        assert_eq!(read(&[]), Ok(Settings::default()));
    }

    #[test]
    fn what_a_variable_cannot_mean_is_named() {
        for (variable, value, expected) in [
            ("PLUMBLINE_TABLE", "", "name of a table"),
            ("PLUMBLINE_TABLE", "arn:aws:dynamodb:eu-central-1:1:table/x", "name of a table"),
            ("PLUMBLINE_BUCKET", "Plumbline", "name of a bucket"),
            ("PLUMBLINE_BUCKET", "s3://plumbline", "name of a bucket"),
            ("PLUMBLINE_QUEUE_CAPTURE", "capture", "URL of a queue"),
            ("PLUMBLINE_DEAD_COMPARE", "https://", "URL of a queue"),
            ("PLUMBLINE_SECRET", "two words", "name or ARN of a secret"),
            ("PLUMBLINE_DATA_ROLE", "data", "ARN of a role"),
            ("PLUMBLINE_DATA_ROLE", "arn:aws:iam::1:role/data", "ARN of a role"),
            ("PLUMBLINE_DATA_ROLE", "arn:aws:iam::123456789012:user/x", "ARN of a role"),
        ] {
            let told = read(&[(variable, value)]).unwrap_err();
            assert_eq!((told.variable, told.expected), (variable, expected), "{value}");
            assert!(told.to_string().contains(variable), "{told}");
        }
    }
}
