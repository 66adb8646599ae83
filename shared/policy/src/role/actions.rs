//! Lists of actions: what they mean, and how their source spells them.

use std::ops::Range;

/// An action in canonical spelling: ASCII lower case, `/` as `_`. The resource name
/// `DeviceCompliancePolices` is misspelt on the wire and stays so.
#[must_use]
pub fn canonical_action(action: &str) -> String {
    let mut out = String::new();
    write_canonical(action.trim(), &mut out);
    out
}

fn write_canonical(action: &str, out: &mut String) {
    let from = out.len();
    let mut parts = action.split('/');
    out.extend(parts.next());
    for part in parts {
        out.push('_');
        out.push_str(part);
    }
    out[from..].make_ascii_lowercase();
}

/// One action.
#[derive(Clone, Copy, Debug)]
pub struct Action<'r> {
    /// Its canonical spelling.
    pub canonical: &'r str,
    /// How its source spells it.
    pub source: &'r str,
}

/// A list of actions in canonical spelling, sorted and without doubles, each with the spelling of its
/// source. Of two spellings the later one is kept.
///
/// The canonical spellings stand in one text: a role has hundreds of them, and each alone would cost more
/// to make than to read.
#[derive(Clone, Debug, Default)]
pub struct Actions<'p> {
    text: String,
    entries: Vec<Entry<'p>>,
}

#[derive(Clone, Debug)]
struct Entry<'p> {
    /// Where its canonical spelling stands in the text.
    at: Range<usize>,
    source: &'p str,
}

impl<'p> FromIterator<&'p str> for Actions<'p> {
    fn from_iter<I: IntoIterator<Item = &'p str>>(actions: I) -> Self {
        let sources: Vec<&str> = actions.into_iter().map(str::trim).collect();
        let mut text = String::with_capacity(sources.iter().map(|source| source.len()).sum());
        let entry = |source| {
            let from = text.len();
            write_canonical(source, &mut text);
            Entry { at: from..text.len(), source }
        };
        let entries = sources.into_iter().map(entry).collect();
        let mut out = Self { text, entries };
        out.sort();
        out
    }
}

impl<'p> Actions<'p> {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The actions, sorted by canonical spelling.
    pub fn iter(&self) -> impl Iterator<Item = Action<'_>> {
        self.entries
            .iter()
            .map(|entry| Action { canonical: &self.text[entry.at.clone()], source: entry.source })
    }

    /// The canonical spellings, sorted.
    pub fn canonical(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|action| action.canonical)
    }

    /// How the source spells an action of the list.
    #[must_use]
    pub fn spelling(&self, canonical: &str) -> Option<&'p str> {
        let by_text = |entry: &Entry<'_>| self.text[entry.at.clone()].cmp(canonical);
        self.entries.binary_search_by(by_text).ok().map(|at| self.entries[at].source)
    }

    /// Takes the actions of another list in.
    pub fn absorb(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        let behind = self.text.len();
        self.text.push_str(&other.text);
        self.entries.extend(other.entries.into_iter().map(|entry| {
            let at = entry.at.start + behind..entry.at.end + behind;
            Entry { at, ..entry }
        }));
        self.sort();
    }

    fn sort(&mut self) {
        let text = self.text.as_bytes();
        // The later of two spellings first, because the first of doubles stays.
        self.entries.sort_unstable_by(|a, b| {
            let by_text = text[a.at.clone()].cmp(&text[b.at.clone()]);
            by_text.then(b.at.start.cmp(&a.at.start))
        });
        self.entries.dedup_by(|a, b| text[a.at.clone()] == text[b.at.clone()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs<'a>(actions: &'a Actions<'_>) -> Vec<(&'a str, &'a str)> {
        let pairs: Vec<_> = actions.iter().map(|one| (one.canonical, one.source)).collect();
        for (canonical, source) in &pairs {
            assert_eq!(actions.spelling(canonical), Some(*source));
        }
        pairs
    }

    #[test]
    fn actions_are_sorted_and_the_later_of_two_spellings_is_kept() {
        let mut actions: Actions<'_> =
            ["X/B/Read", " X_A_Wipe ", "x_b_read", "X_B_READ"].into_iter().collect();
        assert_eq!(pairs(&actions), [("x_a_wipe", "X_A_Wipe"), ("x_b_read", "X_B_READ")]);
        assert_eq!(actions.spelling("x_c_read"), None);
        actions.absorb(["x/c", "X/A/Wipe"].into_iter().collect());
        assert_eq!(
            pairs(&actions),
            [("x_a_wipe", "X/A/Wipe"), ("x_b_read", "X_B_READ"), ("x_c", "x/c")]
        );
        let mut none = Actions::default();
        assert!(none.is_empty());
        none.absorb(actions);
        assert_eq!(none.canonical().count(), 3);
    }

    #[test]
    fn only_ascii_letters_and_slashes_are_written_otherwise() {
        for (action, canonical) in
            [("A/b//C", "a_b__c"), ("/", "_"), (" \t", ""), ("Ä/É Ω", "Ä_É Ω"), ("a", "a")]
        {
            assert_eq!(canonical_action(action), canonical);
        }
    }
}
