//! What means nothing: the list of noise, each kind with what it does to a document.
//!
//! Drawn from the survey of real exports (what differed between two captures of one policy while no
//! setting did), not from the catalog.

mod exporter;

use super::family::Family;
use super::ids::{Bijection, Tenant, rewrite_facts, rewrite_ids, rewrite_scope_tags};
use super::write::{Encoding, Style, to_text};
use super::{Members, is_annotation, is_empty, visit};
use rand::RngExt as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde_json::{Value, json};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// One kind of noise.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $($(#[doc = $doc])* $name,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

kinds! {
    /// Every id by one bijection.
    Ids,
    /// Scope tags by another.
    ScopeTags,
    /// Tenant id, account id, domains.
    Facts,
    /// An export template without an id.
    IdDropped,
    /// Ids below the root given anew.
    NestedIds,
    /// Created and modified times, 0 to 7 digits.
    Timestamps,
    /// Version counters.
    Versions,
    /// Counts and states the service keeps.
    Counters,
    /// The template a conditional access policy was made from.
    CaTemplate,
    /// The order of true sets.
    SetOrder,
    /// The order of comma lists that are sets.
    CommaOrder,
    /// Members with value null that a newer API added.
    NullsAdded,
    /// Members with value null that an older API did not have.
    NullsDropped,
    /// Null, empty text, empty list and absence exchanged.
    Empties,
    /// `OData` metadata in full.
    MetadataFull,
    /// `OData` metadata that a client gets by default.
    MetadataMinimal,
    /// No `OData` metadata but the types that are meaning.
    MetadataNone,
    /// Bound actions of another version of the API.
    Actions,
    /// Members that an exporter adds for itself.
    CustomRefs,
    /// `auditRuleInformation`, null.
    AuditRule,
    /// A list of one written as its only item.
    Collapse,
    /// Embedded JSON formatted anew.
    ValueJson,
    /// Members of roles that repeat others.
    RoleTwins,
    /// `Microsoft.Intune/X/Read` for `Microsoft.Intune_X_Read`.
    RoleSpelling,
    /// White space around the name.
    NameSpace,
    /// The order of members.
    MemberOrder,
    /// White space and escapes.
    WhiteSpace,
    /// UTF-8, UTF-16, byte order mark.
    Encoding,
    /// A list page around the policy.
    Envelope,
}

/// A drawn set of noise.
#[derive(Clone, Debug)]
pub struct Noise {
    /// What it is drawn from.
    pub seed: u64,
    /// The kinds in it.
    pub kinds: Vec<Kind>,
    /// The bijection of the whole tenant.
    pub map: Bijection,
}

impl Noise {
    /// Draws noise: each kind with an even chance, and new ids nearly always.
    #[must_use]
    pub fn drawn(seed: u64, map: Bijection) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let kinds = Kind::ALL.iter().copied().filter(|kind| {
            rng.random_bool(match kind {
                Kind::Ids | Kind::Facts | Kind::ScopeTags => 0.95,
                Kind::Envelope | Kind::IdDropped => 0.1,
                _ => 0.5,
            })
        });
        Self { seed, kinds: kinds.collect(), map }
    }

    /// Draws noise that another export of the same tenant would have: ids and facts stay.
    #[must_use]
    pub fn of_same_tenant(seed: u64) -> Self {
        let mut noise = Self::drawn(seed, Bijection::new(0));
        noise.kinds.retain(|kind| !matches!(kind, Kind::Ids | Kind::ScopeTags | Kind::Facts));
        noise
    }

    /// All noise at once.
    #[must_use]
    pub fn all(seed: u64, map: Bijection) -> Self {
        let rare = [Kind::Envelope, Kind::IdDropped];
        let kinds = Kind::ALL.iter().copied().filter(|kind| !rare.contains(kind)).collect();
        Self { seed, kinds, map }
    }

    /// The same noise, fit for one of many files of a tenant: what they share is rewritten in all of
    /// them, and ids stay that others may refer to.
    #[must_use]
    pub fn of_tenant(mut self) -> Self {
        let shared = [Kind::Ids, Kind::ScopeTags, Kind::Facts];
        self.kinds.retain(|kind| !shared.contains(kind) && *kind != Kind::IdDropped);
        self.kinds.extend(shared);
        self
    }

    /// The same noise without one kind.
    #[must_use]
    pub fn without(&self, kind: Kind) -> Self {
        let kinds = self.kinds.iter().copied().filter(|other| *other != kind).collect();
        Self { kinds, ..self.clone() }
    }

    fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// The randomness of one kind; it does not depend on which other kinds are drawn.
    fn rng(&self, kind: Kind) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed ^ (kind as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Writes a document as the twin tenant would have it.
    #[must_use]
    pub fn write(&self, document: &Value, family: Family, file: &str, tenant: &Tenant) -> Vec<u8> {
        let mut document = document.clone();
        for kind in Kind::ALL {
            if self.has(*kind) {
                self.apply(*kind, &mut document, family, file, tenant);
            }
        }
        let mut rng = self.rng(Kind::WhiteSpace);
        let mut style =
            if self.has(Kind::WhiteSpace) { Style::drawn(&mut rng) } else { Style::PLAIN };
        style.shuffle = self.has(Kind::MemberOrder);
        let text = to_text(&document, style, &mut self.rng(Kind::MemberOrder));
        let drawn = || Encoding::ALL.choose(&mut self.rng(Kind::Encoding)).copied();
        let encoding = if self.has(Kind::Encoding) { drawn() } else { None };
        encoding.unwrap_or(Encoding::Utf8).encode(&text)
    }

    /// The facts of the tenant that the noise writes.
    #[must_use]
    pub fn tenant(&self, tenant: &Tenant) -> Tenant {
        if self.has(Kind::Facts) { self.map.tenant(tenant) } else { tenant.clone() }
    }

    fn apply(&self, kind: Kind, document: &mut Value, family: Family, file: &str, tenant: &Tenant) {
        let rng = &mut self.rng(kind);
        let is_tag = file.contains("roleScopeTag/");
        match kind {
            Kind::Ids if !is_tag => rewrite_ids(document, family, self.map),
            Kind::ScopeTags => rewrite_scope_tags(document, is_tag, self.map),
            Kind::Facts => {
                // The bijection over ids maps the tenant's own ids alike where they are ids.
                rewrite_facts(document, tenant, &self.map.tenant(tenant));
            }
            Kind::IdDropped => drop_id(document, family),
            Kind::NestedIds => nested_ids(document, family, rng),
            Kind::Timestamps => timestamps(document, rng),
            Kind::Versions => versions(document, family, rng),
            Kind::Counters => counters(document, rng),
            Kind::CaTemplate if family == Family::ConditionalAccess => {
                set_root(document, "templateId", json!(guid(rng)));
            }
            Kind::SetOrder => set_order(document, family, rng),
            Kind::CommaOrder => comma_order(document, rng),
            Kind::NullsAdded => nulls_added(document, rng),
            Kind::NullsDropped => nulls_dropped(document, family, rng),
            Kind::Empties => empties(document, family, rng),
            Kind::MetadataFull => exporter::metadata_full(document, family, rng),
            Kind::MetadataMinimal => exporter::metadata_minimal(document),
            Kind::MetadataNone => exporter::metadata_none(document, family),
            Kind::Actions => exporter::actions(document, rng),
            Kind::CustomRefs => exporter::custom_refs(document, rng),
            Kind::AuditRule => exporter::audit_rule(document, rng),
            Kind::Collapse => exporter::collapse(document, family),
            Kind::ValueJson => exporter::value_json(document, rng),
            Kind::RoleTwins if family == Family::Role => exporter::role_twins(document, rng),
            Kind::RoleSpelling if family == Family::Role => exporter::role_spelling(document, rng),
            Kind::NameSpace => name_space(document, family, rng),
            Kind::Envelope => *document = json!({ "value": [document.clone()] }),
            _ => {}
        }
    }
}

/// A random GUID.
pub(super) fn guid(rng: &mut ChaCha8Rng) -> String {
    let hex = format!("{:032x}", rng.random::<u128>());
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn set_root(document: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = document {
        members.insert(name.to_owned(), value);
    }
}

/// Roles are known by their id, and default enrolment policies by its end: theirs stays.
fn drop_id(document: &mut Value, family: Family) {
    if let Value::Object(members) = document
        && !matches!(family, Family::Role | Family::Target)
        && members.get("id").and_then(Value::as_str).is_some_and(|id| !id.contains("_Default"))
    {
        members.remove("id");
    }
}

fn nested_ids(document: &mut Value, family: Family, rng: &mut ChaCha8Rng) {
    const OWNERS: &[&str] = &[
        "settings",
        "scheduledActionsForRule",
        "scheduledActionConfigurations",
        "definitionValues",
        "presentationValues",
        "localizedNotificationMessages",
        "apps",
    ];
    visit(document, &mut |path, members| {
        let owner = path.last().map_or("", String::as_str);
        let holds = OWNERS.contains(&owner)
            || path.len() == 1 && owner == "assignments" && family != Family::Target;
        if holds && members.contains_key("id") {
            if rng.random_bool(0.3) {
                members.remove("id");
            } else {
                members.insert("id".to_owned(), json!(guid(rng)));
            }
        }
    });
}

fn time(rng: &mut ChaCha8Rng) -> String {
    if rng.random_bool(0.1) {
        return "0001-01-01T00:00:00Z".to_owned();
    }
    let mut fraction = format!("{:07}", rng.random_range(0..10_000_000));
    fraction.truncate(rng.random_range(0..=7));
    let dot = if fraction.is_empty() { "" } else { "." };
    format!(
        "20{}-{:02}-{:02}T{:02}:{:02}:{:02}{dot}{fraction}Z",
        rng.random_range(19..27),
        rng.random_range(1..13),
        rng.random_range(1..29),
        rng.random_range(0..24),
        rng.random_range(0..60),
        rng.random_range(0..60),
    )
}

fn timestamps(document: &mut Value, rng: &mut ChaCha8Rng) {
    const TIMES: &[&str] = &["createdDateTime", "lastModifiedDateTime", "modifiedDateTime"];
    visit(document, &mut |_, members| {
        for name in TIMES {
            if members.contains_key(*name) {
                if rng.random_bool(0.1) {
                    members.remove(*name);
                } else {
                    members.insert((*name).to_owned(), json!(time(rng)));
                }
            }
        }
    });
}

fn versions(document: &mut Value, family: Family, rng: &mut ChaCha8Rng) {
    visit(document, &mut |path, members| {
        let holds = path.is_empty() || path == ["apps"] && family == Family::AppProtection;
        if let Some(value) = members.get_mut("version")
            && holds
        {
            *value = match value {
                Value::Number(_) => json!(rng.random_range(0..500)),
                _ => json!(format!("\"{}\"", guid(rng))),
            };
        }
    });
}

fn counters(document: &mut Value, rng: &mut ChaCha8Rng) {
    let drawn = [
        ("isAssigned", json!(rng.random_bool(0.5))),
        ("supportsScopeTags", json!(rng.random_bool(0.5))),
        ("settingCount", json!(rng.random_range(0..900))),
        ("deployedAppCount", json!(rng.random_range(0..900))),
        ("creationSource", json!("portal")),
        ("priorityMetaData", json!({ "priority": rng.random_range(0..9) })),
        ("policyConfigurationIngestionType", json!("unknown")),
    ];
    if let Value::Object(members) = document {
        for (name, value) in drawn {
            if members.contains_key(name) {
                if rng.random_bool(0.2) {
                    members.remove(name);
                } else {
                    members.insert(name.to_owned(), value);
                }
            }
        }
    }
}

/// Whether the order of a list means nothing.
#[must_use]
pub fn is_set(family: Family, members: &Members, name: &str) -> bool {
    let everywhere = ["roleScopeTagIds", "roleScopeTags", "assignments"];
    let here: &[&str] = match family {
        Family::Catalog => {
            let definition = members.get("settingDefinitionId").and_then(Value::as_str);
            if definition.is_some_and(|id| id.contains("_userrights_"))
                && name == "simpleSettingCollectionValue"
            {
                return true;
            }
            &["settings", "children", "groupSettingCollectionValue"]
        }
        Family::Intent => &["settings"],
        Family::Admx => &["definitionValues", "presentationValues"],
        Family::ConditionalAccess => &[
            "includeGroups",
            "excludeGroups",
            "includeUsers",
            "excludeUsers",
            "includeRoles",
            "excludeRoles",
            "includeApplications",
            "excludeApplications",
            "includeLocations",
            "excludeLocations",
            "includePlatforms",
            "excludePlatforms",
            "clientAppTypes",
            "builtInControls",
        ],
        Family::Role => &[
            "allowedResourceActions",
            "notAllowedResourceActions",
            "actions",
            "rolePermissions",
            "permissions",
            "resourceActions",
        ],
        Family::AppProtection => &[
            "apps",
            "allowedDataStorageLocations",
            "allowedDataIngestionLocations",
            "managedUniversalLinks",
            "exemptedUniversalLinks",
        ],
        Family::Compliance => &[
            "scheduledActionsForRule",
            "scheduledActionConfigurations",
            "validOperatingSystemBuildRanges",
            "notificationMessageCCList",
        ],
        Family::DeviceConfiguration => &["omaSettings", "firewallRules"],
        Family::Target => &["localizedNotificationMessages", "countriesAndRegions"],
        Family::Enrolment | Family::Script | Family::Plain => &[],
    };
    everywhere.contains(&name) || here.contains(&name)
}

fn set_order(document: &mut Value, family: Family, rng: &mut ChaCha8Rng) {
    visit(document, &mut |_, members| {
        let names: Vec<String> =
            members.keys().filter(|name| is_set(family, members, name)).cloned().collect();
        for name in names {
            if let Some(Value::Array(items)) = members.get_mut(&name) {
                items.shuffle(rng);
            }
        }
    });
}

fn comma_order(document: &mut Value, rng: &mut ChaCha8Rng) {
    for name in ["platforms", "technologies"] {
        if let Some(Value::String(text)) = document.get_mut(name) {
            let mut parts: Vec<&str> = text.split(',').collect();
            parts.shuffle(rng);
            *text = parts.join(if rng.random_bool(0.5) { "," } else { ", " });
        }
    }
}

fn nulls_added(document: &mut Value, rng: &mut ChaCha8Rng) {
    const NAMES: &[&str] =
        &["agents", "deletedDateTime", "blockSensitiveActions", "aFutureMember", "zFutureMember"];
    visit(document, &mut |path, members| {
        if path.iter().any(|name| is_annotation(name)) || !rng.random_bool(0.3) {
            return;
        }
        if let Some(name) = NAMES.choose(rng)
            && !members.contains_key(*name)
        {
            members.insert((*name).to_owned(), Value::Null);
        }
    });
}

/// Members that say by their presence that something was read, and those whose absence is another
/// gap than their being empty.
fn presence_counts(family: Family, name: &str) -> bool {
    family == Family::Role
        || is_annotation(name)
        || matches!(
            name,
            "settings"
                | "definitionValues"
                | "apps"
                | "scheduledActionsForRule"
                | "scheduledActionConfigurations"
                | "localizedNotificationMessages"
                | "omaSettings"
                | "assignments"
                | "rule"
                | "conditions"
                | "name"
                | "displayName"
                | "id"
        )
}

fn nulls_dropped(document: &mut Value, family: Family, rng: &mut ChaCha8Rng) {
    visit(document, &mut |_, members| {
        members.retain(|name, value| {
            !value.is_null() || presence_counts(family, name) || rng.random_bool(0.3)
        });
    });
}

fn empties(document: &mut Value, family: Family, rng: &mut ChaCha8Rng) {
    visit(document, &mut |_, members| {
        let names: Vec<String> = members
            .iter()
            .filter(|(name, value)| is_empty(value) && !presence_counts(family, name))
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            match rng.random_range(0..4) {
                0 => members.insert(name, Value::Null),
                1 => members.insert(name, json!("")),
                2 => members.insert(name, json!([])),
                _ => members.remove(&name),
            };
        }
    });
}

fn name_space(document: &mut Value, family: Family, rng: &mut ChaCha8Rng) {
    let name = family.name_member(document);
    if let Some(Value::String(text)) = document.get_mut(name) {
        let trimmed = text.trim();
        *text = match rng.random_range(0..3) {
            0 => trimmed.to_owned(),
            1 => format!("{trimmed} "),
            _ => format!("  {trimmed}\t"),
        };
    }
}
