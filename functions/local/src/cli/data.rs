//! Arguments that every command on the data directory has, and those of the registry: workspaces, their
//! members, tenants, profiles.

use super::FacetArg;
use clap::{Args, Subcommand, ValueEnum};
use plumbline_governance::access::MemberRole;
use plumbline_governance::severity::Severity;
use std::path::PathBuf;

/// The variables that say the same as options, where the option is not given. They are read here and not
/// by clap, which would take them for options that contradict each other.
pub(crate) const DATA: &str = "PLUMBLINE_DATA_DIR";
pub(crate) const SERVER: &str = "PLUMBLINE_SERVER";
/// Who asks a server. No option: a command line can be read by others.
pub(crate) const TOKEN: &str = "PLUMBLINE_TOKEN";

/// Where the data is and which part of it is meant.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct DataArgs {
    /// The data directory, or `PLUMBLINE_DATA_DIR`; made on first use [default: the user's data directory]
    #[arg(long, value_name = "DIR", global = true, help_heading = "Data")]
    pub data: Option<PathBuf>,
    /// Instead of a data directory: the server at this address, or at `PLUMBLINE_SERVER`; the token in
    /// `PLUMBLINE_TOKEN` says who asks
    #[arg(long, value_name = "URL", global = true, conflicts_with = "data", help_heading = "Data")]
    pub server: Option<String>,
    /// Who asks, on a data directory [default: your user name]
    #[arg(
        long = "as",
        value_name = "NAME",
        global = true,
        conflicts_with = "server",
        value_parser = clap::builder::NonEmptyStringValueParser::new(),
        help_heading = "Data"
    )]
    pub act_as: Option<String>,
    /// Name or id of the workspace; needed only when there are several
    #[arg(long, value_name = "WORKSPACE", global = true, help_heading = "Data")]
    pub workspace: Option<String>,
}

impl DataArgs {
    /// The server that is meant, if one is.
    pub(crate) fn server(&self) -> Option<String> {
        if self.data.is_some() {
            return None;
        }
        self.server.clone().or_else(|| variable(SERVER))
    }

    /// The directory that is named, if one is.
    pub(crate) fn directory(&self) -> Option<PathBuf> {
        let named = || std::env::var_os(DATA).filter(|path| !path.is_empty()).map(PathBuf::from);
        self.data.clone().or_else(named)
    }
}

/// The text of a variable that is set to one.
pub(crate) fn variable(name: &str) -> Option<String> {
    let text = std::env::var_os(name)?.into_string().ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Forms of what a command on the data directory shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    /// For people
    #[default]
    #[value(alias = "text")]
    Table,
    /// In full, for programs
    Json,
}

/// How the result is shown.
#[derive(Args, Clone, Copy, Debug, Default)]
// Commands called `show` have a group of that name already.
#[group(skip)]
pub(crate) struct Show {
    /// Form of the output
    #[arg(long, value_enum, default_value = "table")]
    pub format: ShowFormat,
}

/// `workspace`.
#[derive(Debug, Subcommand)]
pub(crate) enum WorkspaceCommand {
    /// Make a workspace; you are its first owner
    Create {
        /// Its name
        name: String,
        #[command(flatten)]
        show: Show,
    },
    /// List your workspaces
    List(Show),
    /// Show one workspace
    Show(Show),
    /// Change the name of a workspace, or how long an inventory is good
    Edit {
        /// Another name
        #[arg(long, value_name = "NAME", required_unless_present = "inventory_max_age")]
        rename: Option<String>,
        /// After how many hours nothing is concluded from an inventory any more
        #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..=8760))]
        inventory_max_age: Option<u32>,
        #[command(flatten)]
        show: Show,
    },
    /// Say when nightly compares start
    Schedule(ScheduleArgs),
    /// Add, remove or list members
    #[command(subcommand)]
    Member(MemberCommand),
}

/// `workspace schedule`.
#[derive(Args, Debug)]
pub(crate) struct ScheduleArgs {
    /// Local time of day, such as 02:30
    #[arg(long, value_name = "HH:MM", requires = "zone", required_unless_present = "never")]
    pub time: Option<String>,
    /// Time zone, such as Europe/Berlin
    #[arg(long, requires = "time")]
    pub zone: Option<String>,
    /// No nightly compares
    #[arg(long, conflicts_with_all = ["time", "zone"])]
    pub never: bool,
    #[command(flatten)]
    pub show: Show,
}

/// `workspace member`.
#[derive(Debug, Subcommand)]
pub(crate) enum MemberCommand {
    /// Add a member, or change what one may do
    Add {
        #[command(flatten)]
        person: PersonArgs,
        /// What the member may do
        #[arg(long, value_enum, default_value = "viewer")]
        role: RoleArg,
        /// The only tenants that the member may see, names or ids, comma separated; all: no limit
        #[arg(long, value_name = "all|TENANT,…", value_delimiter = ',')]
        tenants: Option<Vec<String>>,
        /// The last day of the membership, such as 2026-12-31; never: no end
        #[arg(long, value_name = "DATE|never")]
        until: Option<String>,
        #[command(flatten)]
        show: Show,
    },
    /// Take a member out
    Remove {
        #[command(flatten)]
        person: PersonArgs,
    },
    /// List the members
    List(Show),
}

/// A person.
#[derive(Args, Debug)]
pub(crate) struct PersonArgs {
    /// The person's name at the issuer
    pub subject: String,
    /// Who vouches for the person: the issuer of their tokens, or `local`
    #[arg(long, default_value = "local")]
    pub issuer: String,
}

/// `--role`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RoleArg {
    /// May do everything, members included
    Owner,
    /// Runs the workspace
    Operator,
    /// Reads
    Viewer,
    /// Reads, the audit included
    Auditor,
}

impl From<RoleArg> for MemberRole {
    fn from(arg: RoleArg) -> Self {
        match arg {
            RoleArg::Owner => Self::Owner,
            RoleArg::Operator => Self::Operator,
            RoleArg::Viewer => Self::Viewer,
            RoleArg::Auditor => Self::Auditor,
        }
    }
}

/// `tenant`.
#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Add a tenant
    Add {
        /// Its name, unique in the workspace
        name: String,
        /// Facts of the tenant, a JSON file: its id, domains and Intune account id
        #[arg(long, value_name = "FILE")]
        facts: Option<PathBuf>,
        #[command(flatten)]
        show: Show,
    },
    /// List the tenants
    List(Show),
    /// Show one tenant: what it is held to, and what was read of it
    Show {
        /// Name or id
        name: String,
        #[command(flatten)]
        show: Show,
    },
    /// Replace the facts of a tenant
    Facts {
        /// Name or id
        name: String,
        /// A JSON file with its id, domains and Intune account id
        file: PathBuf,
        #[command(flatten)]
        show: Show,
    },
    /// Put a tenant away: it is compared no more, its findings stay readable
    Archive {
        /// Name or id
        name: String,
        #[command(flatten)]
        show: Show,
    },
}

/// `profile`.
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// Make a profile, as a draft
    Create {
        /// Its name, unique in the workspace
        name: String,
        #[command(flatten)]
        parts: ProfileParts,
        #[command(flatten)]
        show: Show,
    },
    /// List the profiles
    List(Show),
    /// Show one profile
    Show {
        /// Name or id
        name: String,
        #[command(flatten)]
        show: Show,
    },
    /// Change a profile; what is not named stays
    Edit {
        /// Name or id
        name: String,
        /// Another name
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
        #[command(flatten)]
        parts: ProfileParts,
        #[command(flatten)]
        show: Show,
    },
    /// Make a profile usable: tenants can be held to it
    Activate {
        /// Name or id
        name: String,
        #[command(flatten)]
        show: Show,
    },
    /// Take an active profile back to a draft
    Draft {
        /// Name or id
        name: String,
        #[command(flatten)]
        show: Show,
    },
    /// Put a profile away for good
    Archive {
        /// Name or id
        name: String,
        #[command(flatten)]
        show: Show,
    },
    /// List the snapshots of a profile, the newest first
    Snapshots {
        /// Name or id
        name: String,
        #[command(flatten)]
        show: Show,
    },
    /// Make an older snapshot the one that tenants are compared with
    Promote {
        /// Id of the snapshot
        snapshot: String,
        #[command(flatten)]
        show: Show,
    },
}

/// What a person says of a profile.
#[derive(Args, Debug)]
pub(crate) struct ProfileParts {
    /// The types it holds, a JSON file [default: every policy type that can be compared]
    #[arg(long, value_name = "FILE")]
    pub scope: Option<PathBuf>,
    /// What counts, comma separated [default: content,label]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub facets: Option<Vec<FacetArg>>,
    /// Another severity for a rule, such as policy.missing=medium; may be repeated
    #[arg(long, value_name = "RULE=LEVEL", value_parser = severity)]
    pub severity: Vec<(String, Severity)>,
    /// A description, for people
    #[arg(long)]
    pub description: Option<String>,
    /// A version, for people, such as 2026.1
    #[arg(long, value_name = "LABEL")]
    pub version_label: Option<String>,
}

/// Reads `RULE=LEVEL`.
pub(super) fn severity(text: &str) -> Result<(String, Severity), String> {
    let wrong = || "write it as RULE=LEVEL, such as policy.missing=medium".to_owned();
    let (rule, level) = text.split_once('=').ok_or_else(wrong)?;
    let level = match level {
        "low" => Severity::Low,
        "medium" => Severity::Medium,
        "high" => Severity::High,
        other => return Err(format!("`{other}` is no severity; it is low, medium or high")),
    };
    Ok((rule.to_owned(), level))
}
