//! Findings: what drifted, with evidence, and what people decide about it.

use crate::Api;
use crate::access::Here;
use crate::answer::tagged;
use crate::problem::{BAD_REQUEST, Problem};
use crate::request::{At, Body, Expect, Listing, PageOf, Paging, Several, text};
use crate::table::{Access, Route};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use plumbline_governance::access::Capability;
use plumbline_governance::finding::record::{Finding, SeenAtWrite};
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::ids::{FindingId, ProfileId, RunId, TenantId};
use plumbline_governance::report::{ChangeType, Drift};
use plumbline_governance::schema::Moment;
use plumbline_governance::severity::Severity;
use plumbline_governance::text::{MAX_REASON, line};
use plumbline_operations::{FindingFilter, MAX_AT_ONCE, OperationError, SeenFinding};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const TAG: &str = "Findings";
const ONE: &str = "/v1/workspaces/{workspace}/tenants/{tenant}/findings/{finding}";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/workspaces/{workspace}/findings", list)
            .access(Access::Member(Capability::Read))
            .does(TAG, "List findings, the most urgent first")
            .about("Filters are joined by and; a filter with several words holds for each of them.")
            .query::<FindingQuery>()
            .gives::<PageOf<FindingView>>(200, "A page of them."),
        Route::get(ONE, show)
            .access(Access::Member(Capability::Read))
            .does(TAG, "Read a finding")
            .gives::<FindingView>(200, "The finding.")
            .tagged(),
        Route::get(
            "/v1/workspaces/{workspace}/tenants/{tenant}/findings/{finding}/evidence",
            evidence,
        )
        .access(Access::Member(Capability::Read))
        .does(TAG, "Read the evidence of a finding")
        .about(
            "The drift setting by setting, as the compare stored it; for roles also what they grant, action \
             by action. No provider is asked.",
        )
        .gives::<Drift>(200, "The drift, in the form of the compare report."),
        Route::post("/v1/workspaces/{workspace}/tenants/{tenant}/findings/{finding}/actions", act)
            .access(Access::Member(Capability::ActOnFindings))
            .does(TAG, "Decide about a finding")
            .body::<Action>()
            .if_match()
            .gives::<FindingView>(200, "The finding as it is now.")
            .tagged(),
        Route::post("/v1/workspaces/{workspace}/findings/actions", act_on_all)
            .access(Access::Member(Capability::ActOnFindings))
            .does(TAG, "Decide about many findings")
            .about("Up to 100 a request, each for itself: what fails does not hold the others up.")
            .body::<BulkAction>()
            .gives::<BulkResult>(200, "What came of each, in the order of the request."),
    ]
}

/// A finding with its counts up to date.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct FindingView {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Compares that saw the drift.
    pub times_seen: u64,
    /// The last of them.
    #[schemars(with = "Moment")]
    pub last_seen_at: Timestamp,
}

impl FindingView {
    pub(crate) fn new(finding: Finding, seen: SeenAtWrite) -> Self {
        Self { finding, times_seen: seen.times, last_seen_at: seen.last_at }
    }
}

impl From<SeenFinding> for FindingView {
    fn from(seen: SeenFinding) -> Self {
        Self::new(seen.finding, seen.seen)
    }
}

/// Where a finding may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StatusWord {
    New,
    Acknowledged,
    Reopened,
    Resolved,
    Accepted,
    Closed,
}

impl StatusWord {
    fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Acknowledged => "acknowledged",
            Self::Reopened => "reopened",
            Self::Resolved => "resolved",
            Self::Accepted => "accepted",
            Self::Closed => "closed",
        }
    }
}

/// Which findings.
#[derive(Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindingFilterQuery {
    /// Those of this tenant.
    #[serde(default, deserialize_with = "text")]
    tenant: Option<TenantId>,
    /// Those of this profile.
    #[serde(default, deserialize_with = "text")]
    profile: Option<ProfileId>,
    /// Those that stand so, such as `new,reopened`.
    #[serde(default)]
    status: Several<StatusWord>,
    /// Those so urgent.
    #[serde(default)]
    severity: Several<Severity>,
    /// Those of these catalog keys.
    #[serde(default, rename = "type")]
    policy_type: Several<String>,
    /// Those of these kinds of drift.
    #[serde(default)]
    change_type: Several<ChangeType>,
    /// Those that this run wrote last.
    #[serde(default, deserialize_with = "text")]
    run: Option<RunId>,
    /// Those first seen at this moment or later.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<Moment>")]
    first_seen_since: Option<Timestamp>,
    /// Those first seen before this moment.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<Moment>")]
    first_seen_until: Option<Timestamp>,
    /// Those that changed at this moment or later.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<Moment>")]
    changed_since: Option<Timestamp>,
    /// Those that last changed before this moment.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<Moment>")]
    changed_until: Option<Timestamp>,
}

impl FindingFilterQuery {
    /// The filter of the operation, for what this member may see.
    pub(crate) fn of(&self, here: &Here) -> Result<FindingFilter, Problem> {
        if let Some(tenant) = self.tenant {
            here.see(tenant)?;
        }
        Ok(FindingFilter {
            tenant: self.tenant,
            within: here.within(),
            profile: self.profile,
            statuses: self.status.0.iter().map(|word| word.as_str().to_owned()).collect(),
            severities: self.severity.0.iter().copied().collect(),
            policy_types: self.policy_type.0.iter().cloned().collect(),
            change_types: self.change_type.0.iter().copied().collect(),
            run: self.run,
            first_seen_since: self.first_seen_since,
            first_seen_until: self.first_seen_until,
            changed_since: self.changed_since,
            changed_until: self.changed_until,
        })
    }
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct FindingQuery {
    #[schemars(flatten)]
    filter: FindingFilterQuery,
    #[schemars(flatten)]
    paging: Paging,
}

/// What is decided.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
enum Action {
    /// "I know of it."
    Acknowledge {},
    /// "It may be so", for exactly this drift.
    Accept {
        /// Why.
        #[schemars(length(min = 1, max = 2000))]
        reason: String,
        /// Until when; without an end if not given.
        #[serde(default)]
        #[schemars(with = "Option<Moment>")]
        until: Option<Timestamp>,
    },
    /// "I want to hear no more of it", of exactly this drift.
    Close {
        /// Why.
        #[schemars(length(min = 1, max = 2000))]
        reason: String,
    },
    /// "It counts again."
    Reopen {
        /// Why.
        #[schemars(length(min = 1, max = 2000))]
        reason: String,
    },
}

impl From<Action> for FindingAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Acknowledge {} => Self::Acknowledge,
            Action::Accept { reason, until } => Self::Accept { reason, until },
            Action::Close { reason } => Self::Close { reason },
            Action::Reopen { reason } => Self::Reopen { reason },
        }
    }
}

/// One finding of many.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema, Serialize,
)]
#[serde(deny_unknown_fields)]
struct FindingPlace {
    /// Its tenant.
    tenant: TenantId,
    /// Its id.
    finding: FindingId,
}

/// A decision about many findings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BulkAction {
    /// The findings, 1 to 100, each once.
    #[schemars(length(min = 1, max = 100))]
    findings: Vec<FindingPlace>,
    /// What is decided about each.
    decision: Action,
}

/// What came of a decision about many findings.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
pub struct BulkResult {
    /// Each finding, in the order of the request.
    pub results: Vec<BulkItem>,
}

/// What came of one of them.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
pub struct BulkItem {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its id.
    pub finding: FindingId,
    /// The status now; null where nothing was done.
    pub status: Option<String>,
    /// Why nothing was done.
    pub problem: Option<Problem>,
}

#[derive(Deserialize)]
struct Place {
    tenant: TenantId,
    finding: FindingId,
}

async fn list(
    State(api): State<Api>,
    here: Here,
    listing: Listing<FindingFilterQuery>,
) -> Result<Json<PageOf<FindingView>>, Problem> {
    let filter = listing.filter.of(&here)?;
    let page =
        api.system().finding_page(here.workspace, &filter, listing.after(), listing.limit).await?;
    Ok(Json(listing.page(page, FindingView::from)?))
}

async fn show(State(api): State<Api>, here: Here, At(at): At<Place>) -> Result<Response, Problem> {
    let stored = api.system().stored_finding(here.workspace, at.tenant, at.finding).await?;
    let seen = api.system().complete(stored.row).await?;
    Ok(tagged(StatusCode::OK, stored.revision, &FindingView::from(seen)))
}

async fn evidence(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
) -> Result<Json<Drift>, Problem> {
    let seen = api.system().finding(here.workspace, at.tenant, at.finding).await?;
    Ok(Json(api.system().evidence(&seen.finding).await?))
}

async fn act(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Expect(expect): Expect,
    Body(action): Body<Action>,
) -> Result<Response, Problem> {
    let action = FindingAction::from(action);
    api.system().act(here.workspace, &here.actor, at.tenant, at.finding, &action, expect).await?;
    show(State(api), here, At(at)).await
}

async fn act_on_all(
    State(api): State<Api>,
    here: Here,
    Body(bulk): Body<BulkAction>,
) -> Result<Json<BulkResult>, Problem> {
    let count = bulk.findings.len();
    if !(1..=MAX_AT_ONCE).contains(&count) {
        return Err(
            BAD_REQUEST.because(format!("`findings` names {count}; it takes 1 to {MAX_AT_ONCE}"))
        );
    }
    if bulk.findings.iter().collect::<BTreeSet<_>>().len() < count {
        return Err(BAD_REQUEST.because("`findings` names one of them twice"));
    }
    let action = FindingAction::from(bulk.decision);
    // One reason for all: where it is none, the request is wrong, and not each finding in turn.
    if let Some(reason) = action.reason() {
        line("the reason", reason, MAX_REASON)
            .map_err(|error| Problem::from(OperationError::from(error)))?;
    }
    let told = |place: &FindingPlace| here.member.sees(place.tenant);
    let seen: Vec<(TenantId, FindingId)> = bulk
        .findings
        .iter()
        .filter(|place| told(place))
        .map(|one| (one.tenant, one.finding))
        .collect();
    let acted = api.system().act_on_all(here.workspace, &here.actor, &seen, &action).await?;
    let mut acted = acted.into_iter();
    let mut results = Vec::with_capacity(count);
    for place in &bulk.findings {
        // One that the member may not know of is as one that is not there.
        let acted = if told(place) { acted.next() } else { None };
        let done = match acted {
            Some(one) => one.result.map_err(Problem::from),
            None => Err(crate::access::no("finding")),
        };
        let (tenant, finding) = (place.tenant, place.finding);
        results.push(match done {
            Ok(now) => {
                let status = Some(now.state.as_str().to_owned());
                BulkItem { tenant, finding, status, problem: None }
            }
            Err(problem) => BulkItem { tenant, finding, status: None, problem: Some(problem) },
        });
    }
    Ok(Json(BulkResult { results }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbline_governance::finding::state::FindingState;
    use serde_json::Value;

    #[test]
    fn every_status_has_its_word() {
        for word in FindingState::WORDS {
            let read: StatusWord = serde_json::from_value(Value::from(word)).unwrap();
            assert_eq!(read.as_str(), word);
        }
    }
}
