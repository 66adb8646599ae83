//! The root key, from the stage's one secret.
//!
//! The stage's template has the secret made: JSON with a generated member `root`. The root key is the
//! digest of that member, which keeps all of its randomness; nobody ever sees it in another place.

use crate::bill::Meter;
use crate::error::{not_set, port_error};
use crate::settings::SECRET;
use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use plumbline_policy::digest::Digest;
use plumbline_ports::{PortError, RootKey, Secrets};
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::OnceCell;

const OP: &str = "read the root key";
/// The fewest signs of the generated member: 43 letters and digits hold 256 bits.
const FEWEST: usize = 43;

/// The stage's secret, read once.
pub(crate) struct StageSecrets {
    client: Client,
    secret: Option<String>,
    key: OnceCell<RootKey>,
    meter: Arc<Meter>,
}

/// What the secret holds. Other members are left alone.
#[derive(Deserialize)]
struct Held {
    version: u32,
    root: String,
}

impl StageSecrets {
    pub(crate) fn new(client: Client, secret: Option<String>, meter: Arc<Meter>) -> Self {
        Self { client, secret, key: OnceCell::new(), meter }
    }

    async fn read(&self) -> Result<RootKey, PortError> {
        let secret = self.secret.as_deref().ok_or_else(|| not_set(OP, SECRET))?;
        self.meter.secret_request();
        let answer = self.client.get_secret_value().secret_id(secret).send().await;
        let answer = answer.map_err(|error| port_error(OP, secret, &error))?;
        root_key(answer.secret_string().unwrap_or_default()).ok_or_else(|| {
            PortError::refused(
                OP,
                format!(
                    "the secret {secret} holds no JSON with `version` 1 and a `root` of at least \
                     {FEWEST} characters; restore the version that the stage's template had made"
                ),
            )
        })
    }
}

/// The key that a secret's text holds.
fn root_key(text: &str) -> Option<RootKey> {
    let held: Held = serde_json::from_str(text).ok()?;
    if held.version != 1 || held.root.len() < FEWEST {
        return None;
    }
    let key = Digest::of(held.root.as_bytes());
    let named = [b"plumbline root key\0".as_slice(), key.as_bytes()].concat();
    let id = format!("stage-{}", &Digest::of(&named).to_string()[..16]);
    Some(RootKey::new(id, *key.as_bytes()))
}

#[async_trait]
impl Secrets for StageSecrets {
    async fn root_key(&self) -> Result<RootKey, PortError> {
        self.key.get_or_try_init(|| self.read()).await.cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_gives_one_key() {
        let root = "a".repeat(43);
        let text = format!(r#"{{"version":1,"root":"{root}"}}"#);
        let (one, two) = (root_key(&text).unwrap(), root_key(&text).unwrap());
        assert_eq!((&one.id, one.expose()), (&two.id, two.expose()));
        assert_eq!(one.expose(), Digest::of(root.as_bytes()).as_bytes());
        let more = root_key(&format!(r#"{{"root":"{root}","version":1,"note":"x"}}"#)).unwrap();
        assert_eq!(more.id, one.id);
        let other = root_key(&text.replace("aa", "ab")).unwrap();
        assert_ne!(other.id, one.id);
    }

    #[test]
    fn what_is_no_secret_of_the_stage_gives_none() {
        let root = "a".repeat(43);
        let short = "a".repeat(42);
        for text in [
            String::new(),
            root.clone(),
            format!(r#"{{"root":"{root}"}}"#),
            format!(r#"{{"version":2,"root":"{root}"}}"#),
            format!(r#"{{"version":1,"root":"{short}"}}"#),
            r#"{"version":1,"root":7}"#.to_owned(),
        ] {
            assert!(root_key(&text).is_none(), "{text}");
        }
    }
}
