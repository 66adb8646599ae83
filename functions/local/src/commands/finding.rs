//! `plumbline finding`: one finding with its evidence, and what a person does with findings.

use super::day::end_of_day;
use super::findings::{self, Listed, profile_name};
use super::show::{facts, json, moment, show, visible};
use super::{EXIT_EQUAL, EXIT_ERROR, style, write_out};
use crate::cli::data::{DataArgs, Show, ShowFormat};
use crate::cli::work::{ActArgs, FindingCommand};
use crate::data::{Data, short};
use crate::listing::label;
use crate::render;
use anyhow::bail;
use futures::executor::block_on;
use jiff::Timestamp;
use plumbline_governance::badge::Domain;
use plumbline_governance::finding::record::Finding;
use plumbline_governance::finding::state::{BadAction, FindingAction, FindingState, Resolution};
use plumbline_governance::report::Drift;
use plumbline_operations::{MAX_AT_ONCE, SeenFinding};
use serde_json::{Value, json};
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
    let data = Data::open(args)?;
    let workspace = data.workspace()?.id;
    let mut found = data.findings_of(workspace, &[id.to_owned()])?;
    let Some(seen) = found.pop() else { return Ok(EXIT_EQUAL) };
    let finding = &seen.finding;
    let evidence = block_on(data.system.evidence(finding));
    if form.format == ShowFormat::Json {
        let mut value = findings::json(&seen);
        if let (Value::Object(members), Ok(evidence)) = (&mut value, evidence) {
            members.insert("drift_in_full".to_owned(), evidence);
        }
        return show(form, &value, |_| String::new());
    }
    let tenant = block_on(data.system.tenant(workspace, finding.tenant))?;
    let mut out = facts(&[
        ("finding", finding.id.to_string()),
        ("tenant", visible(&tenant.name)),
        ("profile", visible(&profile_name(&data, workspace, finding.profile)?)),
        ("status", status(&finding.state)),
        (
            "seen",
            format!(
                "{}, first {} UTC, last {} UTC",
                match seen.seen.times {
                    1 => "once".to_owned(),
                    times => format!("{times} times"),
                },
                moment(finding.first_seen_at),
                moment(seen.seen.last_at)
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
fn allows(finding: &Finding, action: &FindingAction, actor: &str, now: Timestamp) -> bool {
    !matches!(
        finding.state.act(action, actor, now, finding.drift.fingerprint),
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
    findings::check(filter)?;
    let data = Data::open(args)?;
    let workspace = data.workspace()?.id;
    let chosen: Vec<SeenFinding> = if given.all {
        let now = data.system.now();
        let found = findings::select(&data, workspace, filter)?;
        let known = found.len();
        let chosen: Vec<SeenFinding> = found
            .into_iter()
            .map(|one: Listed| one.seen)
            .filter(|one| allows(&one.finding, action, data.actor.name(), now))
            .collect();
        if chosen.is_empty() {
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
        chosen
    } else {
        data.findings_of(workspace, &given.ids)?
    };
    if let Some(name) = filter.tenant.as_deref().filter(|_| !given.all) {
        let tenant = data.tenant(workspace, name)?;
        if let Some(other) = chosen.iter().find(|one| one.finding.tenant != tenant.id) {
            bail!("the finding {} is of another tenant than `{name}`", other.finding.id);
        }
    }
    let pairs: Vec<_> = chosen.iter().map(|one| (one.finding.tenant, one.finding.id)).collect();
    let mut done = Vec::with_capacity(pairs.len());
    for part in pairs.chunks(MAX_AT_ONCE) {
        done.extend(block_on(data.system.act_on_all(workspace, &data.actor, part, action))?);
    }
    if let ([only], false) = (done.as_slice(), given.all)
        && let Err(error) = &only.result
    {
        return Err(error.clone().into());
    }
    let failed = done.iter().filter(|one| one.result.is_err()).count();
    let out = if given.show.format == ShowFormat::Json {
        let list: Vec<Value> = done
            .iter()
            .map(|one| match &one.result {
                Ok(finding) => json!({ "id": one.id, "finding": finding }),
                Err(error) => json!({ "id": one.id, "error": error.to_string() }),
            })
            .collect();
        json(&list)?
    } else {
        let mut out = String::new();
        for one in &done {
            let _ = match &one.result {
                Ok(finding) => writeln!(
                    out,
                    "{}  {}  {}",
                    short(one.id),
                    label(Domain::FindingStatus, finding.state.as_str()),
                    visible(&finding.drift.display_name)
                ),
                Err(error) => writeln!(out, "{}  left as it is: {error}", short(one.id)),
            };
        }
        out
    };
    write_out(out.as_bytes(), None)?;
    Ok(if failed > 0 { EXIT_ERROR } else { EXIT_EQUAL })
}
