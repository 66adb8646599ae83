//! Facts of the tenant that a payload came from. In a normal form they are placeholders, so that two
//! tenants that configured the same hash equal.

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::memmem::Finder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::LazyLock;

/// What a connection, or a facts file, says of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantFacts {
    /// The Microsoft Entra tenant id.
    #[serde(default)]
    pub tenant_id: Option<String>,
    /// Verified domains. The first of one tenant stands for the first of the other, and so on.
    #[serde(default)]
    pub domains: Vec<String>,
    /// The Intune account id, which also begins the ids of default enrolment configurations.
    #[serde(default)]
    pub intune_account_id: Option<String>,
}

/// Facts made ready for searching.
#[derive(Debug)]
pub struct Localiser {
    facts: TenantFacts,
    search: Option<AhoCorasick>,
    placeholders: Vec<String>,
}

/// Every tenant's first domain ends so.
const INITIAL_DOMAIN: &str = ".onmicrosoft.com";
static INITIAL_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"onmicrosoft"));
const INITIAL_PLACEHOLDER: &str = "{{initial_domain}}";

impl Localiser {
    /// Prepares the facts of one tenant. Without facts, only initial domains are recognised.
    #[must_use]
    pub fn new(facts: &TenantFacts) -> Self {
        let mut patterns = Vec::new();
        let mut placeholders = Vec::new();
        let mut add = |text: &str, placeholder: String| {
            if !text.is_empty() {
                patterns.push(text.to_owned());
                placeholders.push(placeholder);
            }
        };
        if let Some(id) = &facts.tenant_id {
            add(id, "{{tenant_id}}".to_owned());
        }
        if let Some(id) = &facts.intune_account_id {
            add(id, "{{intune_account_id}}".to_owned());
        }
        let own = facts
            .domains
            .iter()
            .filter(|domain| !domain.to_ascii_lowercase().ends_with(INITIAL_DOMAIN));
        for (index, domain) in own.enumerate() {
            add(domain, format!("{{{{domain_{}}}}}", index + 1));
        }
        let search = (!patterns.is_empty())
            .then(|| {
                AhoCorasick::builder()
                    .ascii_case_insensitive(true)
                    .match_kind(MatchKind::LeftmostLongest)
                    .build(&patterns)
                    .ok()
            })
            .flatten();
        Self { facts: facts.clone(), search, placeholders }
    }

    /// The same with an Intune account id that a payload itself tells; a given one counts first.
    #[must_use]
    pub fn with_account(&self, account_id: &str) -> Self {
        let mut facts = self.facts.clone();
        facts.intune_account_id.get_or_insert_with(|| account_id.to_owned());
        Self::new(&facts)
    }

    /// Replaces the tenant's facts by placeholders; borrows the text where there are none.
    #[must_use]
    pub fn localise<'t>(&self, text: &'t str) -> Cow<'t, str> {
        // Ids and domains hold a dash or a dot; most settings hold neither.
        if memchr::memchr2(b'.', b'-', text.as_bytes()).is_none() {
            return Cow::Borrowed(text);
        }
        let initial = replace_initial_domains(text);
        let Some(search) = &self.search else { return initial };
        let bytes = initial.as_bytes();
        let mut out = String::new();
        let mut from = 0;
        for found in search.find_iter(initial.as_ref()) {
            let before = found.start().checked_sub(1).map(|at| bytes[at]);
            let mut after = bytes[found.end()..].iter().copied();
            let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            let next = after.next();
            // A domain goes on behind a dot; an id does not: `<id>.ps1` holds it.
            let is_domain = self.placeholders[found.pattern().as_usize()].starts_with("{{domain");
            let ends = match next {
                Some(b'.') => !is_domain || !after.next().is_some_and(inside),
                Some(byte) => !inside(byte),
                None => true,
            };
            if !before.is_some_and(inside) && ends {
                out.push_str(&initial[from..found.start()]);
                out.push_str(&self.placeholders[found.pattern().as_usize()]);
                from = found.end();
            }
        }
        if from == 0 {
            return initial;
        }
        out.push_str(&initial[from..]);
        Cow::Owned(out)
    }
}

fn replace_initial_domains(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut from = 0;
    for at in INITIAL_FINDER.find_iter(bytes) {
        let tail = &text[at..];
        let Some(dot) = at.checked_sub(1).filter(|dot| bytes[*dot] == b'.') else { continue };
        let end = at + INITIAL_DOMAIN.len() - 1;
        if !tail.starts_with(&INITIAL_DOMAIN[1..])
            || bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        {
            continue;
        }
        let label = bytes[from..dot]
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-')
            .count();
        if label > 0 {
            out.push_str(&text[from..dot - label]);
            out.push_str(INITIAL_PLACEHOLDER);
            from = end;
        }
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> TenantFacts {
        TenantFacts {
            tenant_id: Some("11111111-2222-3333-4444-555555555555".to_owned()),
            domains: vec!["alder.example".to_owned(), "alder.onmicrosoft.com".to_owned()],
            intune_account_id: None,
        }
    }

    #[test]
    fn facts_become_placeholders() {
        let localiser = Localiser::new(&facts());
        for (text, expected) in [
            ("https://intranet.alder.example/start", "https://intranet.{{domain_1}}/start"),
            ("ALDER.EXAMPLE.", "{{domain_1}}."),
            ("xalder.example", "xalder.example"),
            ("alder.example.org", "alder.example.org"),
            ("id=11111111-2222-3333-4444-555555555555;", "id={{tenant_id}};"),
            ("a@alder.onmicrosoft.com", "a@{{initial_domain}}"),
            ("11111111-2222-3333-4444-555555555555.ps1", "{{tenant_id}}.ps1"),
            ("plain", "plain"),
        ] {
            assert_eq!(localiser.localise(text), expected);
        }
    }

    #[test]
    fn initial_domains_need_no_facts() {
        let localiser = Localiser::new(&TenantFacts::default());
        assert_eq!(
            localiser.localise("x.onmicrosoft.com y.onmicrosoft.com.evil onmicrosoft.com"),
            "{{initial_domain}} {{initial_domain}}.evil onmicrosoft.com"
        );
    }
}
