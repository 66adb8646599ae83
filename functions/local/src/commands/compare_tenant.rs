//! `plumbline compare --tenant` and `--all`: tenants against their baselines.

use super::findings::{self, Listed};
use super::show::{count, json, visible};
use super::work::check;
use super::{EXIT_DRIFT, EXIT_EQUAL, EXIT_ERROR, EXIT_NOT_PROVEN, style, write_out};
use crate::cli::data::DataArgs;
use crate::cli::work::StatusArg;
use crate::cli::{CompareArgs, Format, VerdictArgs};
use crate::client::Client;
use crate::listing::{label, table};
use crate::render::Style;
use anyhow::bail;
use plumbline_api::view::StartedRun;
use plumbline_governance::badge::Domain;
use plumbline_governance::ids::{ProfileId, TenantId};
use plumbline_governance::run::{Run, RunOutcome};
use plumbline_operations::{Posture, Tenant};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What one compare came to.
struct Compared {
    tenant: Tenant,
    run: Run,
    posture: Option<Posture>,
    open: Vec<Listed>,
}

pub(super) fn run(args: &DataArgs, compare: &CompareArgs) -> anyhow::Result<u8> {
    if !matches!(compare.output.format, Format::Text | Format::Json) {
        bail!("with --tenant or --all, --format is table or json");
    }
    let client = Client::open(args)?;
    let (tenants, runs) = if compare.all {
        start_all(&client)?
    } else {
        let tenant = client.tenant(compare.tenant.as_deref().unwrap_or_default())?;
        let started: StartedRun = client.act(&format!("/tenants/{}/compare", tenant.id))?;
        (vec![tenant], vec![started.run])
    };
    if compare.no_wait {
        return queued(compare, &runs);
    }
    let runs = client.until_ended(runs, "comparing")?;
    let compared = if compare.all {
        gather_all(&client, tenants, runs)?
    } else {
        gather(&client, tenants, runs)?
    };
    write(compare, &compared)?;
    // One tenant: its reason is the error. Of many, each reason stands in the table.
    if let ([only], false) = (compared.as_slice(), compare.all) {
        check(&only.run, &only.tenant.name)?;
    }
    let codes: Vec<u8> = compared.iter().map(|one| code(one, &compare.verdict)).collect();
    Ok(all_codes(&codes))
}

/// Starts a compare of every tenant that is held to a profile.
fn start_all(client: &Client) -> anyhow::Result<(Vec<Tenant>, Vec<Run>)> {
    let mut tenants = client.tenants(None)?;
    let profiles: BTreeSet<ProfileId> = tenants.iter().filter_map(|one| one.profile).collect();
    let mut runs = BTreeMap::new();
    for profile in profiles {
        let started: Vec<StartedRun> =
            client.act_on_pages(&format!("/profiles/{profile}/compare"))?;
        runs.extend(started.into_iter().map(|one| (one.run.tenant, one.run)));
    }
    if runs.is_empty() {
        bail!(
            "no tenant is held to a profile; assign one first (`plumbline assign --tenant TENANT \
             --profile PROFILE`)"
        );
    }
    tenants.retain(|one| runs.contains_key(&one.id));
    let runs = tenants.iter().filter_map(|one| runs.remove(&one.id)).collect();
    Ok((tenants, runs))
}

/// How the one tenant that was compared stands now.
fn gather(client: &Client, tenants: Vec<Tenant>, runs: Vec<Run>) -> anyhow::Result<Vec<Compared>> {
    tenants
        .into_iter()
        .zip(runs)
        .map(|(tenant, run)| {
            let id = tenant.id.to_string();
            let found = client.findings(&[("tenant", &id), ("status", StatusArg::Open.words())])?;
            let names = BTreeMap::from([(tenant.id, tenant.name.clone())]);
            Ok(Compared {
                posture: client.find(&format!("/tenants/{id}/posture"))?,
                open: findings::named(&found, &names),
                tenant,
                run,
            })
        })
        .collect()
}

/// How all tenants that were compared stand now.
fn gather_all(
    client: &Client,
    tenants: Vec<Tenant>,
    runs: Vec<Run>,
) -> anyhow::Result<Vec<Compared>> {
    let postures: Vec<Posture> = client.list("/posture/tenants", &[])?;
    let mut postures: BTreeMap<TenantId, Posture> =
        postures.into_iter().map(|one| (one.tenant, one)).collect();
    let names: BTreeMap<TenantId, String> =
        tenants.iter().map(|one| (one.id, one.name.clone())).collect();
    let found = client.findings(&[("status", StatusArg::Open.words())])?;
    let mut open: BTreeMap<TenantId, Vec<Listed>> = BTreeMap::new();
    for one in findings::named(&found, &names) {
        open.entry(one.finding.tenant).or_default().push(one);
    }
    Ok(tenants
        .into_iter()
        .zip(runs)
        .map(|(tenant, run)| Compared {
            posture: postures.remove(&tenant.id),
            open: open.remove(&tenant.id).unwrap_or_default(),
            tenant,
            run,
        })
        .collect())
}

/// Says what was queued; nothing is known of drift yet.
fn queued(compare: &CompareArgs, runs: &[Run]) -> anyhow::Result<u8> {
    let out = if compare.output.format == Format::Json {
        json(&runs)?
    } else {
        format!(
            "Queued: {}\nNext: plumbline runs --watch\n",
            count(runs.len() as u64, "compare", "compares")
        )
    };
    write_out(out.as_bytes(), None)?;
    Ok(EXIT_EQUAL)
}

/// The exit code of one tenant (contracts 3.3). Drift is what is open: what was accepted or closed may be
/// so.
fn code(compared: &Compared, verdict: &VerdictArgs) -> u8 {
    let unproven = match compared.run.outcome() {
        RunOutcome::Succeeded => false,
        RunOutcome::Partial => true,
        _ => return EXIT_ERROR,
    };
    let fails = verdict
        .fail_on
        .severity()
        .is_some_and(|least| compared.open.iter().any(|one| one.finding.drift.severity >= least));
    match (fails, unproven) {
        (_, true) if verdict.strict => EXIT_NOT_PROVEN,
        (true, _) => EXIT_DRIFT,
        (false, true) if !verdict.allow_gaps => EXIT_NOT_PROVEN,
        _ => EXIT_EQUAL,
    }
}

/// The exit code of many: an error before drift, drift before what is not proven.
fn all_codes(codes: &[u8]) -> u8 {
    [EXIT_ERROR, EXIT_DRIFT, EXIT_NOT_PROVEN]
        .into_iter()
        .find(|code| codes.contains(code))
        .unwrap_or(EXIT_EQUAL)
}

fn write(args: &CompareArgs, compared: &[Compared]) -> anyhow::Result<()> {
    let out = if args.output.format == Format::Json {
        let list: Vec<_> = compared
            .iter()
            .map(|one| {
                let open: Vec<_> = one.open.iter().map(|one| &one.finding).collect();
                json!({ "tenant": one.tenant, "run": one.run, "posture": one.posture, "open": open })
            })
            .collect();
        match list.as_slice() {
            [only] if !args.all => json(only)?,
            _ => json(&list)?,
        }
    } else {
        let style = style(None);
        match compared {
            [only] if !args.all => one(only, style),
            _ => many(compared, style),
        }
    };
    write_out(out.as_bytes(), None)
}

/// The open findings of a posture.
pub(super) fn open_words(posture: Option<&Posture>) -> String {
    posture.map_or_else(|| "none".to_owned(), |posture| severity_words(&posture.open_by_severity))
}

/// `9 high, 3 medium`, without zeros; `none` if there is nothing.
pub(super) fn severity_words(open: &BTreeMap<String, u64>) -> String {
    let parts: Vec<String> = ["high", "medium", "low"]
        .into_iter()
        .filter_map(|level| {
            let number = open.get(level).copied().filter(|number| *number > 0)?;
            Some(format!("{number} {}", label(Domain::FindingSeverity, level).to_lowercase()))
        })
        .collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// What the compare changed among the findings, without zeros.
pub(super) fn event_words(run: &Run) -> String {
    let parts: Vec<String> = [
        ("appeared", "new"),
        ("changed", "changed"),
        ("reopened", "reopened"),
        ("resolved", "resolved"),
    ]
    .into_iter()
    .filter_map(|(key, word)| {
        let number = run.summary_counts.get(key).copied().filter(|number| *number > 0)?;
        Some(format!("{number} {word}"))
    })
    .collect();
    if parts.is_empty() { "nothing changed".to_owned() } else { parts.join(", ") }
}

fn trust_word(run: &Run) -> String {
    run.context.baseline_compare.as_ref().map_or_else(
        || label(Domain::OperationRunOutcome, run.outcome().as_str()),
        |result| label(Domain::CompareTrust, &result.trust),
    )
}

fn one(compared: &Compared, style: Style) -> String {
    let Compared { tenant, run, posture, open } = compared;
    let Some(result) = &run.context.baseline_compare else { return String::new() };
    let mut out = String::new();
    let counted = |key: &str| run.summary_counts.get(key).copied().unwrap_or_default();
    let _ = writeln!(
        out,
        "Compared {}: {} with a verdict, {} unchanged{}",
        visible(&tenant.name),
        count(counted("total"), "policy", "policies"),
        counted("unchanged"),
        match counted("suppressed") {
            0 => String::new(),
            number => format!(", {number} without a verdict"),
        }
    );
    let _ = writeln!(out, "Trust     {}", trust_word(run));
    if let Some(failure) = run.failure() {
        let _ = writeln!(out, "          {}", visible(&failure.message));
    }
    let memo = if result.from_memo { " (as last time: nothing to compare)" } else { "" };
    let _ = writeln!(out, "Findings  {}{memo}", event_words(run));
    let aside: Vec<String> = ["accepted", "closed"]
        .into_iter()
        .filter_map(|status| {
            let number = posture.as_ref()?.by_status.get(status).copied()?;
            (number > 0).then(|| format!(", {number} {status}"))
        })
        .collect();
    let _ = writeln!(out, "Open      {}{}", open_words(posture.as_ref()), aside.concat());
    if open.is_empty() {
        let _ = writeln!(
            out,
            "Next: {}",
            if run.failure().is_some() {
                "close the gaps, import again, compare again"
            } else {
                "nothing to do"
            }
        );
    } else {
        out.push('\n');
        out.push_str(&findings::listing(open, false, style));
        out.push_str("\nNext: plumbline finding show ID, then acknowledge, accept or close it\n");
    }
    out
}

fn many(compared: &[Compared], style: Style) -> String {
    let rows = compared
        .iter()
        .map(|one| {
            vec![
                visible(&one.tenant.name),
                label(Domain::OperationRunOutcome, one.run.outcome().as_str()),
                trust_word(&one.run),
                event_words(&one.run),
                open_words(one.posture.as_ref()),
                why(&one.run),
            ]
        })
        .collect();
    table(&["tenant", "outcome", "trust", "findings", "open", "why"], rows, style)
}

/// Why a compare ended as it did, in a cell. What was not proven is counted; `run show` names it.
fn why(run: &Run) -> String {
    match (run.outcome(), run.failure()) {
        (RunOutcome::Partial, _) => {
            let gaps = run.summary_counts.get("gaps").copied().unwrap_or_default();
            count(gaps, "gap", "gaps")
        }
        (_, Some(failure)) => visible(&failure.message),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_many_gives_the_code() {
        assert_eq!(all_codes(&[0, 3, 2, 0]), 2);
        assert_eq!(all_codes(&[0, 3]), 3);
        assert_eq!(all_codes(&[2, 1, 3]), 1);
        assert_eq!(all_codes(&[0, 0]), 0);
    }
}
