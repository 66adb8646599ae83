//! `plumbline runs` and `plumbline run`: what was done, how it ended and why.

use super::show::{facts, moment, show, visible};
use crate::cli::data::DataArgs;
use crate::cli::work::{RunCommand, RunsArgs};
use crate::client::Client;
use crate::listing::{label, table};
use plumbline_governance::badge::Domain;
use plumbline_governance::run::{Run, RunState, Trigger};
use plumbline_lambda_kit::log::noun;
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) fn list(args: &DataArgs, wanted: &RunsArgs) -> anyhow::Result<u8> {
    let client = Client::open(args)?;
    let tenants = client.tenants(wanted.tenant.as_deref())?;
    let only = wanted.tenant.as_ref().and(tenants.first()).map(|one| one.id.to_string());
    let filter: Vec<(&str, &str)> = only.iter().map(|id| ("tenant", id.as_str())).collect();
    let mut runs: Vec<Run> = client.first("/runs", &filter, wanted.limit.max(1))?;
    if wanted.watch {
        runs = client.until_ended(runs, "waiting")?;
    }
    // A tenant's list goes by id, and the id of a night's run says nothing of its time.
    runs.sort_by_key(|run| std::cmp::Reverse((run.created_at, run.id)));
    let names: BTreeMap<_, _> = tenants.iter().map(|one| (one.id, visible(&one.name))).collect();
    show(wanted.show, &runs, |style| {
        let rows = runs
            .iter()
            .map(|run| {
                vec![
                    run.id.to_string(),
                    moment(run.created_at),
                    noun(run.run_type).to_owned(),
                    names.get(&run.tenant).cloned().unwrap_or_default(),
                    word(run),
                    run.failure()
                        .map(|failure| failure.reason_code.as_str().replace('_', " "))
                        .unwrap_or_default(),
                ]
            })
            .collect();
        table(&["run", "started (UTC)", "what", "tenant", "how", "why"], rows, style)
    })
}

/// How a run ended, or how far it is.
fn word(run: &Run) -> String {
    if run.is_completed() {
        label(Domain::OperationRunOutcome, run.outcome().as_str())
    } else {
        label(Domain::OperationRunStatus, run.status())
    }
}

pub(super) fn one(args: &DataArgs, command: &RunCommand) -> anyhow::Result<u8> {
    let client = Client::open(args)?;
    let (RunCommand::Show { id, show: form, .. } | RunCommand::Cancel { id, show: form }) = command;
    let (mut run, tenant) = client.run(id)?;
    match command {
        RunCommand::Show { watch: false, .. } => {}
        RunCommand::Show { watch: true, .. } => {
            if let Some(ended) = client.until_ended(vec![run.clone()], "waiting")?.pop() {
                run = ended;
            }
        }
        RunCommand::Cancel { .. } => {
            run = client.act(&format!("/tenants/{}/runs/{}/cancel", tenant.id, run.id))?;
        }
    }
    show(*form, &run, |_| told(&run, &tenant.name))
}

fn told(run: &Run, tenant: &str) -> String {
    let at = |at: jiff::Timestamp| format!("{} UTC", moment(at));
    let mut rows = vec![
        ("run", run.id.to_string()),
        ("what", noun(run.run_type).to_owned()),
        ("tenant", visible(tenant)),
        ("how", word(run)),
        (
            "started by",
            match &run.trigger {
                Trigger::Person { actor } => visible(actor),
                Trigger::Night { date } => format!("the night of {date}"),
            },
        ),
        ("created", at(run.created_at)),
    ];
    match &run.state {
        RunState::Queued => {}
        RunState::Running { started_at, .. } => rows.push(("taken", at(*started_at))),
        RunState::Completed { finished_at, .. } => rows.push(("ended", at(*finished_at))),
    }
    if let Some(failure) = run.failure() {
        rows.push(("why", visible(&failure.message)));
    }
    let context = &run.context;
    let ids = [
        ("profile", context.baseline_profile_id.map(|id| id.to_string())),
        ("snapshot", context.baseline_snapshot_id.map(|id| id.to_string())),
        ("state root", context.state_root.map(|root| root.short())),
    ];
    rows.extend(ids.into_iter().filter_map(|(name, value)| Some((name, value?))));
    if let Some(result) = &context.baseline_compare {
        rows.push(("trust", label(Domain::CompareTrust, &result.trust)));
    }
    let list = |counts: &BTreeMap<String, u64>| {
        counts
            .iter()
            .map(|(name, number)| format!("{} {number}", name.replace('_', " ")))
            .collect::<Vec<_>>()
            .join(", ")
    };
    if !run.summary_counts.is_empty() {
        rows.push(("counts", list(&run.summary_counts)));
    }
    if !context.usage.is_empty() {
        rows.push(("used", list(&context.usage)));
    }
    let mut out = facts(&rows);
    if let Some(result) = &context.baseline_compare {
        for (title, lines) in [("Gaps", &result.gaps), ("Without a verdict", &result.suppressed)] {
            if lines.is_empty() {
                continue;
            }
            let _ = writeln!(out, "\n{title}");
            for line in lines {
                let _ = writeln!(out, "  {}", visible(line));
            }
        }
    }
    out
}
