//! The keyed diff of two normal forms: settings by definition id, rows by `omaUri`, sets by value,
//! ordered lists by alignment. One inserted setting is one change.

use crate::normal::Normal;
use crate::path::Step;
use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Range;

/// What happened at a path.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Only the second side has it.
    Added,
    /// Only the first side has it.
    Removed,
    /// Both have it, with other values.
    Changed,
    /// An ordered list holds the same items in another order.
    Reordered,
}

/// One change from the first side to the second.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<'n, 'a> {
    /// Where. Items of ordered lists are numbered as on the second side, removed ones as on the first.
    pub path: Vec<Step<'a>>,
    /// What happened.
    pub kind: ChangeKind,
    /// The value on the first side.
    pub before: Option<&'n Normal<'a>>,
    /// The value on the second side.
    pub after: Option<&'n Normal<'a>>,
}

/// Compares two normal forms. The result is empty exactly when their canonical bytes are equal.
///
/// Cost is linear in the size of both, times the logarithm of the longest list.
#[must_use]
pub fn diff<'n, 'a>(before: &'n Normal<'a>, after: &'n Normal<'a>) -> Vec<Change<'n, 'a>> {
    let mut walk = Walk { path: Vec::new(), changes: Vec::new() };
    walk.node(before, after);
    walk.changes
}

struct Walk<'n, 'a> {
    path: Vec<Step<'a>>,
    changes: Vec<Change<'n, 'a>>,
}

type Pairs<'n, 'a> = &'n [(Cow<'a, str>, Normal<'a>)];

impl<'n, 'a> Walk<'n, 'a> {
    fn push(
        &mut self,
        kind: ChangeKind,
        before: Option<&'n Normal<'a>>,
        after: Option<&'n Normal<'a>>,
    ) {
        self.changes.push(Change { path: self.path.clone(), kind, before, after });
    }

    fn at(&mut self, step: Step<'a>, work: impl FnOnce(&mut Self)) {
        self.path.push(step);
        work(self);
        self.path.pop();
    }

    fn node(&mut self, before: &'n Normal<'a>, after: &'n Normal<'a>) {
        match (before, after) {
            (Normal::Map(b), Normal::Map(a)) => self.map(b, a),
            (Normal::Keyed(b), Normal::Keyed(a)) => self.keyed(b, a),
            (Normal::Set(b), Normal::Set(a)) => self.set(b, a),
            (Normal::List(b), Normal::List(a)) => self.list(before, after, b, a),
            (Normal::Json(b), Normal::Json(a)) => self.node(b, a),
            _ if before == after => {}
            _ => self.push(ChangeKind::Changed, Some(before), Some(after)),
        }
    }

    fn map(&mut self, before: Pairs<'n, 'a>, after: Pairs<'n, 'a>) {
        merge(
            before,
            after,
            |(name, _)| name.as_ref(),
            |b, a| match (b, a) {
                (Some((name, b)), Some((_, a))) => {
                    self.at(Step::Member(name.clone()), |walk| walk.node(b, a));
                }
                (Some((name, b)), None) => self.at(Step::Member(name.clone()), |walk| {
                    walk.push(ChangeKind::Removed, Some(b), None);
                }),
                (None, Some((name, a))) => self.at(Step::Member(name.clone()), |walk| {
                    walk.push(ChangeKind::Added, None, Some(a));
                }),
                (None, None) => {}
            },
        );
    }

    fn keyed(&mut self, before: Pairs<'n, 'a>, after: Pairs<'n, 'a>) {
        let (mut b, mut a) = (0, 0);
        while b < before.len() || a < after.len() {
            let key = match (before.get(b), after.get(a)) {
                (Some((b, _)), Some((a, _))) => b.min(a),
                (Some((key, _)), None) | (None, Some((key, _))) => key,
                (None, None) => break,
            };
            let run = |items: Pairs<'n, 'a>, from: usize| {
                from + items[from..].iter().take_while(|(other, _)| other == key).count()
            };
            let (b_end, a_end) = (run(before, b), run(after, a));
            self.same_key(key, &before[b..b_end], &after[a..a_end]);
            (b, a) = (b_end, a_end);
        }
    }

    /// Pairs the items of one key: equal ones first, the rest in their order.
    #[expect(clippy::ptr_arg, reason = "a borrowed key stays borrowed in the path")]
    fn same_key(&mut self, key: &Cow<'a, str>, before: Pairs<'n, 'a>, after: Pairs<'n, 'a>) {
        let step = |nth| Step::Key { key: key.clone(), nth };
        if let ([(_, b)], [(_, a)]) = (before, after) {
            return self.at(step(0), |walk| walk.node(b, a));
        }
        // New items are counted on from the old ones, so that no path names two items.
        let old = before.len();
        let (before, after) = unequal(before, after);
        for (index, (nth, b)) in before.iter().enumerate() {
            match after.get(index) {
                Some((_, a)) => self.at(step(*nth), |walk| walk.node(b, a)),
                None => {
                    self.at(step(*nth), |walk| walk.push(ChangeKind::Removed, Some(b), None));
                }
            }
        }
        for (offset, (_, a)) in after.iter().skip(before.len()).enumerate() {
            self.at(step(old + offset), |walk| walk.push(ChangeKind::Added, None, Some(a)));
        }
    }

    fn set(&mut self, before: &'n [Normal<'a>], after: &'n [Normal<'a>]) {
        // Both are sorted, so what they begin and end with alike is alike; most of a set is.
        let head = before.iter().zip(after).take_while(|(b, a)| b == a).count();
        let (before, after) = (&before[head..], &after[head..]);
        let tail = before.iter().rev().zip(after.iter().rev()).take_while(|(b, a)| b == a).count();
        let (mut b_bytes, mut a_bytes) = (Vec::new(), Vec::new());
        let before = keys(&before[..before.len() - tail], &mut b_bytes);
        let after = keys(&after[..after.len() - tail], &mut a_bytes);
        merge(
            &before,
            &after,
            |(bytes, _)| *bytes,
            |b, a| match (b, a) {
                (Some((_, b)), None) => self.push(ChangeKind::Removed, Some(b), None),
                (None, Some((_, a))) => self.push(ChangeKind::Added, None, Some(a)),
                _ => {}
            },
        );
    }

    fn list(
        &mut self,
        whole_before: &'n Normal<'a>,
        whole_after: &'n Normal<'a>,
        before: &'n [Normal<'a>],
        after: &'n [Normal<'a>],
    ) {
        let mut names = FxHashMap::default();
        let mut number = |items: &[Normal<'a>]| -> Vec<usize> {
            items
                .iter()
                .map(|item| {
                    let next = names.len();
                    *names.entry(item.to_canonical()).or_insert(next)
                })
                .collect()
        };
        let (b, a) = (number(before), number(after));
        if b == a {
            return;
        }
        if b.len() == a.len() {
            let sorted = |mut items: Vec<usize>| {
                items.sort_unstable();
                items
            };
            if sorted(b.clone()) == sorted(a.clone()) {
                return self.push(ChangeKind::Reordered, Some(whole_before), Some(whole_after));
            }
        }
        for (b_gap, a_gap) in gaps(&b, &a) {
            let paired = b_gap.len().min(a_gap.len());
            for offset in 0..paired {
                let (b, a) = (&before[b_gap.start + offset], &after[a_gap.start + offset]);
                self.at(Step::Index(a_gap.start + offset), |walk| walk.node(b, a));
            }
            for (at, item) in before.iter().enumerate().take(b_gap.end).skip(b_gap.start + paired) {
                self.at(Step::Index(at), |walk| walk.push(ChangeKind::Removed, Some(item), None));
            }
            for (at, item) in after.iter().enumerate().take(a_gap.end).skip(a_gap.start + paired) {
                self.at(Step::Index(at), |walk| walk.push(ChangeKind::Added, None, Some(item)));
            }
        }
    }
}

/// The items of a set with their canonical bytes, all of which are written into one place.
fn keys<'k, 'n, 'a>(
    items: &'n [Normal<'a>],
    bytes: &'k mut Vec<u8>,
) -> Vec<(&'k [u8], &'n Normal<'a>)> {
    let end = |item: &Normal<'a>| {
        item.write_canonical(bytes);
        bytes.len()
    };
    let ends: Vec<usize> = items.iter().map(end).collect();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(&ends).zip(items).map(|((from, to), item)| (&bytes[from..*to], item)).collect()
}

/// Walks two sorted slices together; equal keys meet one to one.
fn merge<'s, T, K: Ord + ?Sized + 's>(
    before: &'s [T],
    after: &'s [T],
    key: impl Fn(&'s T) -> &'s K,
    mut meet: impl FnMut(Option<&'s T>, Option<&'s T>),
) {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let (mut b, mut a) = (0, 0);
    loop {
        let order = match (before.get(b), after.get(a)) {
            (Some(b), Some(a)) => key(b).cmp(key(a)),
            (Some(_), None) => Less,
            (None, Some(_)) => Greater,
            (None, None) => return,
        };
        match order {
            Less => meet(before.get(b), None),
            Greater => meet(None, after.get(a)),
            Equal => meet(before.get(b), after.get(a)),
        }
        b += usize::from(order != Greater);
        a += usize::from(order != Less);
    }
}

type Numbered<'n, 'a> = Vec<(usize, &'n Normal<'a>)>;

/// The items of one key that have no equal on the other side, with their places among the key's items.
fn unequal<'n, 'a>(
    before: Pairs<'n, 'a>,
    after: Pairs<'n, 'a>,
) -> (Numbered<'n, 'a>, Numbered<'n, 'a>) {
    let mut counts: FxHashMap<Vec<u8>, usize> = FxHashMap::default();
    for (_, item) in after {
        *counts.entry(item.to_canonical()).or_default() += 1;
    }
    let mut shared = FxHashMap::default();
    let mut left = Vec::new();
    for (nth, (_, item)) in before.iter().enumerate() {
        let bytes = item.to_canonical();
        match counts.get_mut(&bytes) {
            Some(count) if *count > 0 => {
                *count -= 1;
                *shared.entry(bytes).or_insert(0) += 1;
            }
            _ => left.push((nth, item)),
        }
    }
    let mut right = Vec::new();
    for (nth, (_, item)) in after.iter().enumerate() {
        match shared.get_mut(&item.to_canonical()) {
            Some(count) if *count > 0 => *count -= 1,
            _ => right.push((nth, item)),
        }
    }
    (left, right)
}

/// Aligns two numbered lists on the items that both hold exactly once and in one order, and returns what
/// lies between.
fn gaps(before: &[usize], after: &[usize]) -> Vec<(Range<usize>, Range<usize>)> {
    let prefix = before.iter().zip(after).take_while(|(b, a)| b == a).count();
    let suffix = before[prefix..]
        .iter()
        .rev()
        .zip(after[prefix..].iter().rev())
        .take_while(|(b, a)| b == a)
        .count();
    let (b_end, a_end) = (before.len() - suffix, after.len() - suffix);

    let once = |items: &[usize], from: usize| {
        let mut places: FxHashMap<usize, Option<usize>> = FxHashMap::default();
        for (at, item) in items.iter().enumerate() {
            places.entry(*item).and_modify(|place| *place = None).or_insert(Some(from + at));
        }
        places
    };
    let (b_once, a_once) =
        (once(&before[prefix..b_end], prefix), once(&after[prefix..a_end], prefix));
    let mut common: Vec<(usize, usize)> =
        b_once.iter().filter_map(|(item, b)| Some(((*b)?, (*a_once.get(item)?)?))).collect();
    common.sort_unstable();
    let mut anchors = longest_increasing(&common);
    anchors.push((b_end, a_end));

    let (mut b, mut a) = (prefix, prefix);
    let mut out = Vec::new();
    for (b_anchor, a_anchor) in anchors {
        // Doubles beside an anchor are aligned as far as they are equal.
        while b < b_anchor && a < a_anchor && before[b] == after[a] {
            b += 1;
            a += 1;
        }
        let (mut b_stop, mut a_stop) = (b_anchor, a_anchor);
        while b_stop > b && a_stop > a && before[b_stop - 1] == after[a_stop - 1] {
            b_stop -= 1;
            a_stop -= 1;
        }
        if b < b_stop || a < a_stop {
            out.push((b..b_stop, a..a_stop));
        }
        (b, a) = (b_anchor + 1, a_anchor + 1);
    }
    out
}

/// The longest run of pairs that rises on both sides; the pairs come sorted by the first.
fn longest_increasing(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut tails: Vec<usize> = Vec::new();
    let mut previous = vec![usize::MAX; pairs.len()];
    for (index, (_, second)) in pairs.iter().enumerate() {
        let at = tails.partition_point(|tail| pairs[*tail].1 < *second);
        if at > 0 {
            previous[index] = tails[at - 1];
        }
        if at == tails.len() {
            tails.push(index);
        } else {
            tails[at] = index;
        }
    }
    let mut out = Vec::with_capacity(tails.len());
    let mut at = tails.last().copied().unwrap_or(usize::MAX);
    while let Some(pair) = pairs.get(at) {
        out.push(*pair);
        at = previous[at];
    }
    out.reverse();
    out
}

/// Applies changes to the first side; with the changes of [`diff`] this gives the second side.
#[must_use]
pub fn apply<'a>(before: &Normal<'a>, changes: &[Change<'_, 'a>]) -> Normal<'a> {
    let changes: Vec<&Change<'_, 'a>> = changes.iter().collect();
    apply_at(before, &changes, 0)
}

fn apply_at<'a>(before: &Normal<'a>, changes: &[&Change<'_, 'a>], depth: usize) -> Normal<'a> {
    let Some(first) = changes.first() else { return before.clone() };
    if let Normal::Json(inner) = before {
        // A change inside the embedded document has the path of the text that holds it.
        if first.path.len() > depth || first.before != Some(before) {
            return Normal::Json(Box::new(apply_at(inner, changes, depth)));
        }
    }
    // Only items of a set are added and removed at the set's own path.
    let whole = first.kind == ChangeKind::Changed || !matches!(before, Normal::Set(_));
    if first.path.len() == depth && whole {
        return first.after.cloned().unwrap_or(Normal::Null);
    }
    match before {
        Normal::Map(members) => Normal::Map(apply_map(members, changes, depth)),
        Normal::Keyed(items) => Normal::Keyed(apply_keyed(items, changes, depth)),
        Normal::Set(items) => {
            let mut out = items.clone();
            for change in changes {
                if let Some(gone) = change.before
                    && let Some(at) = out.iter().position(|item| item == gone)
                {
                    out.remove(at);
                }
                out.extend(change.after.cloned());
            }
            out.sort_by_cached_key(Normal::to_canonical);
            Normal::Set(out)
        }
        Normal::List(items) => Normal::List(apply_list(items, changes, depth)),
        other => other.clone(),
    }
}

/// Groups changes by their step at a depth, in order of first appearance.
fn by_step<'c, 'n, 'a>(
    changes: &[&'c Change<'n, 'a>],
    depth: usize,
) -> Vec<(&'c Step<'a>, Vec<&'c Change<'n, 'a>>)> {
    let mut out: Vec<(&'c Step<'a>, Vec<&'c Change<'n, 'a>>)> = Vec::new();
    for change in changes {
        let step = &change.path[depth];
        match out.last_mut() {
            Some((last, group)) if *last == step => group.push(change),
            _ => out.push((step, vec![change])),
        }
    }
    out
}

/// A change of exactly this step, not of something below it.
fn whole<'c, 'n, 'a>(group: &[&'c Change<'n, 'a>], depth: usize) -> Option<&'c Change<'n, 'a>> {
    group.iter().copied().find(|change| {
        change.path.len() == depth + 1
            && matches!(change.kind, ChangeKind::Added | ChangeKind::Removed)
    })
}

fn apply_map<'a>(
    members: &[(Cow<'a, str>, Normal<'a>)],
    changes: &[&Change<'_, 'a>],
    depth: usize,
) -> Vec<(Cow<'a, str>, Normal<'a>)> {
    let mut out = members.to_vec();
    for (step, group) in by_step(changes, depth) {
        let Step::Member(name) = step else { continue };
        let at = out.iter().position(|(member, _)| member == name);
        match (at, whole(&group, depth)) {
            // A set below the member speaks of its items with the member's own path.
            (Some(at), _)
                if matches!(out[at].1, Normal::Set(_)) && group_is_of_items(&group, &out[at].1) =>
            {
                out[at].1 = apply_at(&out[at].1, &group, depth + 1);
            }
            (Some(at), Some(change)) if change.kind == ChangeKind::Removed => {
                out.remove(at);
            }
            (None, Some(change)) => {
                out.extend(change.after.cloned().map(|value| (name.clone(), value)));
            }
            (Some(at), _) => out[at].1 = apply_at(&out[at].1, &group, depth + 1),
            (None, None) => {}
        }
    }
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

/// Whether changes with a set's own path speak of its items rather than of the whole set.
fn group_is_of_items(group: &[&Change<'_, '_>], set: &Normal<'_>) -> bool {
    group.iter().all(|change| {
        matches!(change.kind, ChangeKind::Added | ChangeKind::Removed) && change.before != Some(set)
    })
}

fn apply_keyed<'a>(
    items: &[(Cow<'a, str>, Normal<'a>)],
    changes: &[&Change<'_, 'a>],
    depth: usize,
) -> Vec<(Cow<'a, str>, Normal<'a>)> {
    let mut gone = Vec::new();
    let mut out = items.to_vec();
    let mut added = Vec::new();
    for (step, group) in by_step(changes, depth) {
        let Step::Key { key, nth } = step else { continue };
        let at = items.iter().position(|(other, _)| other == key).map(|first| first + nth);
        match whole(&group, depth) {
            Some(change) if change.kind == ChangeKind::Removed => gone.extend(at),
            Some(change) => added.extend(change.after.cloned().map(|value| (key.clone(), value))),
            None => {
                if let Some((_, item)) = at.and_then(|at| out.get_mut(at)) {
                    *item = apply_at(item, &group, depth + 1);
                }
            }
        }
    }
    let mut out: Vec<_> = out
        .into_iter()
        .enumerate()
        .filter(|(at, _)| !gone.contains(at))
        .map(|(_, item)| item)
        .chain(added)
        .collect();
    out.sort_by_cached_key(|(key, item)| (key.to_string(), item.to_canonical()));
    out
}

fn apply_list<'a>(
    items: &[Normal<'a>],
    changes: &[&Change<'_, 'a>],
    depth: usize,
) -> Vec<Normal<'a>> {
    let mut gone = Vec::new();
    let mut placed: Vec<(usize, Normal<'a>)> = Vec::new();
    let mut nested = Vec::new();
    for (step, group) in by_step(changes, depth) {
        let Step::Index(at) = step else { continue };
        let mut inner = Vec::new();
        for change in group {
            match change.kind {
                ChangeKind::Removed if change.path.len() == depth + 1 => gone.push(*at),
                ChangeKind::Added if change.path.len() == depth + 1 => {
                    placed.extend(change.after.cloned().map(|value| (*at, value)));
                }
                _ => inner.push(change),
            }
        }
        if !inner.is_empty() {
            nested.push((*at, inner));
        }
    }
    let mut kept =
        items.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, item)| item.clone());
    placed.sort_by_key(|(at, _)| *at);
    let mut placed = placed.into_iter().peekable();
    let mut out = Vec::new();
    loop {
        if let Some((_, value)) = placed.next_if(|(at, _)| *at == out.len()) {
            out.push(value);
        } else if let Some(item) = kept.next() {
            out.push(item);
        } else {
            break;
        }
    }
    for (at, changes) in nested {
        if let Some(item) = out.get_mut(at) {
            *item = apply_at(item, &changes, depth + 1);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::join;

    fn text(text: &str) -> Normal<'_> {
        Normal::String(Cow::Borrowed(text))
    }

    fn list(items: &[&'static str]) -> Normal<'static> {
        Normal::List(items.iter().map(|item| text(item)).collect())
    }

    fn paths(before: &Normal<'_>, after: &Normal<'_>) -> Vec<String> {
        let changes = diff(before, after);
        assert_eq!(apply(before, &changes), *after, "applied changes give the second side");
        changes.iter().map(|change| format!("{:?} {}", change.kind, join(&change.path))).collect()
    }

    #[test]
    fn one_inserted_item_is_one_change() {
        let (before, after) = (list(&["a", "b", "c"]), list(&["x", "a", "b", "c"]));
        assert_eq!(paths(&before, &after), ["Added [0]"]);
        assert_eq!(paths(&after, &before), ["Removed [0]"]);
    }

    #[test]
    fn sets_that_begin_and_end_alike_differ_in_the_middle() {
        let set = |items: &[&'static str]| Normal::Set(items.iter().map(|one| text(one)).collect());
        let kinds = |before: &[&'static str], after: &[&'static str]| -> Vec<String> {
            let (before, after) = (set(before), set(after));
            let changes = diff(&before, &after);
            let value = |change: &Change<'_, '_>| {
                let value = change.before.or(change.after).map(Normal::to_json);
                format!("{:?} {}", change.kind, value.unwrap_or_default())
            };
            changes.iter().map(value).collect()
        };
        let none: [&str; 0] = [];
        assert_eq!(kinds(&["a", "c"], &["a", "b", "c"]), [r#"Added "b""#]);
        assert_eq!(kinds(&["a", "b", "c"], &["a", "c"]), [r#"Removed "b""#]);
        assert_eq!(kinds(&["a", "b"], &["a", "c"]), [r#"Removed "b""#, r#"Added "c""#]);
        assert_eq!(kinds(&[], &["a"]), [r#"Added "a""#]);
        // What stands for several references is not used twice from both ends.
        assert_eq!(kinds(&["a"], &["a", "a"]), [r#"Added "a""#]);
        assert_eq!(kinds(&["a", "b"], &["a", "b"]), none);
    }

    #[test]
    fn another_order_alone_is_one_change_of_the_list() {
        assert_eq!(paths(&list(&["a", "b", "c"]), &list(&["c", "a", "b"])), ["Reordered "]);
        assert_eq!(paths(&list(&["a", "b"]), &list(&["a", "z"])), ["Changed [1]"]);
    }

    #[test]
    fn items_that_share_a_key_never_share_a_path() {
        let item = |id: &'static str| {
            let member = (Cow::Borrowed("id"), text(id));
            (Cow::Borrowed("k"), Normal::Map(vec![member]))
        };
        let before = Normal::Keyed(vec![item("a"), item("b"), item("c")]);
        let after = Normal::Keyed(vec![item("a"), item("x"), item("y"), item("z")]);
        assert_eq!(paths(&before, &after), ["Changed {k}#2/id", "Changed {k}#3/id", "Added {k}#4"]);
    }

    #[test]
    fn a_long_list_is_aligned_without_a_square() {
        let names: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
        let before = Normal::List(names.iter().map(|name| text(name)).collect());
        let mut items: Vec<Normal<'_>> = names.iter().map(|name| text(name)).collect();
        items.insert(0, text("first"));
        items.remove(10_000);
        let after = Normal::List(items);
        assert_eq!(paths(&before, &after), ["Added [0]", "Removed [9999]"]);
    }
}
