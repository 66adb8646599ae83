//! A week of one tenant: drift appears, is acknowledged, fixed, comes back, is accepted and changes again;
//! an export is cut off, and a night is missed.

use super::evening::{Files, Story, edit, sample};
use crate::commands::compare_tenant::{event_words, open_words};
use crate::commands::findings::{self, Listed};
use crate::commands::overview::night_table;
use crate::commands::posture::posture_table;
use crate::commands::show::count;
use crate::commands::{style, write_out};
use crate::listing::label;
use anyhow::Context as _;
use futures::executor::block_on;
use jiff::Timestamp;
use jiff::civil::Date;
use plumbline_governance::badge::Domain;
use plumbline_governance::finding::state::FindingAction;
use plumbline_operations::SeenFinding;
use std::fmt::Write as _;

/// The policy that the story follows.
const HEALTH: &str = "Win - Compliance - Workstation Health - v1.5";
const HEALTH_FILE: &str = "deviceCompliancePolicy/win-compliance-workstation-health-v1-5.json";
/// The policy that is missing at first.
const MISSING_FILE: &str = "settingsCatalogPolicy/win-device-local-security-options-v1-0.json";
/// The file that is cut off once.
const PAGE_FILE: &str = "settingsCatalogPolicy/page-1.json";

/// The story, and the page it is written on.
struct Week {
    story: Story,
    files: Files,
    month: i8,
    day: i8,
}

pub(super) fn tell() -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary data directory")?;
    let start = "2026-03-01T20:00:00Z".parse()?;
    let story = Story::begin(&folder.path().join("data"), start)?;
    let mut week = Week { story, files: sample("tenant")?, month: 3, day: 1 };
    says(&format!(
        "A week of two sample tenants. Alder & Finch is the golden master, Brightwater is held to it.\n\n\
         Sunday evening: Alder & Finch is imported and captured as the profile Workplace ({}).\n\
         Brightwater is held to it and imported. Compares start every night at 02:00.\n",
        count(week.story.items, "policy", "policies")
    ))?;
    week.import()?;
    week.night("Brightwater has drifted before anybody looked:")?;

    week.day(
        "Eve acknowledges that the grace period of Workstation Health went from 24 to 72 hours.",
    )?;
    week.story.act(HEALTH, &FindingAction::Acknowledge)?;
    week.night("Nothing was imported since, so nothing is read again:")?;

    week.day("The grace period is fixed, and the missing policy is put back.")?;
    week.grace("72", "24")?;
    let golden = sample("golden")?;
    let missing = golden.get(MISSING_FILE).context("the samples hold no such policy")?;
    week.files.insert(MISSING_FILE.to_owned(), missing.clone());
    week.import()?;
    week.night("Both findings are resolved, because the compare has proof:")?;

    week.day(
        "The export breaks off: the page with three settings catalog policies is cut in half.",
    )?;
    let whole = week.files.get(PAGE_FILE).context("the samples hold no such page")?.clone();
    week.files.insert(PAGE_FILE.to_owned(), whole[..whole.len() / 2].to_vec());
    week.import()?;
    week.night("What may stand in the lost half is held back, neither missing nor resolved:")?;

    week.day("The export is whole again, and somebody set the grace period back to 72 hours.")?;
    week.files.insert(PAGE_FILE.to_owned(), whole);
    week.grace("24", "72")?;
    week.import()?;
    week.night("The same drift on the same policy reopens its finding:")?;

    week.day("Eve accepts it until the end of June. Then the machine is switched off over night.")?;
    let until: Timestamp = "2026-07-01T00:00:00Z".parse()?;
    let reason = "agreed with Brightwater until the new laptops are there".to_owned();
    week.story.act(HEALTH, &FindingAction::Accept { reason, until: Some(until) })?;
    week.day += 1;

    week.day("The machine runs again. The grace period is 96 hours now, which nobody accepted.")?;
    week.grace("72", "96")?;
    week.import()?;
    week.night("An acceptance holds for exactly the drift it was given for:")?;
    week.end()
}

/// Writes on: the reader sees each step when it is done.
fn says(text: &str) -> anyhow::Result<()> {
    write_out(text.as_bytes(), None)
}

impl Week {
    fn date(&self) -> anyhow::Result<Date> {
        Ok(Date::new(2026, self.month, self.day)?)
    }

    /// What happens by day.
    fn day(&mut self, what: &str) -> anyhow::Result<()> {
        let date = self.date()?;
        self.story.set(format!("{date}T09:00:00Z").parse()?);
        says(&format!("\n{}: {what}\n", weekday(date)))
    }

    /// The next night, and what it brought.
    fn night(&mut self, why: &str) -> anyhow::Result<()> {
        self.day += 1;
        let date = self.date()?;
        self.story.set(format!("{date}T02:00:05Z").parse()?);
        let (ticked, run) = self.story.night()?;
        let mut out = String::new();
        for (_, missed) in &ticked.missed {
            let _ =
                writeln!(out, "  The night of {} was missed and stays visible.", weekday(*missed));
        }
        let posture = block_on(self.story.data().system.posture(run.workspace, run.tenant))?;
        let trust = run.context.baseline_compare.as_ref().map(|result| result.trust.as_str());
        let held = run.summary_counts.get("suppressed").copied().unwrap_or_default();
        let _ = writeln!(out, "  Night of {}. {why}", weekday(date));
        let _ = writeln!(out, "    Findings  {}", event_words(&run));
        let _ = writeln!(out, "    Open      {}", open_words(posture.as_ref()));
        let _ = writeln!(
            out,
            "    Trust     {}, {} without a verdict",
            trust.map_or_else(String::new, |trust| label(Domain::CompareTrust, trust)),
            count(held, "policy", "policies")
        );
        says(&out)
    }

    /// Brings the tenant's files in.
    fn import(&self) -> anyhow::Result<()> {
        self.story.import(self.story.tenant, &self.files)
    }

    /// Changes the grace period of the policy that the story follows.
    fn grace(&mut self, from: &str, to: &str) -> anyhow::Result<()> {
        let text = |hours: &str| format!("\"gracePeriodHours\": {hours},");
        edit(&mut self.files, HEALTH_FILE, &text(from), &text(to))
    }

    /// How everything stands at the end.
    fn end(&self) -> anyhow::Result<()> {
        let data = self.story.data();
        let workspace = self.story.workspace();
        let (style, system) = (style(None), &data.system);
        let tenant = block_on(system.tenant(workspace, self.story.tenant))?;
        let found: Vec<Listed> = block_on(system.findings(workspace, tenant.id))?
            .into_iter()
            .map(|SeenFinding { mut finding, seen }| {
                finding.seen = seen;
                Listed { tenant: tenant.name.clone(), finding }
            })
            .collect();
        let nights = block_on(system.nights(workspace))?;
        let mut postures = Vec::new();
        for tenant in block_on(system.tenants(workspace))? {
            let posture = block_on(system.posture(workspace, tenant.id))?;
            postures.push((tenant, posture));
        }
        says(&format!(
            "\nFindings of Brightwater\n\n{}\nNights\n\n{}\nPosture\n\n{}\n\
             `plumbline demo compare` shows the drift setting by setting; README.md has the same week's steps as \
             commands.\n",
            findings::listing(&found, false, style),
            night_table(&nights, style),
            posture_table(&postures, style)
        ))
    }
}

fn weekday(date: Date) -> String {
    date.strftime("%A %-d %B").to_string()
}
