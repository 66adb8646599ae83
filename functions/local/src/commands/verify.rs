//! `plumbline verify`: checks what the data directory holds.

use super::show::{count, show, visible};
use super::{EXIT_EQUAL, EXIT_ERROR};
use crate::cli::data::{DataArgs, Show};
use crate::data::Data;
use crate::listing::table;
use serde_json::json;

pub(super) fn run(args: &DataArgs, form: Show) -> anyhow::Result<u8> {
    let data = Data::open(args)?;
    let problems = data.stores.check();
    let value: Vec<_> = problems
        .iter()
        .map(|one| json!({ "place": one.place, "reason": one.reason, "advice": one.advice }))
        .collect();
    show(form, &value, |style| {
        if problems.is_empty() {
            return "Nothing is wrong\n".to_owned();
        }
        let rows = problems
            .iter()
            .map(|one| vec![visible(&one.place), visible(&one.reason), one.advice.to_owned()])
            .collect();
        format!(
            "{}\n{}\n",
            table(&["where", "what is wrong", "what to do"], rows, style),
            count(problems.len() as u64, "problem", "problems")
        )
    })?;
    Ok(if problems.is_empty() { EXIT_EQUAL } else { EXIT_ERROR })
}
