//! The same commands against a server.

#![cfg(unix)]

use super::serve::Serving;
use super::{Done, World, feature, readme};

/// A world whose directory is served.
struct Served {
    world: World,
    serving: Serving,
    url: String,
    token: String,
}

impl Served {
    fn start(world: World) -> Self {
        let serving = Serving::start(&world, "");
        let line = serving.says("the API is at http://");
        let url = line.split_whitespace().find(|word| word.starts_with("http://127"));
        let url = url.expect("an address").trim_end_matches(',').to_owned();
        let token = world.line("token").with(0).trim().to_owned();
        Self { world, serving, url, token }
    }

    /// Runs a command line against the server, as the bearer of a token.
    fn as_bearer(&self, token: &str, line: &str) -> Done {
        let mut command = self.world.command();
        command.env("PLUMBLINE_SERVER", &self.url).env("PLUMBLINE_TOKEN", token);
        super::done(&mut command, &line.split_whitespace().collect::<Vec<_>>(), None)
    }

    fn line(&self, line: &str) -> Done {
        self.as_bearer(&self.token, line)
    }

    /// Ends the server, and checks what it leaves.
    fn end(self) {
        self.serving.signal("TERM");
        self.serving.ends_with(0);
        assert!(self.world.line("verify").with(0).ends_with("nothing is wrong\n"));
    }
}

#[test]
fn the_whole_loop_of_the_readme() {
    let served = Served::start(World::new());
    let text = readme::whole_loop().replace("plumbline verify", "");
    let variables =
        [("PLUMBLINE_SERVER", served.url.as_str()), ("PLUMBLINE_TOKEN", served.token.as_str())];
    readme::goes(&served.world, &text, &variables, &readme::STEPS);
    let audit = served.line("audit --format json").json();
    assert_eq!((&audit[0]["actor"], &audit[0]["from"]), (&"eve".into(), &"127.0.0.1".into()));
    served.end();
}

#[test]
fn without_a_server_or_a_token() {
    let world = World::new();
    let token = |line: &str| {
        let mut command = world.command();
        command.env("PLUMBLINE_TOKEN", "x.y.z");
        super::done(&mut command, &line.split_whitespace().collect::<Vec<_>>(), None)
    };
    world.line("tenant list --server http://127.0.0.1:1").fails(
        "there is no token for http://127.0.0.1:1; set PLUMBLINE_TOKEN to one (beside `plumbline serve`: \
         export PLUMBLINE_TOKEN=\"$(plumbline token)\")",
    );
    token("tenant list --server http://127.0.0.1:1").fails_with(&[
        "http://127.0.0.1:1 cannot be reached: ",
        "; check the address, and that `plumbline serve` runs there",
    ]);
    token("tenant list --server http://plumbline.example.com").fails(
        "http://plumbline.example.com would send the token in the clear; write https, or http only to this \
         machine itself",
    );
    token("tenant list --server plumbline").fails_with(&["`plumbline` is no address of a server"]);
    token("tenant list --server https://127.0.0.1:1 --as eve").fails_with(&["--as"]);
    token("tenant list --server https://127.0.0.1:1 --data data").fails_with(&["--data"]);
    for command in
        ["verify", "collect", "replay", "renormalise", "serve", "token", "demo", "policy-types"]
    {
        world
            .line(&format!("{command} --server https://127.0.0.1:1"))
            .fails(&format!("{command} does not go to a server; leave --server out"));
    }
    assert!(!world.path().join("data").exists());
}

#[test]
fn tokens_and_roles_that_do_not_do() {
    let served = Served::start(World::with_tenants());
    served.as_bearer("x.y.z", "tenant list").fails(
        "the server takes no such token: the token cannot be read; set PLUMBLINE_TOKEN to a new one (beside \
         `plumbline serve`: export PLUMBLINE_TOKEN=\"$(plumbline token)\")",
    );
    served.line("workspace member add vic --role viewer --tenants Other").with(0);
    let vic = served.world.line("token --subject vic").with(0).trim().to_owned();
    let seen = served.as_bearer(&vic, "tenant list --format json").json();
    assert_eq!((seen.as_array().map(Vec::len), &seen[0]["name"]), (Some(1), &"Other".into()));
    served
        .as_bearer(&vic, "tenant show Golden")
        .fails("there is no tenant `Golden`; `plumbline tenant list` shows the one there is");
    served.as_bearer(&vic, "import --tenant Other .").fails_with(&["holds no .json"]);
    served.as_bearer(&vic, "tenant archive Other").fails(
        "the role viewer does not allow this in the workspace; ask an owner of the workspace for a role that \
         does",
    );
    served.as_bearer(&vic, "posture").with(0);
    served
        .line("workspace member add vic --role operator --tenants all --until 2999-12-31")
        .with(0);
    let members = served.line("workspace member list --format json").json();
    let vic_now = members.as_array().expect("a list").iter().find(|one| one["subject"] == "vic");
    let vic_now = vic_now.expect("vic");
    assert_eq!(
        (&vic_now["role"], &vic_now["tenants"], &vic_now["until"]),
        (&"operator".into(), &serde_json::Value::Null, &"3000-01-01T00:00:00Z".into())
    );
    let nobody = served.world.line("token --subject nobody").with(0).trim().to_owned();
    served.as_bearer(&nobody, "tenant list").fails_with(&["you are a member of no workspace"]);
    served.end();
}

#[test]
fn runs_are_watched_to_their_ends() {
    let served = Served::start(World::governed());
    served.world.policies("other", "9");
    served.line("import --tenant Other other --coverage complete").with(0);
    let queued = served.line("compare --tenant Other --no-wait --format json").json();
    let id = queued[0]["id"].as_str().expect("an id");
    let run = served.line(&format!("run show {id} --watch --format json")).json();
    assert_eq!(run["outcome"], "succeeded");
    served.line("compare --all --no-wait").with(0);
    let runs = served.line("runs --watch --format json").json();
    let runs = runs.as_array().expect("a list");
    assert!(runs.len() >= 4 && runs.iter().all(|run| run["status"] == "completed"), "{runs:?}");
    served.line("compare --all").with(2);
    let done = served.line("finding acknowledge --all --tenant Other --format json").json();
    assert_eq!(done[0]["finding"]["status"], "acknowledged");
    served.end();
}

/// More than one request takes goes in parts; what cannot be read on the way changes nothing.
#[test]
fn a_large_import() {
    let served = Served::start(World::with_tenants());
    let mut state = 7_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("{:016x}", state ^ (state >> 31))
    };
    for number in 0..100 {
        let mut policy = feature(&format!("P{number}"), number, "1");
        policy["description"] = (0..8_000).map(|_| noise()).collect::<String>().into();
        served.world.write(&format!("large/{number:03}.json"), policy.to_string());
    }
    let done = served.line("import --tenant Other large --coverage complete").with(0);
    assert!(done.starts_with("Imported Other: 100 policies, 100 new or changed"), "{done}");
    served.world.write("large/broken.ndjson", "{\"a\":");
    served.line("import --tenant Other large --coverage complete").fails(
        "broken.ndjson, line 1: the object that begins here is cut off; send all of it; nothing was imported",
    );
    let done = served.line("import --tenant Other large/000.json --coverage nonsense");
    done.fails("`nonsense` is not a policy type; `plumbline policy-types` lists them");
    served.line("tenant archive Other").with(0);
    served
        .line("import --tenant Other large/000.json")
        .fails_with(&["is archived; nothing is imported for it"]);
    served.end();
}
