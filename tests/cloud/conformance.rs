//! The suites of the ports.

use crate::stage::{Stage, run};
use plumbline_ports::conformance::{objects, queue, records, secrets};

/// Two hundred rounds of twelve writers are among the rules.
#[test]
fn records_conform() {
    let stage = Stage::new();
    run(async { records::all(&*stage.ports().await.records).await });
}

#[test]
fn objects_conform() {
    let stage = Stage::new();
    run(async { objects::all(&*stage.ports().await.objects).await });
}

/// But for fairness, which the server does not play.
#[test]
fn the_queue_conforms() {
    let stage = Stage::new();
    run(async {
        queue::all_but_fairness(&*stage.ports().await.queue, queue::Time::waited()).await;
    });
}

#[test]
fn secrets_conform() {
    let (stage, other) = (Stage::new(), Stage::new());
    run(async {
        let (one, same) = (stage.ports().await.secrets, stage.ports().await.secrets);
        secrets::all(&*one).await;
        secrets::keys_are_told_apart(&*one, &*same, &*other.ports().await.secrets).await;
    });
}
