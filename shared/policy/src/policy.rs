//! One policy read whole: its identity, its three facets, and what is missing from it.

use crate::catalog::{Identity, PolicyType};
use crate::classify::{Class, Surroundings, classify};
use crate::digest::Digest;
use crate::json::{Number, Value};
use crate::name;
use crate::normal::Normal;
use crate::normalise::{Dropped, Normalised, normalise};
use crate::redact::redact;
use crate::reference::find_guid;
use crate::role::{RoleDefinition, normalise_role};
use crate::secret::{Secret, SecretKey};
use crate::tenant::Localiser;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cell::Cell;

thread_local! {
    /// Room for canonical bytes, from one policy to the next.
    static BYTES: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The digests of a policy's facets, under one version of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Facets {
    /// What the policy configures.
    pub content: Digest,
    /// Name and description.
    pub label: Digest,
    /// Targets, filters and scope tags.
    pub assignments: Digest,
}

impl Facets {
    /// Digests a normal form.
    #[must_use]
    pub fn of(normalised: &Normalised<'_>) -> Self {
        let mut bytes = BYTES.take();
        let mut digest = |facet: &Normal<'_>| {
            bytes.clear();
            facet.write_canonical(&mut bytes);
            Digest::of(&bytes)
        };
        let facets = Self {
            content: digest(&normalised.content),
            label: digest(&normalised.label),
            assignments: digest(&normalised.assignments),
        };
        BYTES.set(bytes);
        facets
    }
}

/// How a policy is called and found, apart from its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identification {
    /// Its id in Graph, as sent; `None` when the export dropped it or it is empty.
    pub external_id: Option<String>,
    /// Its name, as sent.
    pub display_name: Option<String>,
    /// The platform that a name is unique in; empty when the type has one.
    pub platform: String,
    /// The template family; empty when the type has none.
    pub template_family: String,
    /// What the subject key ends with: folded name, id suffix, role id or nothing for singletons.
    /// `None` when the policy has no identity.
    pub key_name: Option<String>,
}

/// A redacted payload of a known type.
#[derive(Clone, Debug)]
pub struct Payload<'a> {
    /// The document without secrets.
    pub document: Value<'a>,
    /// What was taken out.
    pub secrets: Vec<Secret>,
    /// Its type.
    pub policy_type: &'static PolicyType,
}

/// Classifies and redacts a payload. An unclassified one comes back as its class.
///
/// # Errors
/// Returns [`Class::Unknown`] when the type cannot be told.
pub fn admit<'a>(
    document: Value<'a>,
    around: Surroundings<'_>,
    key: &SecretKey,
) -> Result<(Payload<'a>, Class), Class> {
    let class = classify(&document, around);
    let Class::Known { policy_type, .. } = class else { return Err(class) };
    Ok((Payload::of(document, policy_type, key), class))
}

impl<'a> Payload<'a> {
    /// Redacts a payload whose type is known.
    #[must_use]
    pub fn of(mut document: Value<'a>, policy_type: &'static PolicyType, key: &SecretKey) -> Self {
        let secrets = redact(&mut document, Some(policy_type), key);
        Self { document, secrets, policy_type }
    }
}

impl Payload<'_> {
    /// Returns the normal form: normalised and localised.
    #[must_use]
    pub fn read(&self, localiser: &Localiser) -> Normalised<'_> {
        self.read_traced(localiser, None)
    }

    /// Returns the normal form and records what it leaves out.
    #[must_use]
    pub fn read_traced(
        &self,
        localiser: &Localiser,
        trace: Option<&mut Vec<Dropped>>,
    ) -> Normalised<'_> {
        if let Some(role) = self.role() {
            return normalise_role(&role, &self.document, localiser).into_owned();
        }
        let own = self.own_localiser(localiser);
        let localiser = own.as_ref().unwrap_or(localiser);
        normalise(&self.document, self.policy_type, &self.secrets, localiser, trace)
    }

    /// The localiser with what the payload itself tells of its tenant: the id of a default enrolment
    /// configuration begins with the account id.
    pub(crate) fn own_localiser(&self, localiser: &Localiser) -> Option<Localiser> {
        let id = self.document.get("id").and_then(Value::as_str).filter(|id| {
            self.policy_type.identity == Identity::Suffix && default_suffix(id).is_some()
        })?;
        find_guid(id).map(|range| localiser.with_account(&id[range]))
    }

    /// Returns how the policy is called and found. Names are localised before they are folded, so that a
    /// name that holds the tenant's domain is found in another tenant.
    #[must_use]
    pub fn identify(&self, localiser: &Localiser) -> Identification {
        let text = |name: &str| {
            self.document.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
        };
        let external_id = text("id").map(|id| id.trim().to_owned());
        let display_name = self
            .policy_type
            .name_member
            .as_deref()
            .and_then(text)
            .or_else(|| text("displayName"))
            .or_else(|| text("name"));
        let by_name = || {
            display_name
                .map(|name| name::fold(&localiser.localise(name)))
                .filter(|folded| !folded.is_empty())
        };
        let key_name = match self.policy_type.identity {
            Identity::Singleton => Some(String::new()),
            Identity::ExternalId => external_id.as_ref().map(|id| id.to_ascii_lowercase()),
            Identity::Suffix => external_id
                .as_deref()
                .and_then(default_suffix)
                .map(str::to_ascii_lowercase)
                .or_else(by_name),
            Identity::Name => by_name(),
        };
        Identification {
            display_name: display_name.map(str::to_owned),
            platform: self.platform(),
            template_family: self
                .document
                .at("templateReference.templateFamily")
                .and_then(Value::as_str)
                .filter(|family| !family.eq_ignore_ascii_case("none"))
                .unwrap_or_default()
                .to_ascii_lowercase(),
            external_id,
            key_name,
        }
    }

    fn platform(&self) -> String {
        let text = |name: &str| self.document.get(name).and_then(Value::as_str);
        let own = ["platforms", "platform", "deviceCleanupRulePlatformType"]
            .into_iter()
            .find_map(text)
            .map(|list| {
                let mut parts: Vec<&str> = list.split(',').map(str::trim).collect();
                parts.sort_unstable();
                parts.join(",")
            });
        own.or_else(|| {
            let subtype = crate::catalog::catalog().subtype(text("@odata.type")?)?;
            self.policy_type.polymorphic.then(|| subtype.platform.clone())
        })
        .unwrap_or_default()
        .to_ascii_lowercase()
    }

    /// Names the members without which the content is unknown and that the payload does not hold.
    #[must_use]
    pub fn missing_detail(&self) -> Vec<&'static str> {
        let lacks = |name: &str| self.document.get(name).is_none_or(|v| *v == Value::Null);
        let mut missing: Vec<&'static str> = self
            .policy_type
            .requires
            .iter()
            .map(String::as_str)
            .filter(|alternatives| alternatives.split('|').all(lacks))
            .collect();
        if self.policy_type.polymorphic && lacks("@odata.type") {
            missing.push("@odata.type");
        }
        if self.settings_left_out() {
            missing.extend(
                self.policy_type
                    .requires
                    .iter()
                    .map(String::as_str)
                    .filter(|name| *name == "settings"),
            );
        }
        missing
    }

    /// Whether the service counts settings and the payload holds none: the list was not read.
    fn settings_left_out(&self) -> bool {
        let counted = match self.document.get("settingCount") {
            Some(Value::Number(Number::Int(count))) => *count > 0,
            _ => false,
        };
        let empty = |value: &Value<'_>| matches!(value, Value::List(items) if items.is_empty());
        counted && self.document.get("settings").is_some_and(empty)
    }

    /// Names the navigation members that the export does not hold at all: they were not read.
    #[must_use]
    pub fn not_expanded(&self) -> Vec<&'static str> {
        self.policy_type
            .expands
            .iter()
            .map(String::as_str)
            .filter(|name| self.document.get(name).is_none())
            .collect()
    }

    /// Returns the normal form of what was read before: `role` is the role of this payload.
    #[must_use]
    pub fn read_as<'r>(
        &'r self,
        role: Option<&'r RoleDefinition<'_>>,
        localiser: &Localiser,
    ) -> Normalised<'r> {
        match role {
            Some(role) => normalise_role(role, &self.document, localiser),
            None => self.read(localiser),
        }
    }

    /// Reads the role, when this is one.
    #[must_use]
    pub fn role(&self) -> Option<RoleDefinition<'_>> {
        self.policy_type.is_role_definition().then(|| RoleDefinition::read(&self.document))
    }
}

/// The part of a composite id `<guid>_<suffix>` behind the account id, for the default objects that
/// every tenant has. Objects a tenant made itself have a suffix too, but the guid is their own; only
/// the defaults are told by it.
fn default_suffix(id: &str) -> Option<&str> {
    let range = find_guid(id).filter(|range| range.start == 0)?;
    let suffix = id[range.end..].strip_prefix('_')?;
    (suffix.starts_with("Default") || suffix == "WindowsRestore").then_some(suffix)
}

/// The tenant's Intune account id, as the id of a default row of an enrolment type tells it.
#[must_use]
pub fn account_of<'i>(policy_type: &str, external_id: &'i str) -> Option<&'i str> {
    let policy_type = crate::catalog::catalog().get(policy_type).ok()?;
    if policy_type.identity != Identity::Suffix {
        return None;
    }
    default_suffix(external_id)?;
    find_guid(external_id).map(|range| &external_id[range])
}
