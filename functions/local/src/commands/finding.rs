//! `plumbline finding`: one finding with its evidence, and what a person does with findings.

use super::day::end_of_day;
use super::findings::{self, check_types};
use super::show::{facts, json, moment, show, visible};
use super::{EXIT_EQUAL, EXIT_ERROR, style, write_out};
use crate::cli::data::{DataArgs, Show, ShowFormat};
use crate::cli::work::{ActArgs, FindingCommand, FindingFilter};
use crate::client::{Client, sentence, short};
use crate::listing::label;
use crate::render;
use anyhow::bail;
use axum::http::StatusCode;
use plumbline_api::view::{BulkItem, BulkResult};
use plumbline_governance::badge::Domain;
use plumbline_governance::finding::record::Finding;
use plumbline_governance::finding::state::{BadAction, FindingAction, FindingState, Resolution};
use plumbline_governance::profile::Profile;
use plumbline_governance::report::Drift;
use plumbline_operations::{MAX_AT_ONCE, Tenant};
use plumbline_ports::Clock as _;
use plumbline_store_local::SystemClock;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

pub(super) fn run(args: &DataArgs, command: &FindingCommand) -> anyhow::Result<u8> {
    match command {
        FindingCommand::Show { id, show: form } => one(args, id, *form),
        FindingCommand::Acknowledge(given) => act(args, given, &FindingAction::Acknowledge),
        FindingCommand::Close(given) => {
            act(args, &given.act, &FindingAction::Close { reason: given.reason.clone() })
        }
        FindingCommand::Accept { act: given, until } => {
            let until = until.as_deref().map(end_of_day).transpose()?;
            let action = FindingAction::Accept { reason: given.reason.clone(), until };
            act(args, &given.act, &action)
        }
        FindingCommand::Reopen(given) => {
            act(args, &given.act, &FindingAction::Reopen { reason: given.reason.clone() })
        }
    }
}

fn one(args: &DataArgs, id: &str, form: Show) -> anyhow::Result<u8> {
    let client = Client::open(args)?;
    let mut found = client.findings_of(&[id.to_owned()])?;
    let Some(finding) = found.pop() else { return Ok(EXIT_EQUAL) };
    let evidence = client.get::<Value>(&format!("{}/evidence", path(&finding)));
    if form.format == ShowFormat::Json {
        let mut value = serde_json::to_value(&finding)?;
        if let (Value::Object(members), Ok(evidence)) = (&mut value, evidence) {
            members.insert("drift_in_full".to_owned(), evidence);
        }
        return show(form, &value, |_| String::new());
    }
    let tenant: Tenant = client.get(&format!("/tenants/{}", finding.tenant))?;
    let profile: Option<Profile> = client.find(&format!("/profiles/{}", finding.profile))?;
    let profile = profile.map_or_else(|| finding.profile.to_string(), |one| one.name);
    let mut out = facts(&[
        ("finding", finding.id.to_string()),
        ("tenant", visible(&tenant.name)),
        ("profile", visible(&profile)),
        ("status", status(&finding.state)),
        (
            "seen",
            format!(
                "{}, first {} UTC, last {} UTC",
                match finding.seen.times {
                    1 => "once".to_owned(),
                    times => format!("{times} times"),
                },
                moment(finding.first_seen_at),
                moment(finding.seen.last_at)
            ),
        ),
        ("occurrence", finding.occurrence.to_string()),
        ("recurrence", finding.recurrence_key.short()),
        ("fingerprint", finding.drift.fingerprint.short()),
    ]);
    out.push('\n');
    match evidence.map(serde_json::from_value::<Drift>) {
        Ok(Ok(drift)) => out.push_str(&render::evidence(&drift, style(None))),
        Ok(Err(error)) => {
            let _ = writeln!(out, "The evidence cannot be read: {error}");
        }
        Err(error) => {
            let _ = writeln!(out, "{error}");
        }
    }
    write_out(out.as_bytes(), None)?;
    Ok(EXIT_EQUAL)
}

fn path(finding: &Finding) -> String {
    format!("/tenants/{}/findings/{}", finding.tenant, finding.id)
}

/// Where a finding stands, by whom and why.
fn status(state: &FindingState) -> String {
    let word = label(Domain::FindingStatus, state.as_str());
    match state {
        FindingState::New => word,
        FindingState::Acknowledged { by, at } => {
            format!("{word} by {} on {} UTC", visible(by), moment(*at))
        }
        FindingState::Reopened { at } => format!("{word} on {} UTC", moment(*at)),
        FindingState::Resolved { at, because } => {
            let because = match because {
                Resolution::Proven => "a compare proved that the drift is gone",
                Resolution::OutOfScope => "nothing holds the policy to it any more",
            };
            format!("{word} on {} UTC: {because}", moment(*at))
        }
        FindingState::Closed { by, at, reason, .. } => {
            format!("{word} by {} on {} UTC: {}", visible(by), moment(*at), visible(reason))
        }
        FindingState::Accepted { by, at, reason, until, .. } => {
            let until = until.map(|at| format!(" until {} UTC", moment(at))).unwrap_or_default();
            format!("{word}{until} by {} on {} UTC: {}", visible(by), moment(*at), visible(reason))
        }
    }
}

/// Whether a finding stands so that an action can be done. A date that is past is the action's fault, not
/// the finding's.
fn allows(finding: &Finding, action: &FindingAction) -> bool {
    let now = SystemClock.now();
    !matches!(
        finding.state.act(action, "", now, finding.drift.fingerprint),
        Err(BadAction::Status { .. })
    )
}

/// What has become of a finding after an action.
fn done_word(action: &FindingAction) -> &'static str {
    match action {
        FindingAction::Acknowledge => "acknowledged",
        FindingAction::Close { .. } => "closed",
        FindingAction::Accept { .. } => "accepted",
        FindingAction::Reopen { .. } => "reopened",
    }
}

fn act(args: &DataArgs, given: &ActArgs, action: &FindingAction) -> anyhow::Result<u8> {
    let filter = &given.filter;
    if !given.all
        && (filter.profile.is_some()
            || !filter.status.is_empty()
            || !filter.severity.is_empty()
            || !filter.types.is_empty()
            || !filter.change_type.is_empty())
    {
        bail!(
            "--profile, --status, --severity, --type and --change-type go with --all --tenant TENANT"
        );
    }
    check_types(&filter.types)?;
    let client = Client::open(args)?;
    let chosen = if given.all {
        fitting(&client, filter, action)?
    } else {
        client.findings_of(&given.ids)?
    };
    if let Some(name) = filter.tenant.as_deref().filter(|_| !given.all) {
        let tenant = client.tenant(name)?;
        if let Some(other) = chosen.iter().find(|one| one.tenant != tenant.id) {
            bail!("the finding {} is of another tenant than `{name}`", other.id);
        }
    }
    // Named twice is meant once.
    let mut named = BTreeSet::new();
    let chosen: Vec<Finding> =
        chosen.into_iter().filter(|one| named.insert((one.tenant, one.id))).collect();
    let decision = decision(action);
    let places: Vec<Value> =
        chosen.iter().map(|one| json!({ "tenant": one.tenant, "finding": one.id })).collect();
    let mut done: Vec<BulkItem> = Vec::with_capacity(places.len());
    for part in places.chunks(MAX_AT_ONCE) {
        let asked = json!({ "findings": part, "decision": decision });
        done.extend(client.post::<BulkResult>("/findings/actions", &asked)?.results);
    }
    if let ([id], [only]) = (given.ids.as_slice(), done.as_slice())
        && let Some(problem) = &only.problem
    {
        if problem.status == StatusCode::NOT_FOUND {
            bail!("there is no finding `{id}`; `plumbline findings` lists them");
        }
        bail!(sentence(problem));
    }
    let out = match given.show.format {
        ShowFormat::Json => json(&in_full(&client, &done)?)?,
        ShowFormat::Table => lines(&chosen, &done),
    };
    write_out(out.as_bytes(), None)?;
    let failed = done.iter().any(|one| one.problem.is_some());
    Ok(if failed { EXIT_ERROR } else { EXIT_EQUAL })
}

/// The findings of a filter that stand so that an action can be done.
fn fitting(
    client: &Client,
    filter: &FindingFilter,
    action: &FindingAction,
) -> anyhow::Result<Vec<Finding>> {
    let mut found = findings::select(client, filter)?;
    let known = found.len();
    found.retain(|one| allows(one, action));
    if found.is_empty() {
        bail!(
            "{}, and none of them can be {} as it stands; `plumbline findings` lists them",
            match known {
                0 => "no finding fits the options".to_owned(),
                1 => "one finding fits the options".to_owned(),
                many => format!("{many} findings fit the options"),
            },
            done_word(action)
        );
    }
    Ok(found)
}

/// A decision as the API takes it.
fn decision(action: &FindingAction) -> Value {
    match action {
        FindingAction::Accept { reason, until } => {
            json!({ "action": "accept", "reason": reason, "until": until })
        }
        FindingAction::Acknowledge => json!({ "action": "acknowledge" }),
        FindingAction::Close { reason } => json!({ "action": "close", "reason": reason }),
        FindingAction::Reopen { reason } => json!({ "action": "reopen", "reason": reason }),
    }
}

/// What came of each, with the findings as they are now.
fn in_full(client: &Client, done: &[BulkItem]) -> anyhow::Result<Vec<Value>> {
    let tenants: BTreeSet<_> = done.iter().map(|one| one.tenant).collect();
    let mut now = BTreeMap::new();
    for tenant in tenants {
        let all = client.findings(&[("tenant", &tenant.to_string())])?;
        now.extend(all.into_iter().map(|one| (one.id, one)));
    }
    Ok(done
        .iter()
        .map(|one| match &one.problem {
            None => json!({ "id": one.finding, "finding": now.get(&one.finding) }),
            Some(problem) => json!({ "id": one.finding, "error": problem.detail }),
        })
        .collect())
}

/// A line for each.
fn lines(chosen: &[Finding], done: &[BulkItem]) -> String {
    let mut out = String::new();
    for (finding, one) in chosen.iter().zip(done) {
        let _ = match &one.problem {
            None => writeln!(
                out,
                "{}  {}  {}",
                short(finding.id),
                label(Domain::FindingStatus, one.status.as_deref().unwrap_or_default()),
                visible(&finding.drift.display_name)
            ),
            Some(problem) => {
                writeln!(out, "{}  left as it is: {}", short(finding.id), visible(&problem.detail))
            }
        };
    }
    out
}
