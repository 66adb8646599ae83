//! Rules by settings catalog definition id: the id alone tells that a plain string is a token, or that
//! a collection is a set.

use super::places::{Encoding, Names, SecretForm};
use crate::reference::ReferenceKind;
use memchr::memmem::Finder;
use serde::Deserialize;

/// What a definition id says of the values below it. `set` speaks of the collection, all else of each
/// simple value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefinitionRules {
    /// A secret, and what is kept of it.
    pub secret: Option<SecretForm>,
    /// The id of another object; with `json`, the id stands inside the document.
    pub reference: Option<ReferenceKind>,
    /// A collection without order.
    pub set: bool,
    /// A JSON document in a string.
    pub json: bool,
    /// A text document.
    pub text: Option<Encoding>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Rule {
    Secret,
    Presence,
    Reference { kind: ReferenceKind },
    Set,
    Json,
    Text { encoding: Encoding },
}

impl DefinitionRules {
    fn add(&mut self, rule: Rule) {
        match rule {
            Rule::Secret => self.secret = Some(SecretForm::Value),
            Rule::Presence => self.secret = Some(SecretForm::Presence),
            Rule::Reference { kind } => self.reference = Some(kind),
            Rule::Set => self.set = true,
            Rule::Json => self.json = true,
            Rule::Text { encoding } => self.text = Some(encoding),
        }
    }
}

#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(flatten)]
    rule: Rule,
}

/// All rules by definition id: whole ids in a table, the few globs one by one.
#[derive(Debug)]
pub struct Definitions {
    exact: Names<DefinitionRules>,
    globs: Vec<(Glob, DefinitionRules)>,
}

/// A pattern with `*`: what it begins with, what it ends with, and what stands between in order.
#[derive(Debug)]
struct Glob {
    first: String,
    middle: Vec<Finder<'static>>,
    last: String,
}

impl Glob {
    fn new(pattern: &str) -> Self {
        let mut parts = pattern.split('*').map(str::to_owned);
        let first = parts.next().unwrap_or_default();
        let mut middle: Vec<String> = parts.collect();
        let last = middle.pop().unwrap_or_default();
        let middle = middle.iter().map(|part| Finder::new(part.as_bytes()).into_owned()).collect();
        Self { first, middle, last }
    }

    fn matches(&self, id: &str) -> bool {
        let Some(mut rest) = within(id, &self.first, &self.last) else { return false };
        self.middle.iter().all(|part| match part.find(rest.as_bytes()) {
            Some(at) => {
                rest = &rest[at + part.needle().len()..];
                true
            }
            None => false,
        })
    }
}

/// What stands between a first and a last part. Nearly no id has them, and one letter mostly tells, so
/// that is looked at before whole parts are; an empty part costs nothing.
fn within<'i>(id: &'i str, first: &str, last: &str) -> Option<&'i str> {
    let letter = |letter: &u8, at: usize| id.as_bytes().get(at) == Some(letter);
    let starts = first.as_bytes().last().is_none_or(|end| letter(end, first.len() - 1));
    let ends = last.as_bytes().last().is_none_or(|end| letter(end, id.len().wrapping_sub(1)));
    if !starts || !ends {
        return None;
    }
    let rest = if first.is_empty() { id } else { id.strip_prefix(first)? };
    if last.is_empty() { Some(rest) } else { rest.strip_suffix(last) }
}

impl Definitions {
    pub(super) fn read(json: &str) -> Result<Self, serde_json::Error> {
        let lines: Vec<Line> = serde_json::from_str(json)?;
        let mut out = Self { exact: Names::default(), globs: Vec::new() };
        for line in lines {
            let id = line.id.to_ascii_lowercase();
            if id.contains('*') {
                let mut rules = DefinitionRules::default();
                rules.add(line.rule);
                out.globs.push((Glob::new(&id), rules));
            } else {
                out.exact.get_or_insert_with(id, DefinitionRules::default).add(line.rule);
            }
        }
        Ok(out)
    }

    /// Finds the rules of a definition id, if any stand.
    #[must_use]
    pub fn rules(&self, definition_id: &str) -> Option<DefinitionRules> {
        // Without a way out, so that the compiler can look at many letters at once.
        let upper =
            definition_id.bytes().fold(false, |upper, byte| upper | byte.is_ascii_uppercase());
        if upper {
            return self.rules(&definition_id.to_ascii_lowercase());
        }
        self.exact.get(definition_id).copied().or_else(|| {
            self.globs.iter().find(|(glob, _)| glob.matches(definition_id)).map(|(_, rules)| *rules)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_ids() {
        assert!(Glob::new("a_*_b").matches("a_x_y_b"));
        assert!(!Glob::new("a_*_b").matches("a_x_b_c"));
        assert!(Glob::new("*_userrights_*").matches("device_userrights_backup"));
        assert!(!Glob::new("a_*_b").matches("a_b"));
        let rules = Definitions::read(r#"[{"id":"Exact","do":"set"},{"id":"exact","do":"json"}]"#);
        let rules = rules.unwrap();
        assert!(rules.rules("EXACT").is_some_and(|found| found.set && found.json));
        assert_eq!(rules.rules("exactly"), None);
    }
}
