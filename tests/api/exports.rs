//! Exports hold what the list holds, for those who may see it, and are whole or visibly broken off.

use crate::world::{Answer, Call, Holding, World};
use plumbline_governance::access::MemberRole;
use plumbline_governance::ids::TenantId;
use plumbline_testkit::faults::{Fault, Port};
use plumbline_tests::policies::{feature, policies};
use plumbline_tests::stage::{complete, must};
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

const FORMS: [&str; 3] = ["csv", "sarif", "json"];
/// Requests that two workspaces send in between each other.
const INTERLEAVED: usize = 20_000;

fn export(world: &World, subject: &str, of: &Holding, form: &str, filter: &str) -> Answer {
    let path = format!("/v1/workspaces/{}/exports/findings?format={form}{filter}", of.workspace);
    world.send_as(subject, Call::get(path))
}

/// The findings that an export names.
fn ids(form: &str, answer: &Answer) -> BTreeSet<String> {
    assert_eq!(answer.status, 200, "{form}: {}", answer.text());
    let text = answer.text();
    let of = |value: &Value| value.as_str().unwrap().to_owned();
    match form {
        "csv" => text.split("fnd_").skip(1).map(|rest| format!("fnd_{}", &rest[..32])).collect(),
        "sarif" => {
            let log: Value = serde_json::from_str(&text).unwrap();
            let results = log["runs"][0]["results"].as_array().unwrap().clone();
            results.iter().map(|one| of(&one["properties"]["finding"])).collect()
        }
        _ => text
            .lines()
            .map(|line| of(&serde_json::from_str::<Value>(line).unwrap()["id"]))
            .collect(),
    }
}

/// The findings of the list, page by page.
fn listed(world: &World, subject: &str, of: &Holding, filter: &str) -> BTreeSet<String> {
    let (mut out, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let path = format!("/v1/workspaces/{}/findings?limit=2{filter}{cursor}", of.workspace);
        let page = world.send_as(subject, Call::get(path)).json();
        let items = page["items"].as_array().unwrap();
        out.extend(items.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { return out };
        cursor = format!("&cursor={next}");
    }
}

/// Compares a tenant that has `names` and lacks what the golden master has.
fn drifted(world: &World, of: &Holding, tenant: TenantId, names: &[&str]) {
    world.clock.advance_seconds(60);
    let actor = plumbline_operations::Actor::new("olga");
    // Each with a content of its own, so that none is taken for a renamed one of the golden master.
    let found = policies(
        names.iter().zip(3..).map(|(name, id)| feature(name, id, &format!("version {id}"))),
    );
    world.runtime.block_on(async {
        let mut documents = found
            .iter()
            .map(|(name, value)| Ok((format!("{name}.json"), value.to_string().into_bytes())));
        let system = world.system();
        must(system.import(of.workspace, &actor, tenant, &complete(), &mut documents).await);
        must(system.start_compare(of.workspace, &actor, tenant).await);
        world.drain().await;
    });
}

fn told() -> (World, Holding) {
    let world = World::new();
    let north = world.holding("olga");
    let names = ["=cmd()", "+1", "-1", "@sum", "a \"quoted\", name", "plain"];
    drifted(&world, &north, north.first, &names);
    (world, north)
}

#[test]
fn every_form_holds_what_the_list_holds() {
    let (world, north) = told();
    let filters = [
        String::new(),
        "&status=new".to_owned(),
        "&status=resolved,accepted".to_owned(),
        "&severity=high".to_owned(),
        "&severity=low,medium".to_owned(),
        "&change_type=missing_policy".to_owned(),
        format!("&tenant={}", north.first),
        format!("&tenant={}", north.golden),
        format!("&profile={}", north.profile),
        "&first_seen_until=2020-01-01T00:00:00Z".to_owned(),
    ];
    let sizes: BTreeSet<usize> = filters
        .iter()
        .map(|filter| {
            let list = listed(&world, "olga", &north, filter);
            for form in FORMS {
                let answer = export(&world, "olga", &north, form, filter);
                assert_eq!(ids(form, &answer), list, "{form} {filter}");
            }
            list.len()
        })
        .collect();
    assert!(sizes.contains(&0) && sizes.len() > 2, "the filters hold nothing back: {sizes:?}");
}

#[test]
fn a_filter_or_a_form_that_is_none() {
    let (world, north) = told();
    for query in ["pdf", "csv&format=json", "csv&status=open", "csv&limit=3", "csv&tenant=x"] {
        let answer = export(&world, "olga", &north, query, "");
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad_request"), "{query}");
    }
}

/// The schema that the crate of the SARIF types was generated from, out of that crate's sources.
fn sarif_schema() -> Value {
    let answer = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", "host-tuple"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&answer.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").unwrap();
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    let text = std::fs::read_to_string(manifest.with_file_name("src/schema.json")).unwrap();
    // Its pattern of a language has a bracket too many, which is no regular expression of ECMA 262.
    serde_json::from_str(&text.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$")).unwrap()
}

#[test]
fn sarif_keeps_its_schema() {
    let validator = jsonschema::validator_for(&sarif_schema()).unwrap();
    let (world, north) = told();
    let decide = serde_json::json!({ "action": "accept", "reason": "It may be so." });
    let at = format!(
        "/v1/workspaces/{}/tenants/{}/findings/{}/actions",
        north.workspace, north.second, north.findings[1]
    );
    assert_eq!(world.send_as("olga", Call::post(at, decide)).status, 200);
    for filter in ["", "&status=accepted", "&first_seen_until=2020-01-01T00:00:00Z"] {
        let log = export(&world, "olga", &north, "sarif", filter).json();
        let errors: Vec<String> =
            validator.iter_errors(&log).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{filter}");
    }
}

#[test]
fn a_spreadsheet_runs_no_cell() {
    let (world, north) = told();
    let text = export(&world, "olga", &north, "csv", "").text();
    let text = text.strip_prefix('\u{feff}').unwrap();
    for name in ["=cmd()", "+1", "-1", "@sum"] {
        assert!(text.contains(&format!(",'{name},")), "{name}: {text}");
    }
    assert!(text.contains("\"a \"\"quoted\"\", name\""), "{text}");
    for cell in text.lines().flat_map(|line| line.split(',')) {
        let cell = cell.trim_start_matches('"');
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
}

#[test]
fn a_limited_member_gets_their_tenants_alone() {
    let (world, north) = told();
    world.limited(north.workspace, "lena", MemberRole::Viewer, &[north.second]);
    let of_second = listed(&world, "olga", &north, &format!("&tenant={}", north.second));
    assert!(!of_second.is_empty());
    for form in FORMS {
        let answer = export(&world, "lena", &north, form, "");
        assert_eq!(ids(form, &answer), of_second, "{form}");
        assert!(!answer.text().contains(&north.first.to_string()), "{form}");
        let asked = format!("&tenant={}", north.first);
        assert_eq!(export(&world, "lena", &north, form, &asked).status, 404);
    }
}

/// A store that stops answering between two pages breaks the answer off: it is no whole document, and the
/// connection tells it too.
#[test]
fn an_export_that_breaks_off_is_not_whole() {
    use futures::StreamExt as _;
    use tower::ServiceExt as _;
    let (world, north) = told();
    let names: Vec<String> = (0..620).map(|nth| format!("policy {nth}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    drifted(&world, &north, north.first, &names);
    let token = world.token("olga");
    for form in FORMS {
        let whole = export(&world, "olga", &north, form, "");
        assert!(ids(form, &whole).len() > 600, "{form}");
        let path = format!("/v1/workspaces/{}/exports/findings?format={form}", north.workspace);
        let request = axum::http::Request::get(path)
            .header("authorization", format!("Bearer {token}"))
            .body(axum::body::Body::empty())
            .unwrap();
        let (read, broke) = world.runtime.block_on(async {
            let answer = world.api.router().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), 200);
            // The first page is out; the next one meets a store that does not answer.
            world.stage.plan.next(|call| call.port == Port::Records, Fault::Fail);
            let (mut read, mut broke) = (Vec::new(), false);
            let mut parts = answer.into_body().into_data_stream();
            while let Some(part) = parts.next().await {
                match part {
                    Ok(bytes) => read.extend_from_slice(&bytes),
                    Err(_) => broke = true,
                }
            }
            (read, broke)
        });
        world.stage.plan.reset();
        assert!(broke, "{form}: nothing tells that it broke off");
        assert!(!read.is_empty() && read.len() < whole.bytes.len(), "{form}");
        if form == "sarif" {
            assert!(serde_json::from_slice::<Value>(&read).is_err(), "it can be taken for whole");
        }
    }
}

/// One process serves two workspaces, many requests at a time: no answer holds anything of the other.
#[test]
fn interleaved_workspaces_do_not_mix() {
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;
    let world = World::new();
    let holdings = [world.holding("olga"), world.holding("sven")];
    let tokens = [world.token("olga"), world.token("sven")];
    let paths = holdings.each_ref().map(|one| {
        let (ws, first) = (one.workspace, one.first);
        [
            String::new(),
            "/tenants".to_owned(),
            "/findings?limit=1".to_owned(),
            "/exports/findings?format=json".to_owned(),
            "/posture".to_owned(),
            "/runs".to_owned(),
            "/profiles".to_owned(),
            "/members".to_owned(),
            format!("/tenants/{first}/inventory/items"),
            format!("/tenants/{first}/findings/{}/evidence", one.findings[0]),
        ]
        .map(|path| format!("/v1/workspaces/{ws}{path}"))
    });
    let foreign = |one: &Holding, owner: &str| {
        vec![
            one.workspace.to_string(),
            one.first.to_string(),
            one.second.to_string(),
            one.golden.to_string(),
            one.profile.to_string(),
            one.snapshot.to_string(),
            one.run.to_string(),
            one.findings[0].to_string(),
            one.viewer.clone(),
            format!("{owner} "),
        ]
    };
    let others = [foreign(&holdings[1], "sven"), foreign(&holdings[0], "olga")];
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(20_261);
    let router = world.api.router();
    let mut left = INTERLEAVED;
    while left > 0 {
        let many = random.random_range(2..=64).min(left);
        left -= many;
        let requests = (0..many).map(|_| {
            let side = random.random_range(0..2_usize);
            // Now and then somebody asks for what is the other's.
            let at = if random.random_ratio(1, 8) { 1 - side } else { side };
            let path = paths[at][random.random_range(0..paths[at].len())].clone();
            let request = axum::http::Request::get(&path)
                .header("authorization", format!("Bearer {}", tokens[side]))
                .body(axum::body::Body::empty())
                .unwrap();
            let answer = router.clone().oneshot(request);
            world.runtime.spawn(async move {
                let answer = answer.await.unwrap();
                let status = answer.status().as_u16();
                let body = answer.into_body().collect().await.unwrap().to_bytes();
                (side, at, path, status, String::from_utf8_lossy(&body).into_owned())
            })
        });
        let requests: Vec<_> = requests.collect();
        for answer in world.runtime.block_on(futures::future::join_all(requests)) {
            let (side, at, path, status, body) = answer.unwrap();
            assert_eq!(status, if side == at { 200 } else { 404 }, "{path}: {body}");
            for word in &others[side] {
                assert!(!body.contains(word), "{path} holds {word}");
            }
        }
    }
}
