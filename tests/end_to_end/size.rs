//! What a worker needs.

use crate::people::Workspace;
use crate::world::World;
use plumbline_tests::policies::{FEATURE, many};

/// The most memory that a worker ever had, in KB, after a compare of 5,000 policies.
#[test]
fn a_compare_of_five_thousand_policies_is_small() {
    const MOST: u64 = 32 * 1_024;
    let world = World::new();
    let workspace = Workspace::new(&world, "olga");
    let (profile, _) = workspace.golden(&[FEATURE], &many(5_000, 0));
    let tenant = workspace.governed("Contoso", &profile, &many(5_000, 50));
    let run = workspace.compare(&tenant);
    let ended = workspace.ended(&tenant, &run);
    assert_eq!(ended["outcome"], "succeeded", "{ended}");
    let processes = world.processes("compare");
    assert!(!processes.is_empty());
    for process in processes {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        println!("compare of 5,000 policies: {peak} KB");
        assert!(peak <= MOST, "{peak} KB");
    }
}
