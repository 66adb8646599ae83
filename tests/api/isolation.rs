//! The isolation matrix: every route, every kind of caller, every kind of target (reliability 2.2). It is
//! made from the table of routes, so a new route is in it, and fails until it has a sample.

use crate::cells::{Target, Verdict, Who, judge, verdict};
use crate::samples::{Ids, sample};
use crate::world::{Answer, Call, Holding, World, person};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use plumbline_api::{Access, Route, table};
use plumbline_governance::access::{Capability, MemberChange, MemberRole};
use plumbline_operations::Actor;
use plumbline_ports::{Clock as _, RootKey};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Two workspaces, and everyone.
struct Case {
    world: World,
    north: Holding,
    south: Holding,
    tokens: BTreeMap<String, Option<String>>,
}

impl Case {
    fn new() -> Self {
        let world = World::new();
        let north = world.holding("olga");
        let south = world.holding("sven");
        let here = north.workspace;
        world.member(here, "oscar", MemberRole::Operator.into());
        world.member(here, "vera", MemberRole::Viewer.into());
        world.member(here, "aude", MemberRole::Auditor.into());
        world.limited(here, "lior", MemberRole::Operator, &[north.first]);
        world.limited(here, "lena", MemberRole::Viewer, &[north.first]);
        world.member(here, "rita", MemberRole::Operator.into());
        let (olga, rita) = (Actor::new("olga"), person("rita"));
        world.runtime.block_on(world.system().remove_member(here, &olga, &rita, None)).unwrap();
        let until = Some(world.clock.now() + SignedDuration::from_mins(1));
        world.member(here, "emil", MemberChange { until, ..MemberRole::Operator.into() });
        world.clock.advance_seconds(120);
        let tokens = Who::ALL.iter().map(|who| (format!("{who:?}"), token(&world, *who))).collect();
        world.stage.plan.reset();
        Self { world, north, south, tokens }
    }

    fn ids(&self, target: Target) -> Ids {
        match target {
            Target::First => Ids::of(&self.north),
            Target::Second => Ids::second(&self.north),
            Target::Foreign => Ids::of(&self.south),
            Target::Mixed => Ids::mixed(&self.north, &self.south),
            Target::Missing => Ids::missing(&self.north),
        }
    }

    fn call(&self, route: &Route, who: Who, target: Target) -> Call {
        let call = sample(route.method.as_str(), route.path, &self.ids(target));
        match &self.tokens[&format!("{who:?}")] {
            Some(token) => call.token(token),
            None => call,
        }
    }
}

/// A token of each kind.
fn token(world: &World, who: Who) -> Option<String> {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let now = world.clock.now().as_second();
    let claims = |change: Value| {
        let mut claims = json!({
            "iss": "local", "sub": "olga", "aud": "plumbline", "scope": "plumbline",
            "iat": now, "exp": now + 3600,
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    };
    let signed = |claims: Value| world.sign(&claims);
    Some(match who {
        Who::NoToken => return None,
        Who::Garbage => "not.a.token".to_owned(),
        Who::OtherKey => {
            let other =
                plumbline_api::token::Development::new(&RootKey::new("x", [9; 32])).unwrap();
            other.mint("olga", world.clock.now(), SignedDuration::from_hours(1)).unwrap()
        }
        Who::AlgNone => {
            format!("{}.{}.", part(json!({ "alg": "none", "typ": "JWT" })), part(claims(json!({}))))
        }
        Who::SharedKey => {
            // Signed with the public key as if it were a shared secret.
            let key = jsonwebtoken::EncodingKey::from_secret(world.public_key().as_bytes());
            let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
            header.kid = Some("development-1".to_owned());
            jsonwebtoken::encode(&header, &claims(json!({})), &key).unwrap()
        }
        Who::WrongAudience => signed(claims(json!({ "aud": "another-api" }))),
        Who::WrongIssuer => signed(claims(json!({ "iss": "https://elsewhere.example" }))),
        Who::Expired => signed(claims(json!({ "exp": now - 3600 }))),
        Who::IdToken => signed(claims(json!({ "scope": null, "nonce": "n" }))),
        Who::Owner => world.token("olga"),
        Who::Operator => world.token("oscar"),
        Who::Viewer => world.token("vera"),
        Who::Auditor => world.token("aude"),
        Who::LimitedOperator => world.token("lior"),
        Who::LimitedViewer => world.token("lena"),
        Who::Removed => world.token("rita"),
        Who::Ended => world.token("emil"),
        Who::Foreigner => world.token("sven"),
        Who::Stranger => world.token("nobody"),
    })
}

fn is_change(route: &Route) -> bool {
    route.method.as_str() != "GET"
}

/// Every cell that refuses, on one world: nothing may be written and nothing of the other workspace read.
#[test]
fn the_matrix_of_what_is_refused() {
    let case = Case::new();
    let before = case.world.rows();
    let mut cells = 0;
    let mut wrong = Vec::new();
    for route in table::table() {
        for who in Who::ALL {
            for target in Target::ALL {
                let due = verdict(&route, who, target);
                if due == Verdict::In {
                    continue;
                }
                cells += 1;
                case.world.stage.plan.reset();
                let answer = case.world.send(case.call(&route, who, target));
                if let Err(why) = judge(due, &answer) {
                    wrong.push(format!(
                        "{} {} as {who:?} at {target:?}: {why}",
                        route.method, route.path
                    ));
                }
                wrong.extend(leaks(&case, &route, who, &answer));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cells} cells:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cells >= 1_000, "only {cells} cells");
    assert_eq!(case.world.rows(), before, "a refused request wrote something");
    println!("{cells} cells that refuse");
}

/// What an answer to a member of the north, or the calls behind it, tell of the south.
fn leaks(case: &Case, route: &Route, who: Who, answer: &Answer) -> Vec<String> {
    if who == Who::Foreigner {
        return Vec::new();
    }
    let south = &case.south;
    let mut out = Vec::new();
    let text = answer.text();
    for word in ["sven", &south.golden.to_string(), &south.second.to_string()] {
        if text.contains(word) {
            out.push(format!("{} {} as {who:?} tells `{word}`: {text}", route.method, route.path));
        }
    }
    let foreign = format!("WS#{}", south.workspace);
    // One look at the membership is how the caller is found to be none.
    let looks = case.world.stage.plan.calls();
    let others =
        looks.iter().filter(|call| call.what.contains(&foreign) && !call.what.contains("MEMBER#"));
    out.extend(
        others
            .map(|call| format!("{} {} as {who:?} reads {}", route.method, route.path, call.what)),
    );
    out
}

/// Every cell that lets in. A change is made on a world of its own.
#[test]
fn the_matrix_of_what_is_allowed() {
    let shared = Case::new();
    let mut cells = 0;
    let mut wrong = Vec::new();
    for route in table::table() {
        for who in Who::ALL {
            for target in Target::ALL {
                if verdict(&route, who, target) != Verdict::In {
                    continue;
                }
                cells += 1;
                let own = is_change(&route).then(Case::new);
                let case = own.as_ref().unwrap_or(&shared);
                case.world.stage.plan.reset();
                let answer = case.world.send(case.call(&route, who, target));
                if let Err(why) = judge(Verdict::In, &answer) {
                    wrong.push(format!(
                        "{} {} as {who:?} at {target:?}: {why}",
                        route.method, route.path
                    ));
                }
                if who.is_limited() {
                    wrong.extend(beyond(case, &route, who, &answer));
                }
                if who.is_member() {
                    wrong.extend(leaks(case, &route, who, &answer));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cells} cells:\n{}", wrong.len(), wrong.join("\n"));
    println!("{cells} cells that let in");
}

/// What a limited member is told of tenants beyond the limit.
fn beyond(case: &Case, route: &Route, who: Who, answer: &Answer) -> Option<String> {
    let text = answer.text();
    let north = &case.north;
    // What the caller named stands in the answer to a bulk action, as not found.
    if route.path.ends_with("/findings/actions") {
        return None;
    }
    [north.second.to_string(), north.findings[1].to_string()]
        .into_iter()
        .find(|word| text.contains(word))
        .map(|word| format!("{} {} tells {who:?} of {word}: {text}", route.method, route.path))
}

/// Foreign and missing ids: the same answer, byte for byte, after the same calls (contracts 6.2).
#[test]
fn foreign_and_missing_ids_are_answered_alike() {
    let case = Case::new();
    let shape = |calls: Vec<plumbline_testkit::faults::Call>| {
        calls.into_iter().map(|call| (call.op, words(&call.what))).collect::<Vec<_>>()
    };
    let ask = |call: Call| {
        case.world.stage.plan.reset();
        let answer = case.world.send(call);
        (answer.status, answer.text(), shape(case.world.stage.plan.calls()))
    };
    let mut pairs = 0;
    for route in table::table()
        .iter()
        .filter(|route| matches!(route.access, Access::Member(_) | Access::WholeWorkspace(_)))
    {
        // A workspace of others, and one that is not there.
        let mut nowhere = case.ids(Target::Foreign);
        nowhere.workspace = "wsp_0190a5c2f0b07c3e8d1f4b6a9c0d2e11".to_owned();
        let foreign = ask(case.call(route, Who::Owner, Target::Foreign));
        let token = case.world.token("olga");
        let missing = ask(sample(route.method.as_str(), route.path, &nowhere).token(&token));
        assert_eq!(foreign, missing, "{} {}", route.method, route.path);
        pairs += 1;
        // Things of others in one's own workspace, and things that are not there.
        if verdict(route, Who::Owner, Target::Mixed) == Verdict::NotFound {
            let foreign = ask(case.call(route, Who::Owner, Target::Mixed));
            let missing = ask(case.call(route, Who::Owner, Target::Missing));
            assert_eq!(foreign, missing, "{} {}", route.method, route.path);
            pairs += 1;
        }
        // For a limited member: a tenant beyond the limit, and one that is not there.
        if route.names_tenant() {
            let beyond = ask(case.call(route, Who::LimitedOperator, Target::Second));
            let missing = ask(case.call(route, Who::LimitedOperator, Target::Missing));
            assert_eq!(beyond, missing, "{} {}", route.method, route.path);
            pairs += 1;
        }
    }
    assert!(pairs > 100, "{pairs}");
}

/// A text with every id in it replaced by its prefix.
fn words(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('_') {
        let (head, tail) = rest.split_at(at + 1);
        out.push_str(head);
        let digits = tail.bytes().take_while(u8::is_ascii_hexdigit).count();
        rest = if digits == 32 { &tail[32..] } else { tail };
    }
    out.push_str(rest);
    // Digests name members and items.
    let mut plain = String::new();
    for word in out.split_inclusive(|char: char| !char.is_ascii_hexdigit()) {
        let digits = word.trim_end_matches(|char: char| !char.is_ascii_hexdigit());
        if digits.len() == 64 {
            plain.push_str("digest");
            plain.push_str(&word[64..]);
        } else {
            plain.push_str(word);
        }
    }
    plain
}

/// Ids of others in bodies and queries are not there either.
#[test]
fn ids_in_bodies_and_queries() {
    let case = Case::new();
    let (north, south) = (&case.north, &case.south);
    let at = format!("/v1/workspaces/{}", north.workspace);
    for tenant in [south.first.to_string(), "ten_0190a5c2f0b07c3e8d1f4b6a9c0d2e11".to_owned()] {
        let capture = Call::post(
            format!("{at}/profiles/{}/capture", north.profile),
            json!({ "tenant": tenant }),
        );
        assert_eq!(case.world.send_as("olga", capture).problem(), "not_found");
        let runs = Call::get(format!("{at}/runs?tenant={tenant}"));
        assert_eq!(case.world.send_as("olga", runs).problem(), "not_found");
        let findings =
            case.world.send_as("olga", Call::get(format!("{at}/findings?tenant={tenant}")));
        assert!(
            findings.status == 404 || findings.json()["items"] == json!([]),
            "{}",
            findings.text()
        );
        let bulk = json!({
            "findings": [{ "tenant": tenant, "finding": south.findings[0] }],
            "decision": { "action": "acknowledge" },
        });
        let bulk = case.world.send_as("olga", Call::post(format!("{at}/findings/actions"), bulk));
        assert_eq!(bulk.json()["results"][0]["problem"]["status"], 404, "{}", bulk.text());
        let member =
            json!({ "issuer": "local", "subject": "x", "role": "viewer", "tenants": [tenant] });
        let member = case.world.send_as("olga", Call::post(format!("{at}/members"), member));
        assert!(matches!(member.status, 404 | 422), "{}", member.text());
    }
    let profile = json!({ "profile": south.profile });
    let assign = Call::new("PUT", format!("{at}/tenants/{}/assignment", north.first)).json(profile);
    assert_eq!(case.world.send_as("olga", assign).problem(), "not_found");
}

/// A removed member is out with the next request, whatever the token says.
#[test]
fn a_removed_member_is_out_at_once() {
    let case = Case::new();
    let show = || Call::get(format!("/v1/workspaces/{}", case.north.workspace));
    assert_eq!(case.world.send_as("vera", show()).status, 200);
    let remove =
        format!("/v1/workspaces/{}/members/{}", case.north.workspace, person("vera").member_id());
    assert_eq!(case.world.send_as("olga", Call::new("DELETE", remove)).status, 204);
    assert_eq!(case.world.send_as("vera", show()).problem(), "not_found");
}

/// The checks are what refuses: without each of them, the matrix fails.
#[test]
fn without_a_check_the_matrix_fails() {
    let case = Case::new();
    let lowered = |lower: fn(Access) -> Access| {
        let routes = table::table()
            .into_iter()
            .map(|mut route| {
                route.access = lower(route.access);
                route
            })
            .collect();
        case.world.api.router_of(routes)
    };
    let wrong = |router: axum::Router, who: Who, target: Target| {
        table::table()
            .iter()
            .filter(|route| route.method.as_str() == "GET" || who != Who::Owner)
            .filter(|route| {
                let due = verdict(route, who, target);
                let answer = case.world.send_to(&router, case.call(route, who, target));
                due != Verdict::In && judge(due, &answer).is_err()
            })
            .count()
    };
    // The token is not asked for: what no handler trusts is refused as not there, which is not 401.
    let open = lowered(|_| Access::Public);
    assert!(wrong(open, Who::NoToken, Target::First) > 10);
    // The membership is not asked for.
    let any = lowered(|access| match access {
        Access::Member(_) | Access::WholeWorkspace(_) => Access::Token,
        other => other,
    });
    assert!(wrong(any, Who::Viewer, Target::First) > 10);
    // The role is not asked for.
    let every = lowered(|access| match access {
        Access::Member(_) => Access::Member(Capability::Read),
        Access::WholeWorkspace(_) => Access::WholeWorkspace(Capability::Read),
        other => other,
    });
    assert!(wrong(every, Who::Viewer, Target::First) > 10);
    // The limit to some tenants is not asked for.
    let all = lowered(|access| match access {
        Access::WholeWorkspace(capability) => Access::Member(capability),
        other => other,
    });
    assert!(wrong(all, Who::LimitedOperator, Target::First) > 3);
    // And the judge does not take the answer of one who is let in for that of one who is not.
    let show = Call::get(format!("/v1/workspaces/{}", case.north.workspace));
    let allowed = case.world.send_as("olga", show);
    for due in [Verdict::Unauthenticated, Verdict::NotFound, Verdict::Forbidden] {
        assert!(judge(due, &allowed).is_err());
    }
    let _ = Body::empty();
}
