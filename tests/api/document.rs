//! What the API says of itself: the document as it was agreed on, and the page made from it.

use crate::world::{Call, World};
use plumbline_api::{Access, table};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

fn document() -> Value {
    World::new().send(Call::get("/openapi.json")).json()
}

/// The document is kept beside the code: whoever changes the API sees what callers will see. With
/// `PLUMBLINE_WRITE_DOCUMENT=1` the file is written anew.
#[test]
fn the_document_is_the_one_that_was_agreed_on() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("api/openapi.json");
    let now = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if std::env::var_os("PLUMBLINE_WRITE_DOCUMENT").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == now,
        "the API changed; look at the change, then run this test with PLUMBLINE_WRITE_DOCUMENT=1"
    );
}

/// Rules of the house for the document.
#[test]
fn the_document_lints_clean() {
    let document = document();
    let mut wrong = Vec::new();
    let mut routes = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let at = format!("{} {path}", method.to_uppercase());
            routes.insert(at.clone());
            let text = |member: &str| operation[member].as_str().unwrap_or_default().to_owned();
            if text("summary").is_empty() || text("operationId").is_empty() {
                wrong.push(format!("{at}: no summary or name"));
            }
            if text("summary").ends_with('.') {
                wrong.push(format!("{at}: a summary is no sentence"));
            }
            let named: BTreeSet<&str> = operation["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|one| one["in"] == "path")
                .filter_map(|one| one["name"].as_str())
                .collect();
            let held: BTreeSet<&str> = path
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
                .collect();
            if named != held {
                wrong.push(format!("{at}: names {named:?}, holds {held:?}"));
            }
            for parameter in operation["parameters"].as_array().unwrap() {
                if parameter["description"].as_str().is_none_or(str::is_empty) {
                    wrong.push(format!("{at}: {} has no description", parameter["name"]));
                }
            }
            let statuses = operation["responses"].as_object().unwrap();
            if !statuses.keys().any(|status| status.starts_with('2')) {
                wrong.push(format!("{at}: nothing says how success looks"));
            }
            let secured = operation["security"] != serde_json::json!([]);
            if secured != statuses.contains_key("401") {
                wrong.push(format!("{at}: 401 and security disagree"));
            }
        }
    }
    for (name, shape) in document["components"]["schemas"].as_object().unwrap() {
        if shape["description"].as_str().is_none_or(str::is_empty) {
            wrong.push(format!("the shape {name} has no description"));
        }
        for (member, of) in shape["properties"].as_object().into_iter().flatten() {
            let has_own = of["description"].as_str().is_some_and(|text| !text.is_empty());
            if !has_own && of.get("const").is_none() {
                wrong.push(format!("{name}.{member} has no description"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let table: BTreeSet<String> =
        table::table().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(routes, table);
}

#[test]
fn only_the_service_itself_is_public() {
    let public: Vec<&str> = table::table()
        .iter()
        .filter(|route| route.access == Access::Public)
        .map(|route| route.path)
        .collect();
    assert_eq!(public, ["/health", "/openapi.json", "/reference"]);
}

#[test]
fn the_reference_is_one_page_that_runs_nothing() {
    let world = World::new();
    let page = world.send(Call::get("/reference"));
    assert_eq!(
        page.header("content-security-policy"),
        Some("default-src 'none'; style-src 'unsafe-inline'")
    );
    let text = page.text();
    assert!(!text.contains("<script") && !text.contains("http://") && !text.contains("src="));
    for route in table::table() {
        assert!(text.contains(route.path), "{}", route.path);
    }
    for part in text.split("href=\"#").skip(1) {
        let id = part.split('"').next().unwrap();
        assert!(text.contains(&format!("id=\"{id}\"")), "#{id} leads nowhere");
    }
}
