//! Arguments of the commands that do and show work: import, capture, assign, runs, findings, serve.

use super::data::Show;
use clap::{Args, Subcommand, ValueEnum};
use plumbline_governance::report::ChangeType;
use plumbline_governance::severity::Severity;
use std::path::PathBuf;

/// Options of `import`.
#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// Name or id of the tenant
    #[arg(long)]
    pub tenant: String,
    /// A folder of exports, a JSON file, an NDJSON file (.ndjson, .jsonl), or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What the paths hold: complete (everything the tenant has), types of which they hold all, comma
    /// separated, or unknown
    #[arg(long, value_name = "complete|TYPE,…|unknown", default_value = "unknown")]
    pub coverage: String,
    /// Types that may fall from many objects to none, comma separated
    #[arg(long, value_name = "TYPE,…", value_delimiter = ',')]
    pub confirm_empty: Vec<String>,
    #[command(flatten)]
    pub show: Show,
}

/// Options of `capture`.
#[derive(Args, Debug)]
pub(crate) struct CaptureArgs {
    /// Name or id of the profile
    #[arg(long)]
    pub profile: String,
    /// Name or id of the tenant to capture from
    #[arg(long)]
    pub tenant: String,
    #[command(flatten)]
    pub show: Show,
}

/// Options of `assign`.
#[derive(Args, Debug)]
pub(crate) struct AssignArgs {
    /// Name or id of the tenant
    #[arg(long)]
    pub tenant: String,
    /// Name or id of the profile
    #[arg(long)]
    pub profile: String,
    /// A narrower scope for this tenant, a JSON file
    #[arg(long, value_name = "FILE")]
    pub scope: Option<PathBuf>,
    #[command(flatten)]
    pub show: Show,
}

/// Options of `unassign`.
#[derive(Args, Debug)]
pub(crate) struct UnassignArgs {
    /// Name or id of the tenant
    #[arg(long)]
    pub tenant: String,
}

/// `role`.
#[derive(Debug, Subcommand)]
pub(crate) enum RoleCommand {
    /// Map a custom role of the baseline to the tenant's role that stands for it
    Map {
        #[command(flatten)]
        of: RoleArgs,
        /// The id of the tenant's role
        tenant_role: String,
        /// Why the two are one; the audit keeps it
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        show: Show,
    },
    /// Take a mapping away
    Unmap(RoleArgs),
    /// List the mappings of a tenant
    Mappings {
        /// Name or id of the tenant
        #[arg(long)]
        tenant: String,
        #[command(flatten)]
        show: Show,
    },
}

/// A role of the baseline, for one tenant.
#[derive(Args, Debug)]
pub(crate) struct RoleArgs {
    /// Name or id of the tenant
    #[arg(long)]
    pub tenant: String,
    /// The id of the baseline's role, as its finding shows it
    pub baseline_role: String,
}

/// Which findings are meant.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FindingFilter {
    /// Name or id of the tenant
    #[arg(long)]
    pub tenant: Option<String>,
    /// Name or id of the profile
    #[arg(long)]
    pub profile: Option<String>,
    /// Where they stand, comma separated
    #[arg(long, value_enum, value_delimiter = ',')]
    pub status: Vec<StatusArg>,
    /// How urgent they are, comma separated
    #[arg(long, value_enum, value_delimiter = ',')]
    pub severity: Vec<SeverityArg>,
    /// Policy types, comma separated
    #[arg(long = "type", value_name = "TYPE,…", value_delimiter = ',')]
    pub types: Vec<String>,
    /// Kinds of drift, comma separated
    #[arg(long, value_enum, value_delimiter = ',')]
    pub change_type: Vec<ChangeTypeArg>,
}

/// Options of `findings`.
#[derive(Args, Debug)]
pub(crate) struct FindingsArgs {
    #[command(flatten)]
    pub filter: FindingFilter,
    #[command(flatten)]
    pub show: Show,
}

/// `finding`.
#[derive(Debug, Subcommand)]
pub(crate) enum FindingCommand {
    /// Show one finding with its evidence
    Show {
        /// Its id, or the first letters of it
        id: String,
        #[command(flatten)]
        show: Show,
    },
    /// Say that you know of it
    Acknowledge(ActArgs),
    /// Hear no more of exactly this drift
    Close(ReasonedArgs),
    /// Allow exactly this drift, perhaps until a date
    Accept {
        #[command(flatten)]
        act: ReasonedArgs,
        /// The day on which the acceptance ends, such as 2026-12-31
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
    },
    /// Let it count again
    Reopen(ReasonedArgs),
}

/// An action on findings.
#[derive(Args, Debug)]
pub(crate) struct ActArgs {
    /// Ids, or the first letters of them
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub ids: Vec<String>,
    /// All findings of the tenant that the other options choose
    #[arg(long, requires = "tenant", conflicts_with = "ids")]
    pub all: bool,
    #[command(flatten)]
    pub filter: FindingFilter,
    #[command(flatten)]
    pub show: Show,
}

/// An action that asks for a reason.
#[derive(Args, Debug)]
pub(crate) struct ReasonedArgs {
    #[command(flatten)]
    pub act: ActArgs,
    /// Why; the audit keeps it
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `--status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusArg {
    /// New, acknowledged and reopened
    Open,
    /// Nobody has looked at it
    New,
    /// Somebody knows of it
    Acknowledged,
    /// It is drift again
    Reopened,
    /// A person allows it
    Accepted,
    /// It is no drift any more
    Resolved,
    /// A person wants to hear no more of it
    Closed,
}

impl StatusArg {
    /// The statuses that are meant.
    #[must_use]
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Open => "new,acknowledged,reopened",
            Self::New => "new",
            Self::Acknowledged => "acknowledged",
            Self::Reopened => "reopened",
            Self::Accepted => "accepted",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }
}

/// `--severity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SeverityArg {
    /// Low
    Low,
    /// Medium
    Medium,
    /// High
    High,
}

impl From<SeverityArg> for Severity {
    fn from(arg: SeverityArg) -> Self {
        match arg {
            SeverityArg::Low => Self::Low,
            SeverityArg::Medium => Self::Medium,
            SeverityArg::High => Self::High,
        }
    }
}

/// `--change-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum ChangeTypeArg {
    /// Only the baseline has the policy
    MissingPolicy,
    /// Both have it, and they differ
    DifferentVersion,
    /// Only the tenant has it
    UnexpectedPolicy,
}

impl From<ChangeTypeArg> for ChangeType {
    fn from(arg: ChangeTypeArg) -> Self {
        match arg {
            ChangeTypeArg::MissingPolicy => Self::MissingPolicy,
            ChangeTypeArg::DifferentVersion => Self::DifferentVersion,
            ChangeTypeArg::UnexpectedPolicy => Self::UnexpectedPolicy,
        }
    }
}

/// Options of `runs`.
#[derive(Args, Debug)]
pub(crate) struct RunsArgs {
    /// Name or id of the tenant
    #[arg(long)]
    pub tenant: Option<String>,
    /// The most runs that are shown
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    pub limit: usize,
    /// Wait until all of them have ended
    #[arg(long)]
    pub watch: bool,
    #[command(flatten)]
    pub show: Show,
}

/// `run`.
#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
    /// Show one run: what it was given, what it came to and why
    Show {
        /// Its id
        id: String,
        /// Wait until it has ended
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        show: Show,
    },
    /// End a run that has not ended
    Cancel {
        /// Its id
        id: String,
        #[command(flatten)]
        show: Show,
    },
}

/// Options of `audit`.
#[derive(Args, Debug)]
pub(crate) struct AuditArgs {
    /// From this day or moment on, such as 2026-11-01 or 2026-11-01T06:00:00Z [default: 30 days ago]
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    #[command(flatten)]
    pub show: Show,
}

/// Options of `posture`.
#[derive(Args, Debug)]
pub(crate) struct PostureArgs {
    /// Name or id of the tenant [default: the whole workspace]
    #[arg(long)]
    pub tenant: Option<String>,
    /// Instead: which drift many tenants share
    #[arg(long, conflicts_with_all = ["tenant", "trend"])]
    pub groups: bool,
    /// Instead: how many findings were open on each of the last days
    #[arg(long, value_name = "DAYS", num_args = 0..=1, default_missing_value = "90",
        value_parser = clap::value_parser!(u16).range(1..=400), conflicts_with = "tenant")]
    pub trend: Option<u16>,
    #[command(flatten)]
    pub show: Show,
}

/// Options of `collect`.
#[derive(Args, Debug)]
pub(crate) struct CollectArgs {
    /// Do it; without this, only say what would be done
    #[arg(long)]
    pub delete: bool,
    /// How many hours nothing must have referred to an object before it goes
    #[arg(long, value_name = "HOURS", default_value_t = 48)]
    pub grace: u32,
    #[command(flatten)]
    pub show: Show,
}

/// Options of `replay`.
#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// Name or id of the tenant [default: all]
    #[arg(long)]
    pub tenant: Option<String>,
    /// Name or id of the profile [default: all]
    #[arg(long)]
    pub profile: Option<String>,
    /// Try another scope, a JSON file
    #[arg(long, value_name = "FILE")]
    pub scope: Option<PathBuf>,
    /// Try other facets, comma separated
    #[arg(long, value_enum, value_delimiter = ',')]
    pub facets: Option<Vec<super::FacetArg>>,
    /// Try another severity for a rule, such as policy.missing=medium; may be repeated
    #[arg(long, value_name = "RULE=LEVEL", value_parser = super::data::severity)]
    pub severity: Vec<(String, Severity)>,
    #[command(flatten)]
    pub show: Show,
}

/// Options of `serve`.
#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// How many runs are done at the same time
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub workers: u8,
    /// Where the API listens
    #[arg(long, default_value = "127.0.0.1:8484", value_name = "ADDRESS")]
    pub listen: std::net::SocketAddr,
    /// Issuers whose tokens the API takes besides its own, a JSON file
    #[arg(long, value_name = "FILE")]
    pub issuers: Option<PathBuf>,
    /// Only owners of the command line make workspaces, not everyone with a valid token
    #[arg(long)]
    pub closed: bool,
    /// Form of the log on standard error
    #[arg(long, value_enum, default_value = "text")]
    pub log: LogArg,
}

/// Options of `invoke`.
#[derive(Args, Debug)]
pub(crate) struct InvokeArgs {
    /// The function
    #[arg(value_enum)]
    pub function: FunctionArg,
    /// The event, a JSON file as AWS sends it; the folder `events` has one of each kind. A request to the API
    /// is made as you, whatever its token
    #[arg(value_name = "FILE")]
    pub event: PathBuf,
    /// How much time the function has
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    pub seconds: u32,
}

/// The functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FunctionArg {
    /// Requests to the API
    Api,
    /// The tick
    Schedule,
    /// Messages that ask for captures
    Capture,
    /// Messages that ask for compares
    Compare,
    /// Messages that were given up
    Deadletter,
}

/// Options of `token`.
#[derive(Args, Debug)]
pub(crate) struct TokenArgs {
    /// Whom the token is for [default: you]
    #[arg(long, value_name = "NAME")]
    pub subject: Option<String>,
    /// How many hours it is good
    #[arg(long, value_name = "HOURS", default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=720))]
    pub hours: u16,
}

/// `--log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogArg {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

/// Options of `completions`.
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
