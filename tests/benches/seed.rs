//! Makes a data directory of many tenants for `tests/soak/load.py`, through the operations themselves.
//!
//! ```sh
//! cargo bench -p plumbline-tests --bench seed -- DIR 10000 100   # tenants, findings of each
//! ```
//!
//! The history of the counts is 90 days long. The overview is two hours old and findings were decided about
//! since, so that a `serve` begins with a new overview and new groups of drift, the most that its tick does.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a tool that prints")]

use futures::executor::block_on;
use jiff::{SignedDuration, Timestamp};
use plumbline_api::token::DEVELOPMENT_ISSUER;
use plumbline_governance::access::{MemberChange, MemberRole};
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::ids::{ProfileId, TenantId, WorkspaceId};
use plumbline_governance::profile::ProfileStatus;
use plumbline_operations::{
    Actor, CoverageClaim, Handled, ImportOptions, NewProfile, Person, System,
};
use plumbline_policy::tenant::TenantFacts;
use plumbline_ports::{Clock, QueueName};
use plumbline_store_local::{DataDir, SystemClock, SystemIds};
use plumbline_tests::policies::{feature, quality, settings};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Instant;

/// Writers wait for the disk most of the time.
const THREADS: usize = 8;
/// Members that see everything; one alone would meet the limit of requests of a subject.
const MEMBERS: usize = 8;
/// How many tenants the members see that are limited to some.
const LIMITED: [usize; 2] = [3, 50];
const DAYS: i64 = 90;

/// The machine's clock, so many minutes ago.
struct Ago(AtomicI64);

impl Clock for Ago {
    fn now(&self) -> Timestamp {
        let back = SignedDuration::from_mins(self.0.load(Ordering::Relaxed));
        SystemClock.now().saturating_sub(back).expect("a moment")
    }
}

/// A policy of one of three types. Another `version` has other content.
fn policy(number: u32, version: u32) -> Value {
    let name = format!("Win - Area {number} - Policy");
    match number % 3 {
        0 => feature(&name, number, &format!("24H{version}")),
        1 => quality(&name, number, version),
        _ => {
            let definition = format!("device_vendor_msft_policy_config_area{number}");
            settings(&name, number, &[(definition.as_str(), version.to_string().as_str())])
        }
    }
}

struct Seed {
    system: System,
    workspace: WorkspaceId,
    actor: Actor,
    profile: Option<ProfileId>,
}

impl Seed {
    fn tenant(&self, name: &str) -> TenantId {
        let facts = TenantFacts::default();
        block_on(self.system.add_tenant(self.workspace, &self.actor, name, facts))
            .expect("a tenant")
            .id
    }

    fn import(&self, tenant: TenantId, policies: impl Iterator<Item = Value> + Send) {
        let options =
            ImportOptions { coverage: CoverageClaim::Complete, ..ImportOptions::default() };
        let mut documents = policies.enumerate().map(|(number, policy)| {
            Ok((format!("{number}.json"), serde_json::to_vec(&policy).expect("JSON")))
        });
        block_on(self.system.import(self.workspace, &self.actor, tenant, &options, &mut documents))
            .expect("an import");
    }

    /// Works until nothing waits; what another thread took, that thread does.
    fn drain(&self) {
        loop {
            let mut any = false;
            for queue in QueueName::ALL {
                for handled in block_on(self.system.work(queue, 1)).expect("work") {
                    any = true;
                    if let Handled::Ended(run) = handled {
                        assert_eq!(run.outcome().as_str(), "succeeded", "{:?}", run.failure());
                    }
                }
            }
            if !any {
                return;
            }
        }
    }

    /// A tenant that has nine of ten policies not at all, and the others otherwise.
    fn governed(&self, number: u32, policies: u32) {
        let tenant = self.tenant(&format!("t{number:05}"));
        let has = |policy: &u32| (policy + number).is_multiple_of(10);
        self.import(tenant, (0..policies).filter(has).map(|one| policy(one, 2 + number % 5)));
        let profile = self.profile.expect("a profile");
        block_on(self.system.assign(self.workspace, &self.actor, tenant, profile, None, None))
            .expect("assigned");
        block_on(self.system.start_compare(self.workspace, &self.actor, tenant))
            .expect("a compare");
        self.drain();
    }

    /// Acknowledges a finding of a tenant and accepts another.
    fn decide(&self, tenant: TenantId) {
        let accept = FindingAction::Accept { reason: "Agreed.".to_owned(), until: None };
        let found = block_on(self.system.findings(self.workspace, tenant)).expect("findings");
        for (seen, action) in found.iter().zip([FindingAction::Acknowledge, accept]) {
            let id = seen.finding.id;
            block_on(self.system.act(self.workspace, &self.actor, tenant, id, &action, None))
                .expect("a decision");
        }
    }

    fn member(&self, subject: &str, tenants: Option<&[TenantId]>) {
        let person = Person { issuer: DEVELOPMENT_ISSUER.to_owned(), subject: subject.to_owned() };
        let change = MemberChange {
            role: MemberRole::Viewer,
            tenants: tenants.map(|tenants| tenants.iter().copied().collect()),
            until: None,
        };
        block_on(self.system.set_member(self.workspace, &self.actor, &person, change, None))
            .expect("a member");
    }
}

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let folder = PathBuf::from(words.next().expect("usage: DIR [TENANTS [FINDINGS OF EACH]]"));
    let mut number = |or| words.next().map_or(or, |word| word.parse().expect("a number"));
    let (tenants, policies): (u32, u32) = (number(10_000), number(100));
    assert!(!folder.exists(), "{} is there already", folder.display());
    let started = Instant::now();
    let ago = Arc::new(Ago(AtomicI64::new(DAYS * 24 * 60)));
    let clock: Arc<dyn Clock> = ago.clone();
    let stores = DataDir::open(&folder, clock).expect("a data directory");
    let system = System::new(stores.ports(Arc::new(SystemIds::new().expect("randomness"))));
    let person = Person { issuer: DEVELOPMENT_ISSUER.to_owned(), subject: "seed".to_owned() };
    let actor = Actor::new("seed").by(DEVELOPMENT_ISSUER).from("command");
    let workspace =
        block_on(system.create_workspace(&person, &actor, "Load")).expect("a workspace").id;
    let mut seed = Seed { system, workspace, actor, profile: None };

    let new = NewProfile { name: "Gold".to_owned(), ..NewProfile::default() };
    let profile =
        block_on(seed.system.create_profile(workspace, &seed.actor, new)).expect("a profile").id;
    seed.profile = Some(profile);
    let golden = seed.tenant("golden");
    seed.import(golden, (0..policies).map(|one| policy(one, 1)));
    block_on(seed.system.start_capture(workspace, &seed.actor, profile, golden))
        .expect("a capture");
    seed.drain();
    block_on(seed.system.set_profile_status(
        workspace,
        &seed.actor,
        profile,
        ProfileStatus::Active,
        None,
    ))
    .expect("an active profile");
    // Days are cheap while there are few tenants.
    for day in (1..=DAYS).rev() {
        ago.0.store(day * 24 * 60, Ordering::Relaxed);
        block_on(seed.system.refresh_overview(workspace)).expect("an overview");
    }
    ago.0.store(120, Ordering::Relaxed);

    let next = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= tenants {
                        return;
                    }
                    if number > 0 && number.is_multiple_of(1_000) {
                        println!("{number} tenants: {:.0?}", started.elapsed());
                    }
                    seed.governed(number, policies);
                }
            });
        }
    });
    seed.drain();
    let refreshed = Instant::now();
    block_on(seed.system.refresh_overview(workspace)).expect("an overview");
    println!("overview and groups: {:.1?}", refreshed.elapsed());

    ago.0.store(0, Ordering::Relaxed);
    let all: Vec<TenantId> = block_on(seed.system.tenants(workspace))
        .expect("tenants")
        .into_iter()
        .filter(|tenant| tenant.profile.is_some())
        .map(|tenant| tenant.id)
        .collect();
    for tenant in all.iter().step_by(10) {
        seed.decide(*tenant);
    }
    for member in 0..MEMBERS {
        seed.member(&format!("load-{member}"), None);
    }
    for count in LIMITED {
        let some: Vec<TenantId> = all.iter().copied().step_by(17).take(count).collect();
        seed.member(&format!("limited-{count}"), Some(&some));
    }
    println!(
        "{tenants} tenants of {policies} findings in {}: {:.0?}",
        folder.display(),
        started.elapsed()
    );
}
