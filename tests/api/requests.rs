//! Requests that are wrong in themselves, one kind after another (reliability 2.3, API group). Each gets
//! the right status, a problem that says what to do, and writes nothing.

use crate::world::{Answer, Call, Holding, World, generous};
use plumbline_api::Limits;
use serde_json::{Value, json};
use std::io::Write as _;

struct Asked {
    world: World,
    north: Holding,
    at: String,
}

impl Asked {
    fn new() -> Self {
        let world = World::new();
        let north = world.holding("olga");
        let at = format!("/v1/workspaces/{}", north.workspace);
        Self { world, north, at }
    }

    fn send(&self, call: Call) -> Answer {
        self.world.send_as("olga", call)
    }

    /// Sends what is to be refused, and sees that nothing came of it.
    fn refused(&self, call: Call, status: u16, word: &str) -> Value {
        let before = self.world.rows();
        let about = format!("{} {}", call.method, call.path.chars().take(200).collect::<String>());
        let answer = self.send(call);
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (status, word),
            "{about}: {}",
            answer.text()
        );
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{about}");
        let problem = answer.json();
        for member in ["title", "detail", "next_step"] {
            assert!(
                problem[member].as_str().is_some_and(|text| !text.is_empty()),
                "{about}: {problem}"
            );
        }
        assert_eq!(problem["status"], status, "{about}");
        assert_eq!(self.world.rows(), before, "{about} wrote something");
        problem
    }

    fn tenants(&self) -> String {
        format!("{}/tenants", self.at)
    }
}

#[test]
fn an_unknown_field() {
    let asked = Asked::new();
    let body = json!({ "name": "Fabrikam", "colour": "blue" });
    let problem = asked.refused(Call::post(asked.tenants(), body), 400, "bad_request");
    assert!(problem["detail"].as_str().unwrap().contains("colour"), "{problem}");
    let facts = json!({ "name": "Fabrikam", "facts": { "tenant": "x" } });
    asked.refused(Call::post(asked.tenants(), facts), 400, "bad_request");
    let action = json!({ "action": "acknowledge", "reason": "none is asked for" });
    let path = format!(
        "{}/tenants/{}/findings/{}/actions",
        asked.at, asked.north.first, asked.north.findings[0]
    );
    asked.refused(Call::post(path, action), 400, "bad_request");
    // A filter that is misspelt must not list everything.
    for list in
        ["tenants?state=active", "findings?severty=high", "runs?kind=x", "posture/trend?day=1"]
    {
        asked.refused(Call::get(format!("{}/{list}", asked.at)), 400, "bad_request");
    }
}

#[test]
fn a_wrong_type() {
    let asked = Asked::new();
    for body in [
        json!({ "name": 7 }),
        json!({ "name": null }),
        json!({}),
        json!([]),
        json!("Fabrikam"),
        json!(null),
        json!({ "name": "x", "facts": [] }),
        json!({ "name": "x", "facts": { "domains": "one.example" } }),
    ] {
        asked.refused(Call::post(asked.tenants(), body), 400, "bad_request");
    }
    let patch = |body| Call::new("PATCH", asked.at.clone()).json(body);
    for body in [
        json!({ "inventory_max_age_hours": "72" }),
        json!({ "inventory_max_age_hours": -1 }),
        json!({ "inventory_max_age_hours": 1.5 }),
        json!({ "inventory_max_age_hours": 4_294_967_296_u64 }),
    ] {
        asked.refused(patch(body), 400, "bad_request");
    }
    asked.refused(patch(json!({ "inventory_max_age_hours": 0 })), 422, "invalid");
}

#[test]
fn a_body_that_is_no_json() {
    let asked = Asked::new();
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(300 * 1024));
    let deep = format!("{{\"name\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for (body, status, word) in [
        (b"".to_vec(), 400, "bad_request"),
        (b"{".to_vec(), 400, "bad_request"),
        (b"{\"name\":\"a\"} trailing".to_vec(), 400, "bad_request"),
        (b"{\"name\":\"a\",\"name\":\"b\"}".to_vec(), 400, "bad_request"),
        (b"{\"name\":\"\xff\"}".to_vec(), 400, "bad_request"),
        (b"{\"name\":\"\\ud800\"}".to_vec(), 400, "bad_request"),
        (b"\xff\xfe{\0}\0".to_vec(), 400, "bad_request"),
        (deep.into_bytes(), 400, "bad_request"),
        (long.into_bytes(), 413, "too_large"),
    ] {
        asked.refused(
            Call::new("POST", asked.tenants()).raw("application/json", body),
            status,
            word,
        );
    }
}

#[test]
fn a_limit_that_is_none() {
    let asked = Asked::new();
    for limit in ["0", "-1", "1000000000", "201", "ten", "", "1.5", "%31%30"] {
        asked.refused(Call::get(format!("{}/tenants?limit={limit}", asked.at)), 400, "bad_request");
    }
    assert_eq!(asked.send(Call::get(format!("{}/tenants?limit=200", asked.at))).status, 200);
    for days in ["0", "401", "-5", "x"] {
        asked.refused(
            Call::get(format!("{}/posture/trend?days={days}", asked.at)),
            400,
            "bad_request",
        );
    }
    let run = format!("{}/tenants/{}/runs/{}", asked.at, asked.north.first, asked.north.run);
    asked.refused(Call::get(format!("{run}?wait=21")), 400, "bad_request");
}

#[test]
fn dates_that_are_none() {
    let asked = Asked::new();
    for date in ["0000-00-00", "9999-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "yesterday", "1", ""]
    {
        asked.refused(Call::get(format!("{}/audit?since={date}", asked.at)), 400, "bad_request");
        asked.refused(
            Call::get(format!("{}/findings?changed_since={date}", asked.at)),
            400,
            "bad_request",
        );
    }
    for date in [
        "0001-01-01T00:00:00Z",
        "9999-12-30T00:00:00Z",
        "2024-02-29T12:00:00Z",
        "2016-12-31T23:59:60Z",
    ] {
        let answer = asked.send(Call::get(format!("{}/audit?since={date}", asked.at)));
        assert_eq!(answer.status, 200, "{date}: {}", answer.text());
    }
    let path = format!(
        "{}/tenants/{}/findings/{}/actions",
        asked.at, asked.north.first, asked.north.findings[0]
    );
    let until = |until: &str| {
        Call::post(&path, json!({ "action": "accept", "reason": "r", "until": until }))
    };
    asked.refused(until("2025-02-29T00:00:00Z"), 400, "bad_request");
    // A date that is past accepts nothing.
    asked.refused(until("2001-01-01T00:00:00Z"), 409, "refused");
}

#[test]
fn a_time_zone_that_is_none() {
    let asked = Asked::new();
    for (time, zone) in [
        ("02:00", "Mars/Olympus"),
        ("02:00", ""),
        ("25:00", "UTC"),
        ("* * * * *", "UTC"),
        ("every second", "UTC"),
        ("02:00:01", "UTC"),
    ] {
        let body = json!({ "schedule": { "time": time, "zone": zone } });
        asked.refused(Call::new("PATCH", asked.at.clone()).json(body), 400, "bad_request");
    }
    let body = json!({ "schedule": { "time": "02:00", "zone": "Europe/Berlin" } });
    assert_eq!(asked.send(Call::new("PATCH", asked.at.clone()).json(body)).status, 200);
    let body = json!({ "schedule": null });
    let ended = asked.send(Call::new("PATCH", asked.at.clone()).json(body));
    assert_eq!(ended.json().get("schedule"), None, "{}", ended.text());
}

#[test]
fn a_content_type_that_is_wrong() {
    let asked = Asked::new();
    for media in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "json",
    ] {
        let call =
            Call::new("POST", asked.tenants()).raw(media, br#"{"name":"Fabrikam"}"#.to_vec());
        asked.refused(call, 415, "unsupported_media_type");
        let import = format!("{}/tenants/{}/inventory", asked.at, asked.north.first);
        asked.refused(
            Call::new("POST", import).raw(media, b"{}".to_vec()),
            415,
            "unsupported_media_type",
        );
    }
    let packed = Call::new("POST", format!("{}/tenants/{}/inventory", asked.at, asked.north.first))
        .raw("application/json", b"{}".to_vec())
        .header("content-encoding", "br");
    asked.refused(packed, 415, "unsupported_media_type");
    let named = Call::new("POST", asked.tenants())
        .raw("Application/JSON; charset=utf-8", br#"{"name":"Fabrikam"}"#.to_vec());
    assert_eq!(asked.send(named).status, 201);
}

#[test]
fn a_gzip_bomb() {
    let world = World::with(Limits { unpacked_bytes: 1024 * 1024, ..generous() });
    let north = world.holding("olga");
    let before = state(&world, &north);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        gzip.write_all(&vec![b' '; 1024 * 1024]).unwrap();
    }
    let bomb = gzip.finish().unwrap();
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let path = format!(
        "/v1/workspaces/{}/tenants/{}/inventory?coverage=complete",
        north.workspace, north.first
    );
    let answer = world.send_as(
        "olga",
        Call::new("POST", path)
            .raw("application/x-ndjson", bomb)
            .header("content-encoding", "gzip"),
    );
    assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"), "{}", answer.text());
    assert!(answer.text().contains("unpacks to more than"), "{}", answer.text());
    assert_eq!(state(&world, &north), before);
}

fn state(world: &World, north: &Holding) -> Value {
    let path = format!("/v1/workspaces/{}/tenants/{}/inventory", north.workspace, north.first);
    world.send_as("olga", Call::get(path)).json()
}

#[test]
fn an_inventory_that_breaks_off() {
    let asked = Asked::new();
    let before = state(&asked.world, &asked.north);
    let path = format!("{}/tenants/{}/inventory?coverage=complete", asked.at, asked.north.first);
    for body in ["{\"id\":", "[{},", "{} nonsense", "\u{feff}x"] {
        let call = Call::new("POST", &path).raw("application/x-ndjson", body);
        let answer = asked.send(call);
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, "invalid"),
            "{body}: {}",
            answer.text()
        );
        assert!(answer.text().contains("nothing was imported"), "{}", answer.text());
    }
    let tar = Call::new("POST", &path).raw("application/x-tar", vec![7; 2_000]);
    assert_eq!(asked.send(tar).problem(), "invalid");
    assert_eq!(state(&asked.world, &asked.north), before);
}

#[test]
fn a_method_or_a_path_that_is_not_there() {
    let asked = Asked::new();
    let answer = asked.send(Call::new("PUT", asked.tenants()).json(json!({})));
    assert_eq!((answer.status, answer.problem().as_str()), (405, "method_not_allowed"));
    assert_eq!(answer.header("allow"), Some("GET, POST"));
    for path in [
        "/",
        "/v1",
        "/v1/workspace",
        "/v2/workspaces",
        "/v1/workspaces/",
        "//v1/workspaces",
        "/v1//workspaces",
    ] {
        let answer = asked.send(Call::get(path));
        assert_eq!((answer.status, answer.problem().as_str()), (404, "not_found"), "{path}");
    }
}

#[test]
fn ids_that_are_none() {
    let asked = Asked::new();
    let id = asked.north.first.to_string();
    let upper = id.to_uppercase();
    let digits = id.replace('0', "\u{660}");
    for text in [
        "x",
        "ten_",
        &upper,
        &id[..id.len() - 1],
        &format!("{id}0"),
        &format!("{id}%23{id}"),
        "..%2f..%2fetc",
        "ten_00000000000000000000000000000000",
        &asked.north.workspace.to_string(),
        &percent(&digits),
    ] {
        let answer = asked.send(Call::get(format!("{}/tenants/{text}", asked.at)));
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (404, "not_found"),
            "{text}: {}",
            answer.text()
        );
    }
    // Letters that are spelt out are the same letters.
    let spelt = format!("%{:02x}{}", b't', &id[1..]);
    assert_eq!(asked.send(Call::get(format!("{}/tenants/{spelt}", asked.at))).status, 200);
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect()
}

#[test]
fn names_that_play_tricks() {
    let asked = Asked::new();
    for name in ["", " ", "a\nb", "a\tb", "a\u{202e}b", "a\u{200b}b", "a\u{0}b", &"x".repeat(257)] {
        asked.refused(Call::post(asked.tenants(), json!({ "name": name })), 422, "invalid");
    }
    // What is only odd is taken as it is, and defused where a program would run it.
    for name in
        ["=1+1", "<script>alert(1)</script>", "../../x", "CON", "\u{1f512} Fabrikam", "\"; drop"]
    {
        let answer = asked.send(Call::post(asked.tenants(), json!({ "name": name })));
        assert_eq!(
            (answer.status, answer.json()["name"].as_str()),
            (201, Some(name)),
            "{}",
            answer.text()
        );
    }
}

/// Changes for a revision that is past are refused (If-Match).
#[test]
fn a_change_of_what_changed_meanwhile() {
    let asked = Asked::new();
    let path = format!("{}/tenants/{}", asked.at, asked.north.first);
    let read = asked.send(Call::get(&path));
    let tag = read.header("etag").unwrap().to_owned();
    let change = |name: &str, tag: &str| {
        Call::new("PATCH", &path).json(json!({ "name": name })).header("if-match", tag)
    };
    let first = asked.send(change("One", &tag));
    assert_eq!(first.status, 200, "{}", first.text());
    assert_ne!(first.header("etag"), Some(tag.as_str()));
    asked.refused(change("Two", &tag), 412, "stale");
    asked.refused(change("Two", "\"made up\""), 412, "stale");
    assert_eq!(asked.send(change("Two", "*")).status, 200);
    for (path, method, body) in [
        (asked.at.clone(), "PATCH", json!({ "name": "N" })),
        (
            format!("{}/profiles/{}", asked.at, asked.north.profile),
            "PATCH",
            json!({ "description": "d" }),
        ),
        (format!("{}/profiles/{}/draft", asked.at, asked.north.profile), "POST", Value::Null),
        (
            format!("{}/members/{}", asked.at, asked.north.viewer),
            "PATCH",
            json!({ "role": "auditor" }),
        ),
        (format!("{}/members/{}", asked.at, asked.north.viewer), "DELETE", Value::Null),
        (format!("{}/tenants/{}/assignment", asked.at, asked.north.first), "DELETE", Value::Null),
        (
            format!(
                "{}/tenants/{}/findings/{}/actions",
                asked.at, asked.north.first, asked.north.findings[0]
            ),
            "POST",
            json!({ "action": "acknowledge" }),
        ),
    ] {
        let mut call = Call::new(method, path).header("if-match", "\"r99\"");
        if !body.is_null() {
            call = call.json(body);
        }
        asked.refused(call, 412, "stale");
    }
}

/// Limits count for a subject and for a workspace, and say when to come again.
#[test]
fn too_many_requests() {
    let number = |value: u32| std::num::NonZeroU32::new(value).unwrap();
    let limits = Limits { subject: (number(5), number(1)), ..generous() };
    let world = World::with(limits);
    let list = || Call::get("/v1/workspaces");
    for _ in 0..5 {
        assert_eq!(world.send_as("olga", list()).status, 200);
    }
    let refused = world.send_as("olga", list());
    assert_eq!((refused.status, refused.problem().as_str()), (429, "rate_limited"));
    let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    // Others go on, and so does the same caller after the wait.
    assert_eq!(world.send_as("otto", list()).status, 200);
    world.clock.advance_seconds(wait);
    assert_eq!(world.send_as("olga", list()).status, 200);
    // A clock that goes back gives nobody more.
    world.clock.jump_back_seconds(3600);
    while world.send_as("olga", list()).status == 200 {}
    assert_eq!(world.send_as("olga", list()).status, 429);

    let limits = Limits { workspace: (number(3), number(1)), ..generous() };
    let world = World::with(limits);
    let north = world.holding("olga");
    let south = world.holding("sven");
    let show = |holding: &Holding| Call::get(format!("/v1/workspaces/{}", holding.workspace));
    for _ in 0..3 {
        assert_eq!(world.send_as("olga", show(&north)).status, 200);
    }
    assert_eq!(world.send_as("olga", show(&north)).status, 429);
    assert_eq!(world.send_as("sven", show(&south)).status, 200);
    // Who is no member takes nothing from the workspace's share.
    for _ in 0..10 {
        assert_eq!(world.send_as("nobody", show(&south)).status, 404);
    }
    assert_eq!(world.send_as("sven", show(&south)).status, 200);
}

/// The server itself: a thousand header fields, and a body that does not come.
#[test]
fn a_thousand_header_fields() {
    let world = World::new();
    let router = world.api.router();
    world.runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let status = tokio::task::spawn_blocking(move || {
            use std::io::Read as _;
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let mut request = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".to_owned();
            for nth in 0..1_000 {
                let _ = std::fmt::Write::write_fmt(&mut request, format_args!("x-{nth}: y\r\n"));
            }
            request.push_str("\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer);
            answer.lines().next().unwrap_or_default().to_owned()
        });
        assert!(status.await.unwrap().contains(" 431 "));
        server.abort();
    });
}

#[test]
fn bulk_actions_are_bounded_and_each_for_itself() {
    let asked = Asked::new();
    let path = format!("{}/findings/actions", asked.at);
    let place = |tenant: String, finding: String| json!({ "tenant": tenant, "finding": finding });
    let sound = place(asked.north.first.to_string(), asked.north.findings[0].to_string());
    let decision = json!({ "action": "acknowledge" });
    let send = |findings: Vec<Value>| {
        Call::post(&path, json!({ "findings": findings, "decision": decision }))
    };
    asked.refused(send(Vec::new()), 400, "bad_request");
    asked.refused(send(vec![sound.clone(), sound.clone()]), 400, "bad_request");
    let many = (0..101)
        .map(|nth| place(asked.north.first.to_string(), format!("fnd_{nth:032x}")))
        .collect();
    asked.refused(send(many), 400, "bad_request");
    let missing =
        place(asked.north.first.to_string(), "fnd_0190a5c2f0b07c3e8d1f4b6a9c0d2e11".to_owned());
    let answer = asked.send(send(vec![missing, sound]));
    let results = answer.json()["results"].clone();
    assert_eq!(results[0]["problem"]["status"], 404, "{results}");
    assert_eq!(results[1]["status"], "acknowledged", "{results}");
}

#[test]
fn a_bulk_action_without_a_reason_is_refused_as_a_whole() {
    let asked = Asked::new();
    let path = format!("{}/findings/actions", asked.at);
    let finding = json!({ "tenant": asked.north.first, "finding": asked.north.findings[0] });
    for reason in [String::new(), " ".to_owned(), "x".repeat(2_001)] {
        let decision = json!({ "action": "close", "reason": reason });
        let body = json!({ "findings": [finding], "decision": decision });
        asked.refused(Call::post(&path, body), 422, "invalid");
    }
}
