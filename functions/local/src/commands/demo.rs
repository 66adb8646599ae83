//! `plumbline demo`: what the command does, shown on two sample tenants that come with it.

pub(super) mod clock;
mod evening;
mod week;

use super::{EXIT_EQUAL, check_output, write_report};
use crate::cli::{DemoArgs, DemoPart, Format, OutputArgs};
use crate::commands::compare::compare_folders;
use crate::folder::{Folder, ephemeral_key};
use anyhow::Context as _;
use include_dir::{Dir, include_dir};
use plumbline_governance::compare::CompareOptions;
use std::io::Write as _;

static SAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/samples");

pub(super) fn run(args: &DemoArgs) -> anyhow::Result<u8> {
    match &args.part {
        Some(DemoPart::Compare(output)) => compare(output)?,
        None => week::tell()?,
    }
    // Drift is what the demo is for; it is no failure.
    Ok(EXIT_EQUAL)
}

fn compare(output: &OutputArgs) -> anyhow::Result<()> {
    check_output(output)?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder for the samples")?;
    SAMPLES.extract(folder.path()).context("cannot write the samples to a temporary folder")?;
    let at = |name: &str| folder.path().join(name);
    let key = ephemeral_key()?;
    let golden = Folder::open(&at("golden"), Some(&at("golden-tenant.json")), key.clone())?;
    let tenant = Folder::open(&at("tenant"), Some(&at("tenant-tenant.json")), key)?;
    let names = ("samples/golden".to_owned(), "samples/tenant".to_owned());
    let report =
        compare_folders(&golden, &tenant, names, (true, true), &CompareOptions::default())?;
    if output.format == Format::Text && output.output.is_none() {
        writeln!(
            std::io::stdout(),
            "Two sample tenants: Alder & Finch is the golden master, Brightwater is held to it.\n"
        )?;
    }
    write_report(&report, output)
}
