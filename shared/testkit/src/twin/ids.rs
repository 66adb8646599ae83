//! Identifiers: one bijection over all of them, and the tenants' facts.

use super::family::Family;
use super::{Members, visit, visit_texts};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::ops::Range;

/// What is known of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The id of the directory.
    pub tenant_id: String,
    /// Verified domains.
    pub domains: Vec<String>,
    /// The Intune account id.
    pub account_id: String,
}

impl Tenant {
    /// The tenant that files without facts of their own are said to come from.
    #[must_use]
    pub fn alder() -> Self {
        Self {
            tenant_id: "0c4d9a52-61f3-4e0b-9d5e-6f0a4b8c7d21".to_owned(),
            domains: vec!["alderfinch.onmicrosoft.com".to_owned(), "alderfinch.example".to_owned()],
            account_id: "b7d99953-af92-4686-96fc-0d780bb11f23".to_owned(),
        }
    }
}

/// A seeded bijection over GUIDs. Well-known ones stay.
#[derive(Clone, Copy, Debug)]
pub struct Bijection {
    mask: u128,
}

const ALL_USERS: &str = "acacacac-9df4-4c7d-9d50-4ef0226f57a9";
const ALL_DEVICES: &str = "adadadad-808e-44e2-905a-0b7873a8a531";

impl Bijection {
    /// Builds the bijection of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let word = |n: u64| {
            u128::from(seed.wrapping_add(n).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31))
        };
        Self { mask: (word(1) << 64 | word(2)) | 1 }
    }

    /// Maps one GUID.
    #[must_use]
    pub fn guid(self, guid: &str) -> String {
        let stays = guid.eq_ignore_ascii_case(ALL_USERS)
            || guid.eq_ignore_ascii_case(ALL_DEVICES)
            // The all-zero one and the authentication strengths that every tenant has.
            || guid.starts_with("00000000-0000-0000-0000-0000000000");
        let number = u128::from_str_radix(&guid.replace('-', ""), 16);
        match number {
            Ok(number) if !stays => format_guid(number ^ self.mask),
            _ => guid.to_owned(),
        }
    }

    /// Maps every GUID of a text; what stands around them stays.
    #[must_use]
    pub fn text(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for range in guids(text) {
            out.push_str(&text[from..range.start]);
            out.push_str(&self.guid(&text[range.clone()]));
            from = range.end;
        }
        out.push_str(&text[from..]);
        out
    }

    /// Maps the small integer of a scope tag; `0` is the default tag of every tenant.
    #[must_use]
    pub fn scope_tag(self, tag: &str) -> String {
        match tag.parse::<u64>() {
            Ok(number) if number > 0 => {
                (number + 1 + u64::try_from(self.mask & 0xff).unwrap_or_default()).to_string()
            }
            _ => tag.to_owned(),
        }
    }

    /// The facts of the twin of a tenant.
    #[must_use]
    pub fn tenant(self, tenant: &Tenant) -> Tenant {
        let domains = (0..tenant.domains.len()).map(|index| match tenant.domains[index].as_str() {
            domain if domain.ends_with(".onmicrosoft.com") => {
                format!("twin{}.onmicrosoft.com", self.mask & 0xffff)
            }
            _ => format!("brightwater{index}.example"),
        });
        Tenant {
            tenant_id: self.guid(&tenant.tenant_id),
            domains: domains.collect(),
            account_id: self.guid(&tenant.account_id),
        }
    }
}

fn format_guid(number: u128) -> String {
    let hex = format!("{number:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// Finds GUIDs that are not part of a longer word.
fn guids(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let is_guid = |at: usize| {
        (0..36).all(|index| match index {
            8 | 13 | 18 | 23 => bytes[at + index] == b'-',
            _ => bytes[at + index].is_ascii_hexdigit(),
        })
    };
    let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at + 36 <= bytes.len() {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        if is_guid(at) && !word(before) && !word(bytes.get(at + 36)) {
            out.push(at..at + 36);
            at += 36;
        } else {
            at += 1;
        }
    }
    out
}

/// Members that hold ids of the tenant, wherever they stand.
const ID_MEMBERS: &[&str] = &[
    "groupId",
    "collectionId",
    "sourceId",
    "deviceAndAppManagementAssignmentFilterId",
    "secretReferenceValueId",
    "deviceComplianceScriptId",
    "notificationTemplateId",
    "selectedMobileAppIds",
    "termsOfUse",
    "includeGroups",
    "excludeGroups",
    "includeUsers",
    "excludeUsers",
    "includeLocations",
    "excludeLocations",
];

/// Rewrites every id of a document. Ids of roles stay, since roles are known by them; ids of role
/// templates, first-party apps, policy templates and definitions are the same everywhere.
pub fn rewrite_ids(document: &mut Value, family: Family, map: Bijection) {
    visit(document, &mut |path, members| {
        let root = path.is_empty();
        for (name, value) in members.iter_mut() {
            let is_link = super::is_annotation(name);
            let is_id = name == "id" && !(root && family == Family::Role);
            if is_link || is_id || ID_MEMBERS.contains(&name.as_str()) {
                each_text(value, &mut |text| *text = map.text(text));
            }
        }
    });
}

/// Rewrites the ids of scope tags, and of the tags themselves.
pub fn rewrite_scope_tags(document: &mut Value, is_tag: bool, map: Bijection) {
    if let Value::Object(members) = document {
        for name in ["roleScopeTagIds", "roleScopeTags"] {
            if let Some(value) = members.get_mut(name) {
                each_text(value, &mut |text| *text = map.scope_tag(text));
            }
        }
        if is_tag && let Some(id) = members.get_mut("id") {
            each_text(id, &mut |text| *text = map.scope_tag(text));
        }
    }
}

/// Rewrites the facts of the tenant wherever a text holds them.
pub fn rewrite_facts(document: &mut Value, from: &Tenant, to: &Tenant) {
    let pairs = [(&from.tenant_id, &to.tenant_id), (&from.account_id, &to.account_id)];
    let pairs = pairs.into_iter().chain(from.domains.iter().zip(&to.domains));
    let pairs: Vec<(&String, &String)> = pairs.collect();
    visit_texts(document, &mut |_, text| {
        inside(text, &mut |text| {
            for (from, to) in &pairs {
                if text.contains(from.as_str()) {
                    *text = text.replace(from.as_str(), to);
                }
            }
        });
    });
}

/// Works on a text, or on the text that it is the base64 of.
fn inside(text: &mut String, work: &mut dyn FnMut(&mut String)) {
    let decoded = (text.len() > 16).then(|| STANDARD.decode(&*text).ok()).flatten();
    match decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(mut inner) => {
            work(&mut inner);
            *text = STANDARD.encode(inner);
        }
        None => work(text),
    }
}

/// Writes facts of the tenant into one text of the configuration, where there is a free one.
pub fn plant_facts(document: &mut Value, family: Family, tenant: &Tenant, pick: usize) {
    let mut places = 0;
    visit(document, &mut |_, members| places += usize::from(free_text(members, family).is_some()));
    let Some(chosen) = pick.checked_rem(places) else { return };
    let mut at = 0;
    visit(document, &mut |_, members| {
        if let Some(text) = free_text(members, family) {
            if at == chosen {
                let domain = tenant.domains.last().map_or("", String::as_str);
                let planted = format!(" # https://intranet.{domain}/{}", tenant.tenant_id);
                inside(text, &mut |text| text.push_str(&planted));
            }
            at += 1;
        }
    });
}

/// The value of a setting whose text is free.
fn free_text(members: &mut Members, family: Family) -> Option<&mut String> {
    let free = match family {
        Family::Catalog => !members.contains_key("children"),
        Family::DeviceConfiguration => members.contains_key("omaUri"),
        Family::Admx => members.contains_key("presentation@odata.bind"),
        Family::Script => {
            return match members.get_mut("scriptContent") {
                Some(Value::String(text)) => Some(text),
                _ => None,
            };
        }
        _ => false,
    };
    match members.get_mut("value") {
        Some(Value::String(text)) if free && !text.starts_with(['*', '<', '{']) => Some(text),
        _ => None,
    }
}

/// Works on a text, or on each text of a list.
fn each_text(value: &mut Value, work: &mut dyn FnMut(&mut String)) {
    match value {
        Value::String(text) => work(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, work)),
        // A bound action holds its links one level down.
        Value::Object(members) => members.values_mut().for_each(|value| each_text(value, work)),
        _ => {}
    }
}
