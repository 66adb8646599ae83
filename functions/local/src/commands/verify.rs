//! `plumbline verify`: checks what the data directory holds.

use super::show::{count, show, visible};
use super::{EXIT_EQUAL, EXIT_ERROR};
use crate::cli::data::{DataArgs, Show};
use crate::data::Data;
use crate::listing::table;
use crate::progress::Progress;
use crate::render::Style;
use futures::executor::block_on;
use serde::Serialize;

/// What was looked at, in all workspaces, and what is wrong.
#[derive(Default, Serialize)]
struct Checked {
    workspaces: u64,
    records: u64,
    pointers: u64,
    payloads: u64,
    damage: Vec<Damage>,
}

/// Something that is not as it must be.
#[derive(Serialize)]
struct Damage {
    what: String,
    reason: String,
    next: &'static str,
}

pub(super) fn run(args: &DataArgs, form: Show) -> anyhow::Result<u8> {
    let data = Data::open(args)?;
    let mut checked = Checked::default();
    // First the files, then what they say: the second check reads through the first's damage.
    for problem in data.stores.check() {
        checked.damage.push(Damage {
            what: problem.place,
            reason: problem.reason,
            next: problem.advice,
        });
    }
    let workspaces = block_on(data.system.workspaces())?;
    let progress = Progress::new(workspaces.len(), "checking");
    for workspace in workspaces {
        let found = block_on(data.system.verify(workspace.id))?;
        checked.workspaces += 1;
        checked.records += found.records;
        checked.pointers += found.pointers;
        checked.payloads += found.payloads;
        checked.damage.extend(found.damage.into_iter().map(|one| Damage {
            what: one.what,
            reason: one.reason,
            next: one.next,
        }));
        progress.step();
    }
    progress.finish();
    show(form, &checked, |style| told(&checked, style))?;
    Ok(if checked.damage.is_empty() { EXIT_EQUAL } else { EXIT_ERROR })
}

fn told(checked: &Checked, style: Style) -> String {
    let looked_at = format!(
        "Looked at {}, {}, {} and {}",
        count(checked.workspaces, "workspace", "workspaces"),
        count(checked.records, "record", "records"),
        count(checked.pointers, "pointer", "pointers"),
        count(checked.payloads, "payload", "payloads"),
    );
    if checked.damage.is_empty() {
        return format!("{looked_at}: nothing is wrong\n");
    }
    let rows = checked
        .damage
        .iter()
        .map(|one| vec![visible(&one.what), visible(&one.reason), one.next.to_owned()])
        .collect();
    format!(
        "{}\n{looked_at}: {}\n",
        table(&["what", "what is wrong", "what to do"], rows, style),
        count(checked.damage.len() as u64, "problem", "problems")
    )
}
