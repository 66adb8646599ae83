//! `plumbline cost`: real nights of a sample, counted and priced.

use super::{World, run};
use serde_json::Value;

/// The numbers of one part, for one tenant.
#[track_caller]
fn part<'v>(sheet: &'v Value, name: &str) -> &'v Value {
    let parts = sheet["per_tenant_night"].as_array().expect("parts");
    parts.iter().find(|part| part["part"] == name).unwrap_or_else(|| panic!("no {name} in {sheet}"))
}

#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[track_caller]
fn cost(arguments: &str) -> Value {
    let world = World::new();
    let done = world.run(&format!("cost --format json {arguments}"));
    assert_eq!((done.code, &*done.err), (Some(0), ""), "{}", done.out);
    assert_eq!(world.listing(), Vec::<String>::new(), "nothing is left behind");
    done.json()
}

/// A figure without its fraction.
fn whole(figure: f64) -> String {
    format!("{figure:.0}")
}

#[test]
fn an_unchanged_night_reads_three_rows_and_writes_two() {
    let sheet = cost("--tenants 1000 --policies 20 --drift 0");
    let counted = &part(&sheet, "compares")["counted"];
    // Guard and assignment, profile, state; run and guard in one transaction.
    assert_eq!(whole(number(&counted["DynamoDB read units"])), "3", "{counted}");
    assert_eq!(whole(number(&counted["DynamoDB write units"])), "4", "{counted}");
    for none in ["S3 PUT and LIST", "S3 GET"] {
        assert_eq!(counted.get(none), None, "{counted}");
    }
    // Ten messages are one request: one to receive them and one to delete them.
    assert_eq!(whole(number(&counted["SQS requests"]) * 10.0), "2", "{counted}");
    assert!(number(&sheet["dollars"]["per_tenant_night"]) > 0.0);
}

#[test]
fn drift_is_paid_by_finding() {
    let (less, more) = (cost("--policies 40 --drift 5"), cost("--policies 40 --drift 25"));
    assert_eq!((&less["drifted_policies"], &more["drifted_policies"]), (&2.into(), &10.into()));
    let writes =
        |sheet: &Value| number(&part(sheet, "compares")["counted"]["DynamoDB write units"]);
    // A row of a finding in a transaction, and its place in the index.
    assert_eq!(whole(writes(&more) - writes(&less)), "24", "three for each of eight");
    let puts = |sheet: &Value| number(&part(sheet, "compares")["counted"]["S3 PUT and LIST"]);
    assert_eq!((puts(&less), puts(&more)), (1.0, 1.0), "evidence is one object");
}

#[test]
fn the_sums_are_those_of_the_parts_and_of_the_prices() {
    let sheet = cost("--tenants 300 --policies 20 --drift 10");
    let parts = sheet["per_tenant_night"].as_array().expect("parts");
    let price = |charge: &str| {
        let prices = sheet["prices"].as_array().expect("prices");
        let price = prices.iter().find(|price| price["of"] == charge).expect("a price");
        number(&price["dollars"]) / number(&price["per"])
    };
    let near = |one: f64, two: f64| (one - two).abs() <= one.abs() * 1e-9;
    let mut night = 0.0;
    for part in parts {
        let priced: f64 = ["counted", "assumed"]
            .into_iter()
            .flat_map(|kind| part[kind].as_object().expect("units"))
            .map(|(charge, units)| number(units) * price(charge))
            .sum();
        assert!(near(number(&part["dollars"]), priced), "{part}: {priced}");
        night += priced;
    }
    let dollars = &sheet["dollars"];
    assert!(near(number(&dollars["per_tenant_night"]), night), "{dollars}: {night}");
    assert!(near(number(&dollars["per_1000_tenant_nights"]), night * 1_000.0), "{dollars}");
    assert!(near(number(&dollars["per_month"]), night * 300.0 * 30.0), "{dollars}");
}

#[test]
fn a_large_fleet_shares_the_start_of_the_night() {
    let start = |tenants: u32| {
        let sheet = cost(&format!("--tenants {tenants} --policies 10 --drift 0"));
        number(&part(&sheet, "start of the night")["dollars"]) * f64::from(tenants)
    };
    let (one, many) = (start(1), start(100));
    assert!(one < many && many < one * 20.0, "{one} for one tenant, {many} for a hundred");
}

#[test]
fn what_is_counted_is_told_from_what_is_assumed() {
    let world = World::new();
    let done = world.run("cost --tenants 50 --policies 10 --drift 10");
    assert_eq!((done.code, &*done.err), (Some(0), ""));
    for words in [
        "A night of 50 tenants with 10 policies each, 1 of them with new drift",
        "1,000 tenant-nights",
        "Counted  Units and requests: each call of real nights of 1 and of 11 tenants",
        "Assumed  Lambda's time is worked out, not measured",
        "us-east-1",
    ] {
        assert!(done.out.contains(words), "{words:?} is not in {}", done.out);
    }
}

#[test]
fn values_that_are_none() {
    let world = World::new();
    for (arguments, next) in [
        ("--tenants 0", "write a whole number of tenants, 1 to 1000000"),
        ("--tenants 1000001", "write a whole number of tenants, 1 to 1000000"),
        ("--tenants many", "write a whole number of tenants, 1 to 1000000"),
        ("--policies 0", "write a whole number of policies, 1 to 20000"),
        ("--policies 1.5", "write a whole number of policies, 1 to 20000"),
        ("--drift 101", "write percent, 0 to 100, such as 1 or 0.5"),
        ("--drift=-1", "write percent, 0 to 100, such as 1 or 0.5"),
        ("--drift NaN", "write percent, 0 to 100, such as 1 or 0.5"),
        ("--drift 1%", "write percent, 0 to 100, such as 1 or 0.5"),
    ] {
        let done = run(world.path(), &format!("cost {arguments}"));
        assert_eq!((done.code, &*done.out), (Some(1), ""), "{arguments}");
        assert!(done.err.contains(next), "{arguments}: {}", done.err);
    }
    world
        .run("cost --policies 10 --drift 1")
        .fails("1 % of 10 policies is less than one policy; give a higher --drift, or 0");
    world
        .run("cost --server https://plumbline.example")
        .fails("cost does not go to a server; leave --server out");
}
