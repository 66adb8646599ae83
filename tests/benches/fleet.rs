//! The loop on embedded stores, at the size of a fleet. Prints figures; nothing is asserted about time.
//!
//! ```sh
//! cargo bench -p plumbline-tests --bench fleet            # 1,000 tenants of 1,000 policies
//! cargo bench -p plumbline-tests --bench fleet -- 100     # 100 tenants
//! ```

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench that prints"
)]

use futures::executor::block_on;
use plumbline_governance::ids::{TenantId, WorkspaceId};
use plumbline_governance::profile::ProfileStatus;
use plumbline_governance::scope::Scope;
use plumbline_operations::{
    Actor, CoverageClaim, Handled, ImportOptions, NewProfile, Person, System,
};
use plumbline_policy::tenant::TenantFacts;
use plumbline_ports::{Clock, QueueName};
use plumbline_store_local::{DataDir, Stores, SystemClock, SystemIds};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

const POLICIES: usize = 1_000;

/// A settings catalog policy with so many settings; each is about 420 bytes.
fn policy(number: usize, salt: usize, settings: usize) -> Vec<u8> {
    let mut out = format!(
        "{{\"@odata.context\":\"https://graph.microsoft.com/beta/$metadata#deviceManagement/configurationPolicies/$entity\",\
         \"id\":\"{number:08x}-0000-4000-8000-{salt:012x}\",\"createdDateTime\":\"2026-01-01T00:00:00Z\",\"description\":\"\",\
         \"name\":\"Win - Area {number} - Policy\",\"platforms\":\"windows10\",\"technologies\":\"mdm\",\"roleScopeTagIds\":[\"0\"],\
         \"settingCount\":{settings},\"templateReference\":{{\"templateId\":\"\",\"templateFamily\":\"none\"}},\"settings\":["
    );
    for setting in 0..settings {
        let comma = if setting == 0 { "" } else { "," };
        let id = format!("device_vendor_msft_policy_config_area{number}_setting{setting}");
        let _ = write!(
            out,
            "{comma}{{\"id\":\"{setting}\",\"settingInstance\":{{\"@odata.type\":\"#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance\",\
             \"settingDefinitionId\":\"{id}\",\"settingInstanceTemplateReference\":null,\"choiceSettingValue\":{{\
             \"settingValueTemplateReference\":null,\"value\":\"{id}_1\",\"children\":[]}}}}}}"
        );
    }
    out.push_str("]}");
    out.into_bytes()
}

struct Fleet {
    system: System,
    workspace: WorkspaceId,
    actor: Actor,
}

impl Fleet {
    fn tenant(&self, name: &str) -> TenantId {
        let facts = TenantFacts::default();
        block_on(self.system.add_tenant(self.workspace, &self.actor, name, facts))
            .expect("a tenant")
            .id
    }

    fn import(&self, tenant: TenantId, policies: usize, settings: usize) -> usize {
        let options =
            ImportOptions { coverage: CoverageClaim::Complete, ..ImportOptions::default() };
        let mut bytes = 0;
        let mut documents = (0..policies).map(|number| {
            let policy = policy(number, 7, settings);
            bytes += policy.len();
            Ok((format!("{number}.json"), policy))
        });
        block_on(self.system.import(self.workspace, &self.actor, tenant, &options, &mut documents))
            .expect("an import");
        bytes
    }

    /// Two workers, as on two cores, until no message is left.
    fn drain(&self) -> Vec<BTreeMap<String, u64>> {
        let usage = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    loop {
                        let mut any = false;
                        for queue in QueueName::ALL {
                            for handled in block_on(self.system.work(queue, 10)).expect("work") {
                                any = true;
                                if let Handled::Ended(run) = handled {
                                    assert_ne!(
                                        run.outcome().as_str(),
                                        "failed",
                                        "{:?}",
                                        run.failure()
                                    );
                                    usage.lock().expect("a lock").push(run.context.usage);
                                }
                            }
                        }
                        if !any {
                            break;
                        }
                    }
                });
            }
        });
        usage.into_inner().expect("a lock")
    }
}

/// A field of `/proc/self/status` in MiB; nothing on systems without it.
fn memory(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

fn main() {
    let tenants: usize =
        std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(1_000);
    let folder = tempfile::tempdir().expect("a folder");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let stores: Stores = DataDir::open(folder.path(), clock).expect("a data directory");
    let ports = stores.ports(Arc::new(SystemIds::new().expect("randomness")));
    let system = System::new(ports);
    let person = Person { issuer: "local".to_owned(), subject: "bench".to_owned() };
    let workspace = block_on(system.create_workspace(&person, &Actor::new("bench"), "Bench"))
        .expect("a workspace")
        .id;
    let fleet = Fleet { system, workspace, actor: Actor::new("bench") };

    let large = fleet.tenant("large");
    // Rules and patterns are built once a process; that is no part of an import.
    fleet.import(fleet.tenant("warm"), 10, 1);
    let idle = memory("VmRSS");
    let started = Instant::now();
    let bytes = fleet.import(large, 5_000, 16);
    let took = started.elapsed();
    let peak = memory("VmHWM");
    println!("import of 5,000 policies, {:.1} MB: {took:.2?}", bytes as f64 / 1e6);
    if let (Some(idle), Some(peak)) = (idle, peak) {
        println!("  peak {peak} MiB, {} MiB over the {idle} MiB before", peak - idle);
    }
    let started = Instant::now();
    fleet.import(large, 5_000, 16);
    println!("import of the same again: {:.2?}", started.elapsed());

    let golden = fleet.tenant("golden");
    fleet.import(golden, POLICIES, 1);
    let scope =
        Scope { policy_types: vec!["settingsCatalogPolicy".to_owned()], ..Scope::default() };
    let new = NewProfile { name: "Gold".to_owned(), scope, ..NewProfile::default() };
    let system = &fleet.system;
    let profile =
        block_on(system.create_profile(workspace, &fleet.actor, new)).expect("a profile").id;
    block_on(system.start_capture(workspace, &fleet.actor, profile, golden)).expect("a capture");
    fleet.drain();
    block_on(system.set_profile_status(
        workspace,
        &fleet.actor,
        profile,
        ProfileStatus::Active,
        None,
    ))
    .expect("an active profile");
    let started = Instant::now();
    let done = AtomicUsize::new(0);
    let ids: Vec<TenantId> =
        (0..tenants).map(|number| fleet.tenant(&format!("t{number}"))).collect();
    for tenant in &ids {
        fleet.import(*tenant, POLICIES, 1);
        block_on(system.assign(workspace, &fleet.actor, *tenant, profile, None, None))
            .expect("assigned");
        done.fetch_add(1, Ordering::Relaxed);
    }
    println!("{tenants} tenants of {POLICIES} policies imported: {:.2?}", started.elapsed());
    let start_all = || {
        for tenant in &ids {
            block_on(system.start_compare(workspace, &fleet.actor, *tenant)).expect("a compare");
        }
    };
    let started = Instant::now();
    start_all();
    fleet.drain();
    println!("first compare of all, everything read: {:.2?}", started.elapsed());
    let started = Instant::now();
    start_all();
    let queued = started.elapsed();
    let usage = fleet.drain();
    println!(
        "compare of all, nothing changed: {:.2?} (of which {queued:.2?} to start them by hand)",
        started.elapsed()
    );
    let sum = |name: &str| usage.iter().filter_map(|one| one.get(name)).sum::<u64>();
    println!(
        "  a tenant: {:.1} rows read, {} objects read, {} objects written",
        sum("records_read") as f64 / tenants as f64,
        sum("objects_read"),
        sum("objects_written"),
    );
}
