//! One module a command, and what they share: exit codes and writing results.

mod assign;
mod capture;
mod collect;
mod compare;
mod compare_tenant;
mod completions;
mod cost;
mod day;
mod demo;
mod diff;
mod finding;
mod findings;
mod import;
mod inspect;
mod invoke;
mod overview;
mod policy_types;
mod posture;
mod profile;
mod role;
mod rules;
mod runs;
mod serve;
mod show;
mod tenant;
mod token;
mod verify;
pub(crate) mod work;
mod workspace;

use crate::cli::data::SERVER;
use crate::cli::{Cli, Command, Format, OutputArgs, VerdictArgs};
use crate::render::{self, Style};
use anyhow::{Context as _, bail};
use plumbline_governance::report::Report;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

/// Everything in scope was proven equal.
pub(crate) const EXIT_EQUAL: u8 = 0;
/// The command could not do its work.
pub(crate) const EXIT_ERROR: u8 = 1;
/// Drift.
pub(crate) const EXIT_DRIFT: u8 = 2;
/// No drift found, but not everything was proven.
pub(crate) const EXIT_NOT_PROVEN: u8 = 3;

/// Runs a command and returns its exit code.
///
/// # Errors
/// Says what could not be done and what to do next.
pub(crate) fn run(cli: &Cli) -> anyhow::Result<u8> {
    let data = &cli.data;
    refuse_server(cli)?;
    match &cli.command {
        Command::Compare(args) => match compare::form(args)? {
            compare::Form::Folders { baseline, current } => compare::run(args, baseline, current),
            compare::Form::Data => compare_tenant::run(data, args),
        },
        Command::Inspect(args) => inspect::run(args),
        Command::Diff(args) => diff::run(args),
        Command::PolicyTypes(args) => policy_types::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Workspace(command) => workspace::run(data, command),
        Command::Tenant(command) => tenant::run(data, command),
        Command::Profile(command) => profile::run(data, command),
        Command::Import(args) => import::run(data, args),
        Command::Capture(args) => capture::run(data, args),
        Command::Assign(args) => assign::run(data, args),
        Command::Unassign(args) => assign::unassign(data, args),
        Command::Role(command) => role::run(data, command),
        Command::Findings(args) => findings::run(data, args),
        Command::Finding(command) => finding::run(data, command),
        Command::Runs(args) => runs::list(data, args),
        Command::Run(command) => runs::one(data, command),
        Command::Nights(form) => overview::nights(data, *form),
        Command::Posture(args) => posture::run(data, args),
        Command::Audit(args) => overview::audit(data, args),
        Command::Verify(form) => verify::run(data, *form),
        Command::Collect(args) => collect::run(data, args),
        Command::Replay(args) => rules::replay(data, args),
        Command::Renormalise(form) => rules::renormalise(data, *form),
        Command::Serve(args) => serve::run(data, args),
        Command::Cost(args) => cost::run(args),
        Command::Token(args) => token::run(data, args),
        Command::Invoke(args) => invoke::run(data, args),
        Command::Completions(args) => completions::run(args),
    }
}

/// Refuses a server for a command that does not go to one. The variable is refused only where the command
/// would do to a directory what was meant for the server.
fn refuse_server(cli: &Cli) -> anyhow::Result<()> {
    let (name, on_directory) = match &cli.command {
        Command::Verify(_) => ("verify", true),
        Command::Collect(_) => ("collect", true),
        Command::Replay(_) => ("replay", true),
        Command::Renormalise(_) => ("renormalise", true),
        Command::Serve(_) => ("serve", false),
        Command::Token(_) => ("token", false),
        Command::Invoke(_) => ("invoke", true),
        Command::Demo(_) => ("demo", false),
        Command::Cost(_) => ("cost", false),
        Command::Inspect(_) => ("inspect", false),
        Command::Diff(_) => ("diff", false),
        Command::PolicyTypes(_) => ("policy-types", false),
        Command::Completions(_) => ("completions", false),
        Command::Compare(args) if args.tenant.is_none() && !args.all => ("compare", false),
        _ => return Ok(()),
    };
    if cli.data.server.is_some() {
        bail!("{name} does not go to a server; leave --server out");
    }
    if on_directory && cli.data.server().is_some() {
        bail!(
            "{name} works on a data directory, and {SERVER} is set; name the directory with --data, or unset \
             the variable"
        );
    }
    Ok(())
}

/// The exit code of a report (contracts 3.3).
fn exit_code(report: &Report, verdict: &VerdictArgs) -> u8 {
    let unproven = report.gaps.iter().any(|gap| gap.kind.lowers_trust());
    let fails = verdict
        .fail_on
        .severity()
        .is_some_and(|least| report.drift.iter().any(|drift| drift.severity >= least));
    match (fails, unproven) {
        (_, true) if verdict.strict => EXIT_NOT_PROVEN,
        (true, _) => EXIT_DRIFT,
        (false, true) if !verdict.allow_gaps => EXIT_NOT_PROVEN,
        _ => EXIT_EQUAL,
    }
}

/// Checks that the output options fit together, before any work is done.
fn check_output(output: &OutputArgs) -> anyhow::Result<()> {
    if output.sarif_baseline.is_some() && output.format != Format::Sarif {
        bail!("--sarif-baseline needs --format sarif");
    }
    Ok(())
}

/// Renders a report and writes it where it is wanted.
fn write_report(report: &Report, output: &OutputArgs) -> anyhow::Result<()> {
    let bytes = match output.format {
        Format::Text => render::text(report, style(output.output.as_deref())).into_bytes(),
        Format::Json => render::json(report).into_bytes(),
        Format::Csv => render::csv(report),
        Format::Html => render::html(report).into_bytes(),
        Format::Sarif => {
            let previous = output.sarif_baseline.as_deref().map(read_sarif).transpose()?;
            render::sarif(report, previous.as_ref()).into_bytes()
        }
    };
    write_out(&bytes, output.output.as_deref())
}

fn read_sarif(path: &Path) -> anyhow::Result<serde_sarif::sarif::Sarif> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| {
        format!(
            "{} is no SARIF log; name the file that a previous run wrote with --format sarif",
            path.display()
        )
    })
}

/// Colour and width: colour on a terminal alone, and not where `NO_COLOR` asks for none.
fn style(file: Option<&Path>) -> Style {
    let terminal = file.is_none() && std::io::stdout().is_terminal();
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let width = if terminal { terminal_width() } else { 120 };
    Style { colour: terminal && !no_color, width }
}

fn terminal_width() -> usize {
    let (_, columns) = console::Term::stdout().size();
    usize::from(columns).clamp(60, 200)
}

/// Writes to a file, whole or not at all, or to standard output.
fn write_out(bytes: &[u8], file: Option<&Path>) -> anyhow::Result<()> {
    let Some(path) = file else {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes)?;
        return Ok(out.flush()?);
    };
    let named = || format!("cannot write {}", path.display());
    // A link stays a link: what it points to is replaced. A pipe or a device is written to.
    let target = std::fs::canonicalize(path);
    let special = match &target {
        Ok(target) => !target.is_file(),
        Err(_) => path.is_symlink(),
    };
    if special {
        return std::fs::write(path, bytes).with_context(named);
    }
    let path = target.as_deref().unwrap_or(path);
    let name = path.file_name().with_context(named)?.to_string_lossy();
    // Beside the file, so that the rename is one step on one file system.
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written =
        std::fs::write(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // Nothing half written stays; the first error is the one to tell.
        let _ = std::fs::remove_file(&temporary);
    }
    written.with_context(named)
}
