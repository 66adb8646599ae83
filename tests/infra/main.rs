//! `infra/template.yaml`: own rules and well-known linters over what it says, and a stack that is made from it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod deployed;
mod linters;
mod policy;
mod rules;
mod template;

use rules::all;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use template::Template;

#[test]
fn the_template_keeps_every_rule() {
    let template = Template::ours();
    let mut broken = String::new();
    for rule in all() {
        for fault in (rule.faults)(template) {
            writeln!(broken, "{}: {fault}", rule.says).unwrap();
        }
    }
    assert!(broken.is_empty(), "{broken}");
}

#[test]
fn every_rule_sees_every_change_that_breaks_it() {
    let template = Template::ours();
    let mut unseen = String::new();
    for rule in all() {
        assert!(!rule.broken_by.is_empty(), "nothing shows that it can fail: {}", rule.says);
        for change in rule.broken_by {
            if (rule.faults)(&change.of(template)).is_empty() {
                writeln!(unseen, "{}: {change:?}", rule.says).unwrap();
            }
        }
    }
    assert!(unseen.is_empty(), "{unseen}");
}

#[test]
fn a_rule_stands_once() {
    let all: Vec<&str> = all().map(|rule| rule.says).collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}
