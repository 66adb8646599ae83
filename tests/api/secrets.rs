//! Planted secrets, over HTTP: policies that hold one of every kind are imported and compared, and callers
//! write secrets where none belong. Nothing that is answered, stored or logged may hold one.

use crate::samples::{Ids, sample};
use crate::world::{Call, Holding, World};
use plumbline_api::table;
use plumbline_operations::record_as_json;
use plumbline_testkit::secrets::kinds;
use plumbline_tests::stage::must;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};

/// Everything that this process logged.
static LOGS: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static LISTENING: Once = Once::new();

struct Logs;

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGS.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Keeps every event of every crate and thread, the finest too.
fn listen() {
    LISTENING.call_once(|| {
        tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_writer(|| Logs)
            .init();
    });
}

fn logged() -> Vec<u8> {
    LOGS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// What a caller writes where no secret belongs. Each place has its own, so that a find tells the place.
fn misplaced(place: &str) -> String {
    format!("Invented-misplaced-{place}-secret")
}

/// The spellings of a secret that are looked for, in lower case.
fn spellings(secret: &str) -> Vec<String> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let escaped = serde_json::to_string(secret).unwrap();
    let mut out = vec![secret.to_owned(), escaped[1..escaped.len() - 1].to_owned()];
    // Within a longer text the secret may begin at any of three places of a group; the letters at both
    // ends depend on what stands around it.
    for offset in 0..3 {
        let bytes = [&b"xx"[..offset], secret.as_bytes()].concat();
        for text in [STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            out.push(text[offset * 2..text.len() - 4].to_owned());
        }
    }
    out.iter().map(|text| text.to_lowercase()).collect()
}

/// Everything there is to look through, by what it is.
struct Haystack(Vec<(String, String)>);

impl Haystack {
    fn add(&mut self, what: impl Into<String>, bytes: &[u8]) {
        self.0.push((what.into(), String::from_utf8_lossy(bytes).to_lowercase()));
    }

    /// Where a secret is found.
    fn find(&self, secret: &str) -> Vec<String> {
        let spellings = spellings(secret);
        let holds = |text: &String| spellings.iter().any(|spelling| text.contains(spelling));
        self.0.iter().filter(|(_, text)| holds(text)).map(|(what, _)| what.clone()).collect()
    }

    fn answer(&mut self, world: &World, call: Call) -> Value {
        let what = format!("{} {}", call.method, call.path);
        let answer = world.send(call);
        self.add(format!("the headers of {what}"), format!("{:?}", answer.headers).as_bytes());
        self.add(format!("the answer of {what}"), &answer.bytes);
        answer.json()
    }

    /// Rows as they are written, rows as they are read, and objects with their frames unpacked.
    fn stored(&mut self, world: &World) {
        let stores = world.stage.memory();
        for row in stores.records.dump() {
            self.add(format!("the row {}", row.key), format!("{:?}", row.key).as_bytes());
            self.add(format!("the row {}", row.key), &row.body);
            if let Ok(plain) = record_as_json(&row.body) {
                self.add(format!("the row {}", row.key), &plain);
            }
        }
        for key in stores.objects.keys() {
            let bytes = must(world.runtime.block_on(world.stage.raw.objects.get(&key))).unwrap();
            self.add(format!("the object {key:?}"), &bytes);
            let mut rest = bytes.as_slice();
            while let Ok(size) = zstd::zstd_safe::find_frame_compressed_size(rest) {
                if size == 0 || size > rest.len() {
                    break;
                }
                if let Ok(plain) = zstd::stream::decode_all(&rest[..size]) {
                    self.add(format!("the object {key:?}, unpacked"), &plain);
                }
                rest = &rest[size..];
            }
        }
    }
}

/// An archive with a policy of every kind; each its own id and name.
fn archive(variant: u8) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (nth, kind) in kinds().iter().enumerate() {
        let mut policy = kind.plant(&kind.secret(variant));
        policy["id"] = json!(format!("6b1f0a52-8f5e-4c4b-9a59-3f1f3c1f1{nth:03}"));
        let name = if policy.get("name").is_some() { "name" } else { "displayName" };
        policy[name] = json!(format!("Planted: {}", kind.name));
        let bytes = policy.to_string().into_bytes();
        let folder = kind.file.split('/').next().unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, format!("{folder}/{nth}.json"), &*bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

/// Imports the planted policies, freezes them, and finds the drift of the changed ones.
fn planted(world: &World, north: &Holding, hay: &mut Haystack) {
    let at = format!("/v1/workspaces/{}", north.workspace);
    let token = world.token("olga");
    let mut send = |call: Call| hay.answer(world, call.token(&token));
    let (golden, first) = (north.golden, north.first);
    for (tenant, variant) in [(golden, 0), (first, 1)] {
        let path = format!("{at}/tenants/{tenant}/inventory?coverage=complete");
        let answer = send(Call::new("POST", path).raw("application/x-tar", archive(variant)));
        assert_eq!(answer["run"]["outcome"], "succeeded", "{answer}");
    }
    let profile = send(Call::post(
        format!("{at}/profiles"),
        json!({ "name": "Everything", "facets": ["content", "label", "assignments"] }),
    ));
    let profile = profile["id"].as_str().unwrap().to_owned();
    let of = format!("{at}/profiles/{profile}");
    send(Call::post(format!("{of}/capture"), json!({ "tenant": golden })));
    world.runtime.block_on(world.drain());
    assert_eq!(send(Call::new("POST", format!("{of}/activate")))["status"], "active");
    let assign = Call::new("PUT", format!("{at}/tenants/{first}/assignment"));
    send(assign.json(json!({ "profile": profile })));
    send(Call::new("POST", format!("{at}/tenants/{first}/compare")));
    world.runtime.block_on(world.drain());
    must(world.runtime.block_on(world.system().refresh_overview(north.workspace)));
    let findings = send(Call::get(format!("{at}/findings?limit=200&profile={profile}")));
    let findings = findings["items"].as_array().unwrap();
    let compared = kinds().iter().filter(|kind| kind.compared).count();
    assert!(findings.len() >= compared, "{} findings of {compared}", findings.len());
    for finding in findings {
        let id = finding["id"].as_str().unwrap();
        send(Call::get(format!("{at}/tenants/{first}/findings/{id}/evidence")));
    }
    let mut lists: Vec<String> =
        [golden, first].map(|one| format!("{at}/tenants/{one}/inventory/items")).into();
    let snapshots = send(Call::get(format!("{of}/snapshots")));
    let snapshot = snapshots["items"][0]["id"].as_str().unwrap();
    lists.push(format!("{of}/snapshots/{snapshot}/items"));
    for list in lists {
        let items = send(Call::get(format!("{list}?limit=200")));
        let items = items["items"].as_array().unwrap();
        assert!(items.len() >= compared, "{list}: {}", items.len());
        for item in items {
            let item = item["item_id"].as_str().unwrap();
            let payload = send(Call::get(format!("{list}/{item}/payload")));
            assert!(payload.is_object(), "{payload}");
        }
    }
    for form in ["csv", "sarif", "json"] {
        send(Call::get(format!("{at}/exports/findings?format={form}")));
    }
}

/// Writes secrets where none belong; answers them.
#[expect(clippy::too_many_lines, reason = "one line a place")]
fn misplace(world: &World, north: &Holding, hay: &mut Haystack) -> Vec<String> {
    let token = world.token("olga");
    let at = format!("/v1/workspaces/{}", north.workspace);
    let places = [
        "key",
        "bad-key",
        "token",
        "signed",
        "scheme",
        "query",
        "value",
        "kind",
        "number",
        "deep",
        "broken",
        "documents",
        "media",
        "tag",
    ];
    let [
        key,
        bad_key,
        bad_token,
        signed,
        scheme,
        query,
        value,
        kind,
        number,
        deep,
        broken,
        documents,
        media,
        tag,
    ] = places.map(misplaced);
    let tenants = format!("{at}/tenants");
    let mine = |call: Call| call.token(&token);
    let named = |name: &str| Call::post(&tenants, json!({ "name": name }));
    let mut calls = vec![
        mine(named("One").header("idempotency-key", &key)),
        mine(named("One").header("idempotency-key", &key)),
        mine(named("Two").header("idempotency-key", &key)),
        mine(named("Three").header("idempotency-key", &format!("{bad_key} with spaces"))),
        named("Four").token(&bad_token),
        named("Five").token(&world.sign(&json!({ "iss": "local", "sub": signed }))),
        named("Six").header("authorization", &format!("Basic {scheme}")),
        mine(Call::post(&tenants, json!({ "name": { "value": value } }))),
        mine(Call::post(&tenants, json!({ "name": "Seven", "facts": value }))),
        mine(Call::post(
            format!("{at}/members"),
            json!({ "issuer": "local", "subject": "x", "role": kind }),
        )),
        mine(Call::post(
            format!("{at}/findings/actions"),
            json!({ "findings": number, "decision": { "action": kind } }),
        )),
        mine(Call::post(
            format!("{at}/members"),
            json!({ "issuer": "local", "subject": "x", "role": "viewer", "until": value }),
        )),
        mine(Call::post(
            format!("{at}/members"),
            json!({ "issuer": "local", "subject": "x", "role": "viewer", "tenants": [value] }),
        )),
        mine(Call::new("PATCH", &at).json(json!({ "schedule": { "time": value, "zone": deep } }))),
        mine(Call::new("PATCH", &at).json(json!({ "inventory_max_age_hours": number }))),
        mine(
            Call::new("POST", &tenants).raw("application/json", format!("{{\"name\": \"{broken}")),
        ),
        mine(Call::new("POST", &tenants).raw(&format!("text/{media}"), "{}")),
        mine(
            Call::new("PATCH", format!("{tenants}/{}", north.first))
                .json(json!({ "name": "x" }))
                .header("if-match", &tag),
        ),
        mine(
            Call::new("POST", format!("{tenants}/{}/inventory", north.second))
                .raw("application/x-ndjson", format!("{{\"password\": \"{documents}")),
        ),
        mine(
            Call::new("POST", format!("{tenants}/{}/inventory", north.second))
                .raw("application/x-ndjson", format!("\"{documents}\"\n")),
        ),
    ];
    for list in
        ["tenants", "findings", "runs", "audit", "profiles", "exports/findings", "posture/trend"]
    {
        for name in [
            "limit",
            "cursor",
            "status",
            "tenant",
            "profile",
            "since",
            "until",
            "format",
            "type",
            "severity",
            "changed_since",
            "wait",
        ] {
            calls.push(mine(Call::get(format!("{at}/{list}?{name}={query}"))));
        }
    }
    for call in calls {
        hay.answer(world, call);
    }
    vec![
        key, bad_key, bad_token, signed, scheme, query, value, kind, number, deep, broken,
        documents, media, tag,
    ]
}

#[test]
fn no_answer_no_store_and_no_log_holds_a_planted_secret() {
    listen();
    let world = World::new();
    let north = world.holding("olga");
    let mut hay = Haystack(Vec::new());
    planted(&world, &north, &mut hay);
    let mut secrets: Vec<String> =
        kinds().iter().flat_map(|kind| [kind.secret(0), kind.secret(1)]).collect();
    assert!(secrets.len() >= 60);
    secrets.extend(misplace(&world, &north, &mut hay));
    // Every route once more, reads before what takes things away.
    let mut routes = table::table();
    routes.sort_by_key(|route| {
        (route.method != axum::http::Method::GET, route.method == axum::http::Method::DELETE)
    });
    for route in routes {
        let call = sample(route.method.as_str(), route.path, &Ids::of(&north));
        hay.answer(&world, call.token(&world.token("olga")));
    }
    hay.stored(&world);
    let logs = logged();
    assert!(!logs.is_empty(), "nothing was logged");
    hay.add("the logs", &logs);
    let found: Vec<String> = secrets
        .iter()
        .flat_map(|secret| {
            hay.find(secret).into_iter().map(move |what| format!("{what}: {secret}"))
        })
        .collect();
    assert!(found.is_empty(), "{} finds:\n{}", found.len(), found.join("\n"));
}

/// The control: the same search finds what an answer, a row, an object and a log may hold.
#[test]
fn the_search_finds_what_is_there() {
    listen();
    let world = World::new();
    let north = world.holding("olga");
    let told = "Invented-name-that-is-no-secret";
    let body = json!({ "name": told });
    let mut hay = Haystack(Vec::new());
    let at = format!("/v1/workspaces/{}", north.workspace);
    hay.answer(&world, Call::post(format!("{at}/tenants"), body).token(&world.token("olga")));
    let policy = plumbline_tests::policies::feature(told, 9, "22H2").to_string();
    let import = Call::new("POST", format!("{at}/tenants/{}/inventory", north.second));
    hay.answer(&world, import.raw("application/x-ndjson", policy).token(&world.token("olga")));
    hay.stored(&world);
    tracing::trace!("{told}");
    hay.add("the logs", &logged());
    let found = hay.find(told);
    for part in ["the answer", "the row", "the object", "the logs"] {
        assert!(found.iter().any(|what| what.starts_with(part)), "{part}: {found:?}");
    }
    assert_eq!(hay.find("Invented-name-that-nobody-wrote"), [""; 0]);
}
