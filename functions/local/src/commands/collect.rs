//! `plumbline collect`: takes away objects that nothing refers to, after a grace.

use super::show::{count, show};
use crate::cli::data::DataArgs;
use crate::cli::work::CollectArgs;
use crate::data::Data;
use futures::executor::block_on;
use jiff::SignedDuration;
use plumbline_operations::{CollectOptions, Collected, Count};
use serde_json::{Value, json};

pub(super) fn run(args: &DataArgs, collect: &CollectArgs) -> anyhow::Result<u8> {
    let options = CollectOptions {
        grace: SignedDuration::from_hours(collect.grace.into()),
        delete: collect.delete,
    };
    let data = Data::open(args)?;
    let found = block_on(data.system.collect(data.workspace()?.id, options))?;
    show(collect.show, &value(&found, collect.delete), |_| told(&found, collect))
}

fn value(found: &Collected, delete: bool) -> Value {
    let counted = |one: Count| json!({ "objects": one.objects, "bytes": one.bytes });
    json!({
        "dry_run": !delete,
        "kept": counted(found.kept),
        "doomed": counted(found.doomed),
        "waiting": counted(found.waiting),
        "deleted": counted(found.deleted),
        "spared": found.spared,
    })
}

fn told(found: &Collected, collect: &CollectArgs) -> String {
    let size = |one: Count| {
        format!(
            "{}, {}",
            count(one.objects, "object", "objects"),
            count(one.bytes.div_ceil(1024), "KiB", "KiB")
        )
    };
    let grace = collect.grace;
    let (begin, end) = if collect.delete {
        ("begin to wait  ", "deleted        ")
    } else {
        ("would wait     ", "would go       ")
    };
    format!(
        "in use         {}\n{begin}{}\nwaiting        {}\n{end}{}\n{}",
        size(found.kept),
        size(found.doomed),
        size(found.waiting),
        size(found.deleted),
        if collect.delete {
            format!(
                "What waits goes with a collect in {grace} hours or later, if nothing refers to it then\n"
            )
        } else {
            "Nothing was changed; do it with --delete\n".to_owned()
        }
    )
}
