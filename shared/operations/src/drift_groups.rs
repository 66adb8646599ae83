//! The same drift in many tenants, as one thing: what all of them have in common is decided once.

use crate::error::OperationError;
use crate::repository::Row as _;
use crate::repository::keys;
use crate::repository::rows::{DriftGroup, DriftGroups, GroupSample, urgency};
use crate::system::System;
use plumbline_governance::finding::record::Finding;
use plumbline_governance::ids::{ProfileId, TenantId, WorkspaceId};
use plumbline_governance::notice::Notice;
use plumbline_governance::report::ChangeType;
use plumbline_governance::severity::Severity;
use plumbline_ports::{Batch, Index, IndexQuery, Range};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;

/// The most groups that are kept.
const MAX_GROUPS: usize = 1_000;
/// The most groups that are told apart while they are gathered; what comes after them is left out.
const MAX_GATHERED: usize = 10_000;
/// How many findings of a group are named.
const SAMPLES: usize = 5;
/// How many findings are held at a time.
const LOT: usize = 500;
/// The statuses of what is open.
const OPEN: [&str; 3] = ["new", "reopened", "acknowledged"];

/// What findings of one group have in common.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Common {
    profile: ProfileId,
    policy_type: String,
    subject_key: String,
    change_type: ChangeType,
    baseline_hash: Option<String>,
    current_hash: Option<String>,
}

impl Common {
    fn of(finding: &Finding) -> Self {
        let drift = &finding.drift;
        Self {
            profile: finding.profile,
            policy_type: drift.policy_type.clone(),
            subject_key: drift.subject_key.clone(),
            change_type: drift.change_type,
            baseline_hash: drift.baseline_hash.clone(),
            current_hash: drift.current_hash.clone(),
        }
    }
}

/// A group as it is gathered.
struct Gathered {
    display_name: String,
    severity: Severity,
    notice: Option<Notice>,
    tenants: FxHashSet<TenantId>,
    samples: Vec<GroupSample>,
}

#[derive(Default)]
struct Groups {
    by_common: FxHashMap<Common, Gathered>,
    truncated: bool,
}

impl Groups {
    fn add(&mut self, finding: &Finding) {
        let common = Common::of(finding);
        if !self.by_common.contains_key(&common) && self.by_common.len() >= MAX_GATHERED {
            self.truncated = true;
            return;
        }
        let group = self.by_common.entry(common).or_insert_with(|| Gathered {
            display_name: finding.drift.display_name.clone(),
            severity: finding.drift.severity,
            notice: Notice::of_rule(&finding.drift.severity_rule),
            tenants: FxHashSet::default(),
            samples: Vec::new(),
        });
        group.severity = group.severity.max(finding.drift.severity);
        if group.tenants.insert(finding.tenant) && group.samples.len() < SAMPLES {
            group.samples.push(GroupSample { tenant: finding.tenant, finding: finding.id });
        }
    }

    /// The groups that most tenants have, first.
    fn finish(self) -> (Vec<DriftGroup>, bool) {
        let mut groups: Vec<DriftGroup> = self
            .by_common
            .into_iter()
            .map(|(common, gathered)| DriftGroup {
                profile: common.profile,
                policy_type: common.policy_type,
                subject_key: common.subject_key,
                change_type: common.change_type,
                baseline_hash: common.baseline_hash,
                current_hash: common.current_hash,
                display_name: gathered.display_name,
                severity: gathered.severity,
                notice: gathered.notice,
                tenants: gathered.tenants.len() as u64,
                samples: gathered.samples,
            })
            .collect();
        let order = |one: &DriftGroup| {
            (
                Reverse((one.tenants, one.severity)),
                one.policy_type.clone(),
                one.subject_key.clone(),
                one.profile,
                one.change_type,
                one.baseline_hash.clone(),
                one.current_hash.clone(),
            )
        };
        groups.sort_by_cached_key(order);
        let truncated = self.truncated || groups.len() > MAX_GROUPS;
        groups.truncate(MAX_GROUPS);
        (groups, truncated)
    }
}

impl System {
    /// Groups the open findings of a workspace, a page at a time.
    pub(crate) async fn make_groups(&self, workspace: WorkspaceId) -> Result<(), OperationError> {
        let mut groups = Groups::default();
        for word in OPEN {
            for severity in [Severity::High, Severity::Medium, Severity::Low] {
                let mut query = IndexQuery {
                    index: Index::Findings,
                    pk: keys::workspace(workspace),
                    range: Range::Prefix(format!("{word}#{}#", urgency(severity))),
                    after: None,
                    limit: LOT,
                    descending: true,
                };
                loop {
                    let page = self.ports.records.query_index(&query).await?;
                    for record in &page.records {
                        match self.decode::<Finding>(record).await {
                            Ok(found) => groups.add(&found.row),
                            Err(OperationError::Port(error)) => return Err(error.into()),
                            // One that cannot be read holds no other up; the list is not whole then.
                            Err(_) => groups.truncated = true,
                        }
                    }
                    match page.next {
                        Some(next) => query.after = Some(next),
                        None => break,
                    }
                }
            }
        }
        let (groups, truncated) = groups.finish();
        let row = DriftGroups { workspace, as_of: self.now(), groups, truncated };
        let read = self.standing_revision(&row.key()).await?;
        let batch = self.upsert(Batch::new(), &row, read).await?;
        self.commit_if(batch).await.map(drop)
    }
}
