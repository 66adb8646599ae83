//! The table of the rules (`rules.md`) names tests that there are.

use std::collections::BTreeSet;
use std::path::Path;

/// Every rule of these chapters has a row.
const CHAPTERS: [&str; 7] =
    ["D2.4", "D2.5", "D2.7", "D3.8", "S invariant", "S validation", "S trust"];

#[test]
fn every_rule_of_the_table_names_a_test_that_there_is() {
    let mut wrong = Vec::new();
    let mut chapters = BTreeSet::new();
    for row in include_str!("rules.md").lines().filter(|line| line.starts_with("| ")).skip(1) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [rule, _, tests] = cells.as_slice() else {
            wrong.push(format!("no row of three: {row}"));
            continue;
        };
        chapters.extend(CHAPTERS.iter().filter(|chapter| rule.starts_with(*chapter)));
        for named in tests.split("; ") {
            if let Err(reason) = is_there(named) {
                wrong.push(format!("{rule}: {reason}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(chapters, CHAPTERS.iter().collect());
}

/// Whether a test, or a row of one, stands in the file that is named before it.
fn is_there(named: &str) -> Result<(), String> {
    let parts: Vec<&str> = named.split('`').collect();
    let ["", file, " ", name, ""] = parts.as_slice() else {
        return Err(format!("{named} is no file and name"));
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
    let is_label = name.contains(": ");
    let found = if is_label {
        text.contains(&format!("\"{name}\""))
    } else {
        text.split("#[test]").skip(1).any(|after| {
            // Attributes and a line break stand between, no other function.
            let head = after.split('{').next().unwrap_or_default();
            head.contains(&format!("fn {name}("))
        })
    };
    if found { Ok(()) } else { Err(format!("{file} has no `{name}`")) }
}

/// The check is no formality: what is not there is named.
#[test]
fn a_test_that_is_not_there_is_named() {
    for (named, words) in [
        ("`roles/gates.rs` `no_such_test`", "has no `no_such_test`"),
        ("`compare_rules/roles.rs` `D2.4: no such row`", "has no `D2.4: no such row`"),
        ("`roles/nothing.rs` `a_test`", "roles/nothing.rs"),
        ("`roles/gates.rs` `refused`", "has no `refused`"),
        ("a_test", "is no file and name"),
    ] {
        let reason = is_there(named).expect_err(named);
        assert!(reason.contains(words), "{reason}");
    }
    assert_eq!(is_there("`roles/table.rs` `a_test_that_is_not_there_is_named`"), Ok(()));
}
