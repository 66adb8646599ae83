//! Names: 8 kinds. What a page or a table makes of them is tested with the command itself
//! (`functions/local/tests`); here a name is told from its neighbour and given back as it was sent.

use super::build::{feature, page, quality, side};
use super::{assert_equal, compare_documents, compare_sides, drift};
use plumbline_governance::compare::CompareOptions;
use plumbline_governance::gap::GapKind;
use plumbline_governance::matching::MatchMode;
use plumbline_governance::report::{MatchedBy, Trust};
use serde_json::Value;

const FEATURES: &str = "deviceManagement/windowsFeatureUpdateProfiles";

/// A policy of this name equals itself, its change is found under the name as sent, and a name that is
/// like it but for one character is another policy.
#[track_caller]
fn assert_name(name: &str, other: &str) {
    let policy = |name: &str, number, version| feature(name, number, version);
    assert_equal(&compare_documents(&policy(name, 1, "24H2"), &policy(name, 2, "24H2")));
    let report = compare_documents(&policy(name, 1, "24H2"), &policy(name, 2, "23H2"));
    let [found] = report.drift.as_slice() else { panic!("{:?}", drift(&report)) };
    assert_eq!(found.display_name, name);
    assert_eq!(found.matched_by, Some(MatchedBy::Key));
    let options = CompareOptions { mode: MatchMode::Name, ..CompareOptions::default() };
    let one = |value: Value| side(&[("one.json", value)]);
    let apart = plumbline_tests::compare_files(
        &one(policy(name, 1, "24H2")),
        &one(policy(other, 1, "24H2")),
        &options,
    );
    assert_eq!(
        (apart.summary.missing_policy, apart.summary.unexpected_policy),
        (1, 1),
        "{name:?} and {other:?} are one"
    );
}

#[test]
fn names_of_256_characters_and_more() {
    let long = "n".repeat(256);
    assert_name(&long, &format!("{long}n"));
    let longer = "n".repeat(100_000);
    assert_name(&longer, &longer[1..]);
}

#[test]
fn names_emoji() {
    assert_name("🔒 Lock", "🔓 Lock");
    assert_name("👩‍💻 Dev", "👨‍💻 Dev");
}

#[test]
fn names_rtl_override_and_zero_width() {
    assert_name("Win\u{202E}gpj.exe", "Wingpj.exe");
    assert_name("Lap\u{200B}s", "Laps");
    assert_name("Laps\u{FEFF}", "Laps");
}

/// Two policies of one name: told apart by id where they can be, otherwise a gap that says what to do.
#[test]
fn names_same_name_twice() {
    let pages = |items: &[Value]| side(&[("page.json", page(FEATURES, items))]);
    let golden = pages(&[feature("Twin", 1, "24H2"), feature("Twin", 2, "23H2")]);
    let by_id =
        compare_sides(&golden, &pages(&[feature("Twin", 2, "23H2"), feature("Twin", 1, "22H2")]));
    assert_eq!(drift(&by_id), ["different_version windowsFeatureUpdateProfile Twin"]);
    assert_eq!((by_id.summary.unchanged, by_id.trust), (1, Trust::Full));

    let strangers =
        compare_sides(&golden, &pages(&[feature("Twin", 3, "22H2"), feature("Twin", 4, "21H2")]));
    assert_eq!(drift(&strangers), Vec::<String>::new());
    let gaps: Vec<_> = strangers.gaps.iter().map(|gap| (gap.kind, &*gap.detail)).collect();
    let detail = "`Twin` shares its key with others (2 on the baseline side, 2 on the current side), and \
                  nothing tells them apart; rename one of them";
    // Both of a side stand in one file, so a line each side.
    assert_eq!(gaps, [(GapKind::AmbiguousMatch, detail); 2]);
    assert_eq!(strangers.suppressed.len(), 4);
    assert!(strangers.suppressed.iter().all(|one| one.reason == detail));
}

/// White space inside a name is one space; a name is not split at it.
#[test]
fn names_newline_and_tab() {
    assert_name("Line\nbreak", "Linebreak");
    assert_name("Tab\tstop", "Tabstop");
    let (a, b) = (feature("Line\nbreak", 1, "24H2"), feature("Line break", 2, "24H2"));
    let report = compare_documents(&a, &b);
    assert_eq!(report.drift.len(), 1, "the name itself differs");
    assert_eq!(report.drift[0].diff_kind.as_str(), "metadata_only");
}

#[test]
fn names_leading_formula_character() {
    for sign in ["=", "+", "-", "@"] {
        assert_name(&format!("{sign}cmd|' /C calc'!A0"), "cmd|' /C calc'!A0");
    }
}

#[test]
fn names_script_tag() {
    assert_name("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;");
}

/// A name that looks like a path names no file; a path that climbs is a file name like any other.
#[test]
fn names_path_like() {
    assert_name("../../etc/passwd", "etc/passwd");
    assert_name("C:\\Windows\\x", "C:/Windows/x");
    let policy = || quality("../../x", 1, 1);
    let golden = side(&[("windowsQualityUpdateProfile/..%2f..%2fx.json", policy())]);
    assert_equal(&compare_sides(&golden, &side(&[("x.json", policy())])));
}

#[test]
fn names_reserved_by_a_file_system() {
    assert_name("CON", "CON.");
    assert_name("NUL", "NUL ext");
    assert_name("trailing.", "trailing");
}
