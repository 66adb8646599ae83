//! What a worker needs.

use crate::people::Workspace;
use crate::world::World;
use plumbline_tests::functions;
use plumbline_tests::policies::{FEATURE, many};

/// What a compare of 5,000 policies takes, beside the pages of the program itself: those are a matter of how
/// it was built, and the tests build it larger than a release is.
#[test]
fn a_compare_of_five_thousand_policies_is_small() {
    const MOST: u64 = 24 * 1_024;
    const DEPLOYED_MOST: u64 = 32 * 1_024;
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
        let kilobytes = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim_matches([':', '\t', ' ', 'k', 'B']).parse().unwrap()
        };
        let (peak, program) = (kilobytes("VmHWM"), kilobytes("RssFile"));
        println!("compare of 5,000 policies: at most {peak} KB, {program} KB of them the program");
        assert!(peak - program <= MOST, "{peak} KB, {program} KB of them the program");
        if functions::released().is_some() {
            assert!(peak <= DEPLOYED_MOST, "{peak} KB");
        }
    }
}
