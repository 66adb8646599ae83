//! What part of a partition a question is about, as the service takes it.
//!
//! Three things it refuses, or takes otherwise: a range that ends before it begins, an empty text, and a
//! start outside the range. None is an error of the port.

use plumbline_ports::Range;

/// A condition on a sort key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    All,
    Prefix(String),
    To(String),
    Between(String, String),
}

impl Condition {
    /// The condition for a range; `None` when the range holds nothing.
    pub(super) fn of(range: &Range) -> Option<Self> {
        Some(match range {
            Range::Prefix(prefix) if !prefix.is_empty() => Self::Prefix(prefix.clone()),
            Range::All | Range::Prefix(_) => Self::All,
            // No key is empty.
            Range::Between(first, last) if last.is_empty() || first > last => return None,
            Range::Between(first, last) if first.is_empty() => Self::To(last.clone()),
            Range::Between(first, last) => Self::Between(first.clone(), last.clone()),
        })
    }

    /// The same over the places of an index: those of a sort key go on with a NUL, so the next sign after
    /// it is behind all of them.
    pub(super) fn over_places(self) -> Self {
        let behind = |last: String| format!("{last}\u{1}");
        match self {
            Self::To(last) => Self::To(behind(last)),
            Self::Between(first, last) => Self::Between(first, behind(last)),
            other => other,
        }
    }

    /// The expression over the names `#pk` and `#sk` and the values `:pk`, `:one` and `:two`, and the
    /// values but the first.
    pub(super) fn expression(self) -> (&'static str, Vec<(&'static str, String)>) {
        match self {
            Self::All => ("#pk = :pk", vec![]),
            Self::Prefix(prefix) => {
                ("#pk = :pk AND begins_with(#sk, :one)", vec![(":one", prefix)])
            }
            Self::To(last) => ("#pk = :pk AND #sk <= :one", vec![(":one", last)]),
            Self::Between(first, last) => {
                ("#pk = :pk AND #sk BETWEEN :one AND :two", vec![(":one", first), (":two", last)])
            }
        }
    }
}

/// Where a question begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At the first row of the range.
    Beginning,
    /// Behind the place where the last page ended.
    Behind,
    /// Behind the range: nothing is left.
    Nowhere,
}

/// Where a question begins that goes on behind a sort key.
pub(super) fn start(range: &Range, after: Option<&str>, descending: bool) -> Start {
    let Some(after) = after else { return Start::Beginning };
    if range.holds(after) {
        return Start::Behind;
    }
    let first = match range {
        Range::All => "",
        Range::Prefix(first) | Range::Between(first, _) => first,
    };
    if (after < first) == descending { Start::Nowhere } else { Start::Beginning }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(first: &str, last: &str) -> Range {
        Range::Between(first.to_owned(), last.to_owned())
    }

    #[test]
    fn what_holds_nothing_is_not_asked() {
        for range in [between("b", "a"), between("", ""), between("a", "")] {
            assert_eq!(Condition::of(&range), None, "{range:?}");
        }
        assert_eq!(Condition::of(&Range::Prefix(String::new())), Some(Condition::All));
        assert_eq!(Condition::of(&between("", "a")), Some(Condition::To("a".to_owned())));
        let one = Condition::Between("a".to_owned(), "a".to_owned());
        assert_eq!(Condition::of(&between("a", "a")), Some(one));
    }

    #[test]
    fn a_start_outside_the_range_is_before_it_or_behind_it() {
        for (range, after, ascending, descending) in [
            (Range::All, "a", Start::Behind, Start::Behind),
            (Range::Prefix("b".to_owned()), "a", Start::Beginning, Start::Nowhere),
            (Range::Prefix("b".to_owned()), "b", Start::Behind, Start::Behind),
            (Range::Prefix("b".to_owned()), "bz", Start::Behind, Start::Behind),
            (Range::Prefix("b".to_owned()), "c", Start::Nowhere, Start::Beginning),
            (between("b", "d"), "a", Start::Beginning, Start::Nowhere),
            (between("b", "d"), "d", Start::Behind, Start::Behind),
            (between("b", "d"), "da", Start::Nowhere, Start::Beginning),
        ] {
            assert_eq!(start(&range, Some(after), false), ascending, "{range:?} {after}");
            assert_eq!(start(&range, Some(after), true), descending, "{range:?} {after}");
            assert_eq!(start(&range, None, true), Start::Beginning);
        }
    }
}
