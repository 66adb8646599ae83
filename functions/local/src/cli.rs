//! The command line.

pub(crate) mod cost;
pub(crate) mod data;
pub(crate) mod work;

use clap::{Args, Parser, Subcommand, ValueEnum};
use plumbline_governance::compare::ReferenceMode;
use plumbline_governance::matching::MatchMode;
use plumbline_governance::report::Facet;
use plumbline_governance::severity::Severity;
use std::path::PathBuf;

/// Holds every Microsoft Intune tenant to a golden master.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Where the data is.
    #[command(flatten)]
    pub data: data::DataArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole loop on two sample tenants: a week of nights, drift, findings
    Demo(DemoArgs),
    /// Compare two folders of exported policies, or a tenant with its baseline
    ///
    /// Exit code: 0 proven equal, 2 drift, 3 no drift but not proven, 1 error.
    Compare(Box<CompareArgs>),
    /// Show how one file or folder is understood: types, digests, references, what is left out and why
    Inspect(InspectArgs),
    /// Show the difference of two files that hold one policy each
    Diff(DiffArgs),
    /// List the policy types of the catalog
    PolicyTypes(PolicyTypesArgs),
    /// Make, list and set up workspaces
    #[command(subcommand)]
    Workspace(data::WorkspaceCommand),
    /// Add, list and put away tenants
    #[command(subcommand)]
    Tenant(data::TenantCommand),
    /// Make and change baseline profiles, and look at their snapshots
    #[command(subcommand)]
    Profile(data::ProfileCommand),
    /// Import exported policies as the new state of a tenant
    Import(work::ImportArgs),
    /// Freeze a tenant's state into a snapshot of a profile
    Capture(work::CaptureArgs),
    /// Hold a tenant to a profile
    Assign(work::AssignArgs),
    /// Hold a tenant to no profile any more
    Unassign(work::UnassignArgs),
    /// Say which role of a tenant stands for a role of its baseline
    #[command(subcommand)]
    Role(work::RoleCommand),
    /// List findings, the most urgent first
    Findings(work::FindingsArgs),
    /// Show a finding with its evidence, or act on findings
    #[command(subcommand)]
    Finding(work::FindingCommand),
    /// List runs, the newest first: what people started, and nights that did not succeed
    ///
    /// With --tenant, all runs of the tenant.
    Runs(work::RunsArgs),
    /// Show or cancel a run
    #[command(subcommand)]
    Run(work::RunCommand),
    /// List the nights of the workspace, missed ones too
    Nights(data::Show),
    /// Show how the workspace and each tenant stand
    Posture(work::PostureArgs),
    /// Show who changed what, and why
    Audit(work::AuditArgs),
    /// Check every record, message and object of the data directory
    Verify(data::Show),
    /// Take away stored objects that nothing refers to; says first what would go
    Collect(work::CollectArgs),
    /// Try changed rules on what is stored: which findings would appear, change or vanish
    Replay(work::ReplayArgs),
    /// Take over the rules of a new version of this program for everything that is stored
    Renormalise(data::Show),
    /// Work until stopped: offer the API, start nightly compares and do what is queued
    Serve(work::ServeArgs),
    /// Work out what a fleet's nights cost on AWS: requests, units and dollars
    ///
    /// Nights of a small sample are really done on a temporary data directory, and every call is counted.
    Cost(cost::CostArgs),
    /// Print a token for the API that `plumbline serve` offers on this data directory
    Token(work::TokenArgs),
    /// Give an event to a function of the cloud, in this process over the data directory, and show its answer
    ///
    /// Exit code: 0 when the function answered, 1 when it failed.
    Invoke(work::InvokeArgs),
    /// Print the completions for a shell
    Completions(work::CompletionsArgs),
}

/// Options of `compare`.
#[derive(Args, Debug)]
pub(crate) struct CompareArgs {
    /// Folder with the golden master's policies
    #[arg(long, value_name = "DIR")]
    pub baseline: Option<PathBuf>,
    /// Folder with the policies of the tenant that is held to it
    #[arg(long, value_name = "DIR")]
    pub current: Option<PathBuf>,
    /// Instead of two folders: a tenant, with the profile it is held to
    #[arg(long, conflicts_with_all = ["all", "mode", "facets", "scope", "references", "complete",
        "baseline_tenant", "current_tenant", "sarif_baseline", "output"])]
    pub tenant: Option<String>,
    /// Instead of two folders: every tenant of the workspace that is held to a profile
    #[arg(long, conflicts_with_all = ["mode", "facets", "scope", "references", "complete",
        "baseline_tenant", "current_tenant", "sarif_baseline", "output"])]
    pub all: bool,
    /// With a tenant or all: only queue the compares; `plumbline serve` does them
    #[arg(long, conflicts_with_all = ["baseline", "current"])]
    pub no_wait: bool,
    /// How policies of the two sides are found to be one
    #[arg(long = "match", value_enum, default_value = "auto", value_name = "MODE")]
    pub mode: MatchArg,
    /// What counts, comma separated
    #[arg(long, value_enum, value_delimiter = ',', default_value = "content,label")]
    pub facets: Vec<FacetArg>,
    /// Compare only the types that this JSON file lists
    #[arg(long, value_name = "FILE")]
    pub scope: Option<PathBuf>,
    /// How references to groups, filters and other objects are judged
    #[arg(long, value_enum, default_value = "auto", value_name = "MODE")]
    pub references: ReferencesArg,
    /// Which folders hold every policy of their tenant, so that a type they lack is really absent
    #[arg(long, value_enum, default_value = "none", value_name = "SIDE")]
    pub complete: CompleteArg,
    /// Facts of the golden tenant, a JSON file: its id, domains and Intune account id
    #[arg(long, value_name = "FILE")]
    pub baseline_tenant: Option<PathBuf>,
    /// Facts of the other tenant
    #[arg(long, value_name = "FILE")]
    pub current_tenant: Option<PathBuf>,
    /// Output options.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Verdict options.
    #[command(flatten)]
    pub verdict: VerdictArgs,
}

/// Where a report goes and in what form.
#[derive(Args, Debug)]
pub(crate) struct OutputArgs {
    /// Form of the report
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// The SARIF log of the previous run; its results are told apart as new, unchanged and gone
    #[arg(long, value_name = "FILE")]
    pub sarif_baseline: Option<PathBuf>,
    /// Write the report to this file
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What the exit code says.
#[derive(Args, Debug)]
pub(crate) struct VerdictArgs {
    /// Exit with 3 when anything is not proven, even beside drift
    #[arg(long, conflicts_with = "allow_gaps")]
    pub strict: bool,
    /// Exit with 0 when there is no drift but not everything is proven
    #[arg(long)]
    pub allow_gaps: bool,
    /// The least severity that makes the exit code 2
    #[arg(long, value_enum, default_value = "low", value_name = "SEVERITY")]
    pub fail_on: FailOn,
}

/// Options of `inspect`.
#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// A file or a folder
    pub path: PathBuf,
    /// Facts of the tenant
    #[arg(long, value_name = "FILE")]
    pub tenant: Option<PathBuf>,
    /// Form of the output
    #[arg(long, value_enum, default_value = "text")]
    pub format: TableFormat,
}

/// Options of `diff`.
#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    /// The first file
    pub before: PathBuf,
    /// The second file
    pub after: PathBuf,
    /// Output options.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Options of `policy-types`.
#[derive(Args, Debug)]
pub(crate) struct PolicyTypesArgs {
    /// Form of the output
    #[arg(long, value_enum, default_value = "text")]
    pub format: TableFormat,
}

/// Options of `demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// One part of the demo alone
    #[command(subcommand)]
    pub part: Option<DemoPart>,
}

/// Parts of the demo.
#[derive(Debug, Subcommand)]
pub(crate) enum DemoPart {
    /// Compare the folders of the two sample tenants once
    Compare(OutputArgs),
}

/// Forms of a compare's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table and the evidence, for people
    #[value(alias = "table")]
    Text,
    /// The report in full, for programs
    Json,
    /// One row a change, for spreadsheets
    Csv,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// One page that needs nothing else, for reading and printing
    Html,
}

/// Forms of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// A table, for people
    Text,
    /// For programs
    Json,
}

/// `--match`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MatchArg {
    /// Name and platform, then id, name without version, equal content, similar settings
    Auto,
    /// Id alone: one tenant at two times
    Id,
    /// Exact name
    Name,
    /// Name without a version at its end
    BaseName,
}

impl From<MatchArg> for MatchMode {
    fn from(arg: MatchArg) -> Self {
        match arg {
            MatchArg::Auto => Self::Auto,
            MatchArg::Id => Self::Id,
            MatchArg::Name => Self::Name,
            MatchArg::BaseName => Self::BaseName,
        }
    }
}

/// `--facets`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum FacetArg {
    /// What the policies configure
    Content,
    /// Names and descriptions
    Label,
    /// Targets, filters and scope tags
    Assignments,
}

impl From<FacetArg> for Facet {
    fn from(arg: FacetArg) -> Self {
        match arg {
            FacetArg::Content => Self::Content,
            FacetArg::Label => Self::Label,
            FacetArg::Assignments => Self::Assignments,
        }
    }
}

/// `--references`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ReferencesArg {
    /// literal with --match id, portable otherwise
    Auto,
    /// Ids are values: both folders come from one tenant
    Literal,
    /// Equal when both point to policies or objects that were matched
    Portable,
}

impl From<ReferencesArg> for ReferenceMode {
    fn from(arg: ReferencesArg) -> Self {
        match arg {
            ReferencesArg::Auto => Self::Auto,
            ReferencesArg::Literal => Self::Literal,
            ReferencesArg::Portable => Self::Portable,
        }
    }
}

/// `--complete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompleteArg {
    /// Neither folder is known to be complete
    None,
    /// The golden master's folder
    Baseline,
    /// The other folder
    Current,
    /// Both
    Both,
}

impl CompleteArg {
    /// Whether the golden side is declared complete.
    #[must_use]
    pub(crate) fn baseline(self) -> bool {
        matches!(self, Self::Baseline | Self::Both)
    }

    /// Whether the other side is declared complete.
    #[must_use]
    pub(crate) fn current(self) -> bool {
        matches!(self, Self::Current | Self::Both)
    }
}

/// `--fail-on`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FailOn {
    /// Any drift
    Low,
    /// Medium and high
    Medium,
    /// High alone
    High,
    /// No drift makes the command fail
    Never,
}

impl FailOn {
    /// The least severity that fails; `None` for never.
    #[must_use]
    pub(crate) fn severity(self) -> Option<Severity> {
        match self {
            Self::Low => Some(Severity::Low),
            Self::Medium => Some(Severity::Medium),
            Self::High => Some(Severity::High),
            Self::Never => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn every_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
