//! A workspace with one of everything, for suites over the API.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a step of a test may panic")]

use crate::policies::{FEATURE, feature, policies};
use crate::stage::{complete, must, scope};
use plumbline_governance::access::MemberRole;
use plumbline_governance::ids::{
    FindingId, ProfileId, RunId, SnapshotId, TenantId, UploadId, WorkspaceId,
};
use plumbline_operations::{Actor, NewProfile, Person, System};

/// What one workspace holds: one of everything.
#[derive(Clone, Debug)]
pub struct Holding {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The golden tenant.
    pub golden: TenantId,
    /// A tenant with findings.
    pub first: TenantId,
    /// Another one with findings.
    pub second: TenantId,
    /// The profile that the tenants are held to.
    pub profile: ProfileId,
    /// Its snapshot.
    pub snapshot: SnapshotId,
    /// A run of the first tenant.
    pub run: RunId,
    /// A run of the second tenant.
    pub second_run: RunId,
    /// A member who only reads.
    pub viewer: String,
    /// A subject that the first tenant has.
    pub item: String,
    /// A subject that the snapshot holds.
    pub snapshot_item: String,
    /// An upload of the first tenant.
    pub upload: UploadId,
    /// An upload of the second tenant.
    pub second_upload: UploadId,
    /// A finding of the first tenant, and one of the second.
    pub findings: [FindingId; 2],
}

impl Holding {
    /// Makes a workspace with one of everything, owned by `owner`. It ends when all of its work is done.
    ///
    /// # Panics
    /// When a step is refused.
    pub async fn make(system: &System, owner: &Person) -> Self {
        let actor = Actor::new(&owner.subject);
        let named = |name: &str| format!("{} {name}", owner.subject);
        let made = must(system.create_workspace(owner, &actor, &named("space")).await);
        let workspace = made.id;
        let tenant = async |name: &str| {
            let facts = plumbline_policy::tenant::TenantFacts::default();
            must(system.add_tenant(workspace, &actor, &named(name), facts).await).id
        };
        let (golden, first, second) =
            (tenant("golden").await, tenant("first").await, tenant("second").await);
        let new = NewProfile {
            name: named("profile"),
            scope: scope(&[FEATURE]),
            ..NewProfile::default()
        };
        let profile = must(system.create_profile(workspace, &actor, new).await).id;
        let full = policies([feature("alpha", 1, "22H2"), feature("beta", 2, "22H2")]);
        let less = policies([feature("alpha", 1, "23H2")]);
        for (tenant, policies) in [(golden, &full), (first, &less), (second, &less)] {
            let mut documents = policies
                .iter()
                .map(|(name, value)| Ok((format!("{name}.json"), value.to_string().into_bytes())));
            must(system.import(workspace, &actor, tenant, &complete(), &mut documents).await);
        }
        let capture = must(system.start_capture(workspace, &actor, profile, golden).await).run;
        drain(system).await;
        must(
            system
                .set_profile_status(
                    workspace,
                    &actor,
                    profile,
                    plumbline_governance::profile::ProfileStatus::Active,
                    None,
                )
                .await,
        );
        for tenant in [first, second] {
            must(system.assign(workspace, &actor, tenant, profile, None, None).await);
            must(system.start_compare(workspace, &actor, tenant).await);
        }
        drain(system).await;
        let capture = must(system.run(workspace, golden, capture.id).await);
        let reader = Person { issuer: owner.issuer.clone(), subject: named("reader") };
        let viewer = MemberRole::Viewer.into();
        must(system.set_member(workspace, &actor, &reader, viewer, None).await);
        let viewer = reader.member_id();
        let snapshot = capture.context.baseline_snapshot_id.unwrap();
        let frozen =
            must(system.snapshot_items(workspace, profile, snapshot, None, None, 10).await);
        let items = must(system.inventory_items(workspace, first, None, None, 10).await);
        must(system.refresh_overview(workspace).await);
        let of =
            |tenant| async move { must(system.findings(workspace, tenant).await)[0].finding.id };
        Self {
            workspace,
            golden,
            first,
            second,
            profile,
            snapshot,
            run: must(system.runs(workspace, first, 10).await)[0].id,
            second_run: must(system.runs(workspace, second, 10).await)[0].id,
            viewer,
            item: items.items[0].item_id.clone(),
            snapshot_item: frozen.items[0].item_id.clone(),
            upload: must(system.start_upload(workspace, &actor, first).await).id,
            second_upload: must(system.start_upload(workspace, &actor, second).await).id,
            findings: [of(first).await, of(second).await],
        }
    }
}

/// Does what is queued.
///
/// # Panics
/// When the queue does not answer.
pub async fn drain(system: &System) {
    for queue in plumbline_ports::QueueName::ALL {
        while !must(system.work(queue, 10).await).is_empty() {}
    }
}
