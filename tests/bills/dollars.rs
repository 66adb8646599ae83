//! What a night costs in dollars, by the table of prices; too much fails.

use super::{billed, drain, fleet, look_after, told, unchanged_night};
use futures::executor::block_on;
use plumbline_ports::bill::Bill;
use plumbline_tests::policies::many;
use plumbline_tests::stage::must;

/// The dollars of a thousand nights of one tenant may be so many.
fn assert_dollars(what: &str, bill: &Bill, tenants: u32, most: f64) {
    let thousand = bill.dollars() / f64::from(tenants) * 1_000.0;
    println!("{what}: ${thousand:.5} for 1,000 tenant-nights, at most ${most}");
    assert!(thousand <= most, "${thousand:.5} for 1,000 tenant-nights:\n{}", told(bill));
}

#[test]
fn a_thousand_unchanged_nights() {
    let tenants = 50;
    let (stage, all) = fleet(tenants, 100, 40);
    let mut bill = unchanged_night(&stage, &all);
    bill.add(&look_after(&stage));
    assert_dollars("unchanged", &bill, tenants, 0.005);
}

/// One percent of a thousand policies drifted since the last night.
#[test]
fn a_thousand_nights_with_new_drift() {
    let tenants = 10;
    let (stage, all) = fleet(tenants, 1_000, 0);
    for tenant in &all {
        stage.import(*tenant, &many(1_000, 10));
    }
    let (ledger, system) = billed(&stage);
    must(block_on(system.tick()));
    assert_eq!(drain(&system), tenants);
    let mut bill = ledger.bill();
    bill.add(&look_after(&stage));
    for tenant in &all {
        assert_eq!(stage.findings(*tenant).len(), 10);
    }
    assert_dollars("1 % new", &bill, tenants, 0.04);
}
