//! A worker's system reaches one workspace: in the cloud its rights end there, so that nothing it does may
//! touch a row or an object of anybody else, or of nobody.

use crate::events::batch_of;
use crate::workers::on_runtime;
use async_trait::async_trait;
use jiff::civil::Date;
use plumbline_deadletter::DeadQueues;
use plumbline_governance::ids::WorkspaceId;
use plumbline_governance::run::RunType;
use plumbline_lambda_kit::Systems;
use plumbline_operations::{OperationError, System, Work};
use plumbline_ports::objects::Listing;
use plumbline_ports::{
    Batch, Clock as _, CommitError, IndexPosition, IndexQuery, Key, ObjectKey, Objects, Page,
    PortError, Ports, PutOutcome, Query, QueueName, Record, Records, RootKey, Secrets,
};
use plumbline_tests::policies::{FEATURE, many};
use plumbline_tests::stage::{Stage, must};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Ports that end at a workspace, as a session of the data role does. What was asked for beyond is kept.
#[derive(Clone)]
struct Fence {
    ports: Ports,
    workspace: WorkspaceId,
    beyond: Arc<Mutex<Vec<String>>>,
}

impl Fence {
    fn refuse(&self, what: &str) -> PortError {
        self.beyond.lock().unwrap().push(what.to_owned());
        PortError::refused("reach over the fence", what)
    }

    fn partition(&self, pk: &str) -> Result<(), PortError> {
        let own = format!("WS#{}", self.workspace);
        let is_inside =
            pk.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('#'));
        if is_inside { Ok(()) } else { Err(self.refuse(pk)) }
    }

    fn folder(&self, folder: &str) -> Result<(), PortError> {
        let is_inside = format!("{folder}/").starts_with(&format!("ws/{}/", self.workspace));
        if is_inside { Ok(()) } else { Err(self.refuse(folder)) }
    }
}

#[async_trait]
impl Records for Fence {
    async fn get(&self, key: &Key) -> Result<Option<Record>, PortError> {
        self.partition(&key.pk)?;
        self.ports.records.get(key).await
    }

    async fn query(&self, query: &Query) -> Result<Page<String>, PortError> {
        self.partition(&query.pk)?;
        self.ports.records.query(query).await
    }

    async fn query_index(&self, query: &IndexQuery) -> Result<Page<IndexPosition>, PortError> {
        self.partition(&query.pk)?;
        self.ports.records.query_index(query).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        for action in &batch.actions {
            self.partition(&action.key().pk)?;
        }
        self.ports.records.commit(batch).await
    }
}

#[async_trait]
impl Objects for Fence {
    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>) -> Result<PutOutcome, PortError> {
        self.folder(key.folder())?;
        self.ports.objects.put(key, bytes).await
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, PortError> {
        self.folder(key.folder())?;
        self.ports.objects.get(key).await
    }

    async fn get_range(
        &self,
        key: &ObjectKey,
        offset: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, PortError> {
        self.folder(key.folder())?;
        self.ports.objects.get_range(key, offset, length).await
    }

    async fn list(
        &self,
        folder: &str,
        _: Option<&ObjectKey>,
        _: usize,
    ) -> Result<Listing, PortError> {
        Err(self.refuse(&format!("list {folder}")))
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), PortError> {
        Err(self.refuse(&format!("delete {}", key.folder())))
    }
}

/// Workers read no secret.
#[async_trait]
impl Secrets for Fence {
    async fn root_key(&self) -> Result<RootKey, PortError> {
        Err(self.refuse("the root key"))
    }
}

/// A system a workspace, each behind its fence.
struct Fenced {
    stage: Stage,
    beyond: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Systems for Fenced {
    async fn of(&self, workspace: WorkspaceId) -> Result<System, OperationError> {
        let ports = self.stage.raw.clone();
        let fence = Fence { ports: ports.clone(), workspace, beyond: Arc::clone(&self.beyond) };
        Ok(System::new(Ports {
            records: Arc::new(fence.clone()),
            objects: Arc::new(fence.clone()),
            secrets: Arc::new(fence),
            ..ports
        }))
    }

    fn whole(&self) -> System {
        System::new(self.stage.raw.clone())
    }
}

impl Fenced {
    fn new() -> Self {
        Self { stage: Stage::new(), beyond: Arc::default() }
    }

    fn work(&self, queue: QueueName, work: &[Work]) -> Vec<(&'static str, u64)> {
        let batch = batch_of(&self.stage, queue, work);
        let time = Duration::from_mins(1);
        let done = on_runtime(plumbline_lambda_kit::batch::work(self, queue, batch, time)).unwrap();
        done.counts.into_iter().collect()
    }
}

/// A capture, compares with new, changed and resolved findings, nights, a broken object, a superseded run,
/// letters: all of it within the fence.
#[test]
fn workers_stay_within_their_workspace() {
    let fenced = Fenced::new();
    let stage = &fenced.stage;
    let workspace = stage.workspace;
    let golden = stage.tenant("golden");
    let other = stage.tenant("other");
    let profile = stage.profile("Gold", &[FEATURE]);
    stage.import(golden, &many(30, 0));
    let captured = must(stage.start_capture(profile, golden)).run;
    let capture = Work::Run {
        workspace,
        tenant: golden,
        run: captured.id,
        run_type: RunType::BaselineCapture,
    };
    assert_eq!(fenced.work(QueueName::Capture, &[capture]), [("Succeeded", 1)]);
    stage.activate(profile);
    stage.assign(other, profile);
    let mut date = Date::constant(2026, 3, 1);
    // Drift comes, grows, changes nothing, and goes.
    for changed in [3, 12, 12, 0] {
        stage.import(other, &many(30, changed));
        stage.wait(60);
        let run = must(stage.start_compare(other)).run;
        let run_type = RunType::BaselineCompare;
        let compare = Work::Run { workspace, tenant: other, run: run.id, run_type };
        assert_eq!(fenced.work(QueueName::Compare, &[compare]), [("Succeeded", 1)]);
        stage.wait(60);
        date = date.tomorrow().unwrap();
        let night = Work::Night { workspace, tenant: other, date, due: stage.clock.now() };
        assert_eq!(fenced.work(QueueName::Compare, &[night]), [("Succeeded", 1)]);
    }
    // A letter of a run that was begun.
    stage.import(other, &many(30, 5));
    stage.wait(60);
    let run = must(stage.start_compare(other)).run;
    let run_type = RunType::BaselineCompare;
    let compare = Work::Run { workspace, tenant: other, run: run.id, run_type };
    let mut letter = batch_of(stage, QueueName::Compare, std::slice::from_ref(&compare));
    letter.records[0].event_source_arn = Some("arn:aws:sqs:eu-central-1:1:dead".to_owned());
    let queues = DeadQueues::named("none", "dead");
    let done = on_runtime(plumbline_deadletter::handle(&fenced, &queues, letter)).unwrap();
    assert_eq!(done.counts, [("LettersDone", 1)].into());
    // A night that nobody did.
    let due = stage.clock.now();
    let night = Work::Night { workspace, tenant: other, date: date.tomorrow().unwrap(), due };
    let mut letter = batch_of(stage, QueueName::Compare, &[night]);
    letter.records[0].event_source_arn = Some("arn:aws:sqs:eu-central-1:1:dead".to_owned());
    let done = on_runtime(plumbline_deadletter::handle(&fenced, &queues, letter)).unwrap();
    assert_eq!(done.counts, [("LettersDone", 1)].into());
    assert_eq!(*fenced.beyond.lock().unwrap(), Vec::<String>::new());
}

/// The control: what belongs to no workspace, or to another, is beyond the fence.
#[test]
fn the_fence_refuses() {
    let fenced = Fenced::new();
    let system = must(on_runtime(fenced.of(fenced.stage.workspace)));
    assert!(on_runtime(system.tick()).is_err());
    let elsewhere: WorkspaceId = "wsp_0190a5c2f0b07c3e8d1f4b6a9c0d2e11".parse().unwrap();
    assert!(on_runtime(system.workspace(elsewhere)).is_err());
    assert!(on_runtime(system.workspace(fenced.stage.workspace)).is_ok());
    assert!(fenced.beyond.lock().unwrap().len() >= 2);
}
