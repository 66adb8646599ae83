//! A small world: one workspace, tenants with policies that tests change, and shorthand for each step.

use futures::executor::block_on;
use jiff::SignedDuration;
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::ids::{FindingId, ProfileId, TenantId, WorkspaceId};
use plumbline_governance::profile::ProfileStatus;
use plumbline_governance::run::Run;
use plumbline_governance::scope::Scope;
use plumbline_operations::{
    Actor, CoverageClaim, Handled, ImportOptions, Imported, NamedBytes, NewProfile, OperationError,
    Person, SeenFinding, System,
};
use plumbline_policy::tenant::TenantFacts;
use plumbline_ports::{Ports, QueueName};
use plumbline_testkit::clock::ManualClock;
use plumbline_testkit::memory;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ports: Ports,
    pub(crate) system: System,
    pub(crate) workspace: WorkspaceId,
    pub(crate) actor: Actor,
}

/// The policies of one tenant by file name.
pub(crate) type Policies = BTreeMap<String, Value>;

/// A settings catalog policy.
pub(crate) fn catalog(id: u32, name: &str, settings: &[(&str, &str)]) -> Value {
    let settings: Vec<Value> = settings
        .iter()
        .enumerate()
        .map(|(at, (definition, value))| {
            json!({ "id": at.to_string(), "settingInstance": {
                "@odata.type": "#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance",
                "settingDefinitionId": definition,
                "choiceSettingValue": { "value": format!("{definition}_{value}"), "children": [] } } })
        })
        .collect();
    json!({ "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/configurationPolicies/$entity",
        "id": format!("5e11ab1e-0000-4000-8000-{id:012}"), "name": name, "description": "",
        "platforms": "windows10", "technologies": "mdm", "roleScopeTagIds": ["0"],
        "templateReference": { "templateFamily": "none" }, "settings": settings })
}

pub(crate) fn three() -> Policies {
    [("a", 1), ("b", 2), ("c", 3)]
        .map(|(name, id)| {
            let policy = catalog(id, &format!("Win - {name}"), &[("one", "1"), ("two", "2")]);
            (name.to_owned(), policy)
        })
        .into()
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        Self::over(memory::ports(Arc::clone(&clock) as _), clock)
    }

    pub(crate) fn over(ports: Ports, clock: Arc<ManualClock>) -> Self {
        let system = System::new(ports.clone());
        let person = Person { issuer: "local".to_owned(), subject: "eve".to_owned() };
        let workspace = block_on(system.create_workspace(&person, &Actor::new("eve"), "North"))
            .expect("a workspace")
            .id;
        Self { clock, ports, system, workspace, actor: Actor::new("eve") }
    }

    pub(crate) fn tenant(&self, name: &str) -> TenantId {
        let facts = TenantFacts::default();
        block_on(self.system.add_tenant(self.workspace, &self.actor, name, facts))
            .expect("a tenant")
            .id
    }

    pub(crate) fn profile(&self, name: &str) -> ProfileId {
        let new = NewProfile {
            name: name.to_owned(),
            scope: Scope {
                policy_types: vec!["settingsCatalogPolicy".to_owned()],
                foundation_types: vec![],
            },
            ..NewProfile::default()
        };
        block_on(self.system.create_profile(self.workspace, &self.actor, new))
            .expect("a profile")
            .id
    }

    pub(crate) fn import(&self, tenant: TenantId, policies: &Policies) -> Imported {
        let options =
            ImportOptions { coverage: CoverageClaim::Complete, ..ImportOptions::default() };
        self.import_with(tenant, policies, &options).expect("an import")
    }

    pub(crate) fn import_with(
        &self,
        tenant: TenantId,
        policies: &Policies,
        options: &ImportOptions,
    ) -> Result<Imported, OperationError> {
        let mut documents = policies.iter().map(|(name, value)| {
            let named: NamedBytes = (format!("{name}.json"), value.to_string().into_bytes());
            Ok(named)
        });
        block_on(self.system.import(self.workspace, &self.actor, tenant, options, &mut documents))
    }

    /// Works until no message is left.
    pub(crate) fn drain(&self) -> Vec<Run> {
        let mut out = Vec::new();
        for _ in 0..200 {
            let mut any = false;
            for queue in QueueName::ALL {
                for handled in block_on(self.system.work(queue, 10)).expect("the queue answers") {
                    any = true;
                    if let Handled::Ended(run) = handled {
                        out.push(*run);
                    }
                }
            }
            if !any {
                return out;
            }
        }
        panic!("the work never ends");
    }

    pub(crate) fn capture(&self, profile: ProfileId, source: TenantId) -> Run {
        block_on(self.system.start_capture(self.workspace, &self.actor, profile, source))
            .expect("a capture");
        self.drain().pop().expect("a run that ended")
    }

    pub(crate) fn activate(&self, profile: ProfileId) {
        let to = ProfileStatus::Active;
        block_on(self.system.set_profile_status(self.workspace, &self.actor, profile, to, None))
            .expect("an active profile");
    }

    pub(crate) fn assign(&self, tenant: TenantId, profile: ProfileId) {
        block_on(self.system.assign(self.workspace, &self.actor, tenant, profile, None, None))
            .expect("an assignment");
    }

    pub(crate) fn compare(&self, tenant: TenantId) -> Run {
        self.clock.advance(SignedDuration::from_secs(60));
        block_on(self.system.start_compare(self.workspace, &self.actor, tenant))
            .expect("a compare");
        self.drain().pop().expect("a run that ended")
    }

    pub(crate) fn findings(&self, tenant: TenantId) -> Vec<SeenFinding> {
        block_on(self.system.findings(self.workspace, tenant)).expect("findings")
    }

    pub(crate) fn act(&self, tenant: TenantId, id: FindingId, action: &FindingAction) {
        self.clock.advance(SignedDuration::from_secs(1));
        block_on(self.system.act(self.workspace, &self.actor, tenant, id, action, None))
            .expect("an action");
    }

    /// A golden tenant and another with the same policies, captured and assigned.
    pub(crate) fn governed(&self) -> (TenantId, ProfileId) {
        let golden = self.tenant("golden");
        let other = self.tenant("other");
        let profile = self.profile("Gold");
        self.import(golden, &three());
        let run = self.capture(profile, golden);
        assert_eq!(run.outcome().as_str(), "succeeded", "{:?}", run.failure());
        self.activate(profile);
        self.assign(other, profile);
        self.import(other, &three());
        (other, profile)
    }
}
