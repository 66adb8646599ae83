//! What names may do to a screen, a page, a sheet and a log: nothing.

use super::{World, feature, run};

/// Names of the bad-input list.
const NAMES: [&str; 16] = [
    "🔒 Lock 👩‍💻",
    "Win\u{202e}gpj.exe",
    "Lap\u{200b}s",
    "Line\nbreak",
    "Tab\tstop",
    "Bell\u{7}\u{1b}[2J",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1-1",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "../../etc/passwd",
    "C:\\Windows\\x",
    "CON",
    "trailing.",
];

/// One drifted policy of each name, one that is gone, one that is extra and one without a verdict.
fn world() -> World {
    let world = World::new();
    for (number, name) in (1..).zip(NAMES) {
        world
            .policy(&format!("b/{number}.json"), &feature(name, number, name))
            .policy(&format!("c/{number}.json"), &feature(name, number, &format!("{name}!")));
        let gone = format!("{name} gone");
        world.policy(&format!("b/{number}-gone.json"), &feature(&gone, number + 100, "1"));
    }
    let long = "n".repeat(300);
    world
        .policy("b/long.json", &feature(&long, 300, "1"))
        .policy("c/long.json", &feature(&long, 300, "2"))
        .write("c/windowsQualityUpdateProfile/<script>.json", "{")
        .write("c/deviceManagementScript/=1+1.json", "{");
    world
}

/// Characters that show nothing or move others.
fn tricks(char: char) -> bool {
    (char.is_control() && char != '\n') || matches!(char, '\u{202e}' | '\u{200b}' | '\u{feff}')
}

#[test]
fn json_keeps_names_as_they_are() {
    let report = world().compare("--format json").json();
    let drift = report["drift"].as_array().expect("a list");
    for name in NAMES {
        let found = drift.iter().find(|one| one["display_name"] == name);
        let found = found.unwrap_or_else(|| panic!("{name:?}"));
        assert_eq!(found["changes"][0]["before"], name);
    }
}

#[test]
fn text_shows_what_would_play_tricks() {
    let text = world().compare("").out;
    assert_eq!(text.find(tricks), None, "{text:?}");
    for shown in [
        "Win\\u{202e}gpj.exe",
        "Lap\\u{200b}s",
        "Line\\nbreak",
        "Tab\\tstop",
        "Bell\\u{7}\\u{1b}[2J",
    ] {
        assert!(text.contains(shown), "{shown}");
    }
}

#[test]
fn html_escapes_names() {
    let page = world().compare("--format html").out;
    assert_eq!(page.find(tricks), None);
    let lower = page.to_lowercase();
    for tag in ["<script", "<img", "onerror=alert(1)>"] {
        assert!(!lower.contains(tag), "{tag}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn csv_runs_no_formula() {
    let text = world().compare("--format csv").out;
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut cells = 0;
    for row in reader.records() {
        for cell in &row.expect("a row") {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
            cells += usize::from(cell.starts_with("'="));
        }
    }
    assert!(cells > 0, "the names that look like formulas are there");
}

#[test]
fn sarif_takes_every_name() {
    let log = world().compare("--format sarif").json();
    assert_eq!(log["runs"][0]["results"].as_array().map(Vec::len), Some(2 * NAMES.len() + 1));
    for result in log["runs"][0]["results"].as_array().expect("results") {
        let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        let uri = uri.as_str().expect("a place");
        assert!(!uri.starts_with('/') && !uri.contains(".."), "{uri}");
    }
}

#[test]
fn inspect_shows_what_would_play_tricks() {
    let world = world();
    for arguments in
        ["inspect b", "inspect c", "inspect b/2.json", "inspect b/6.json", "diff b/6.json c/6.json"]
    {
        let done = run(world.path(), arguments);
        assert_eq!(done.out.find(tricks), None, "{arguments}: {:?}", done.out);
        assert!(!done.out.is_empty());
    }
}

/// An error message names policies too, and a terminal would obey what stands in them.
#[test]
fn errors_show_what_would_play_tricks() {
    let world = World::new();
    let filter = serde_json::json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/assignmentFilters/$entity",
        "id": "f", "displayName": "Clear\u{1b}[2J", "platform": "windows10AndLater", "rule": "(1 -eq 1)",
    });
    world.policy("one.json", &feature("One", 1, "1")).policy("filter.json", &filter);
    let done = world.run("diff one.json filter.json");
    assert_eq!(done.code, Some(1));
    assert!(done.err.contains("Clear"), "{}", done.err);
    assert_eq!(done.err.find(tricks), None, "{:?}", done.err);
}
