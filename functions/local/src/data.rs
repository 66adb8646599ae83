//! The data directory as a command sees it: opened once, one person asking, names for ids.

use crate::cli::data::DataArgs;
use crate::client;
use anyhow::{Context as _, bail};
use futures::executor::block_on;
use plumbline_api::token::DEVELOPMENT_ISSUER;
use plumbline_operations::{Actor, Person, System, Workspace};
use plumbline_ports::{Clock, Ports};
use plumbline_store_local::{DataDir, Stores, SystemClock, SystemIds};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An open data directory.
pub(crate) struct Data {
    /// The operations on it.
    pub system: System,
    /// The ports of its stores.
    pub ports: Ports,
    /// Its stores, for what only embedded ones can do.
    pub stores: Stores,
    /// Who asks.
    pub actor: Actor,
    workspace: Option<String>,
}

impl Data {
    /// Opens the directory that the arguments name, or the user's own.
    ///
    /// # Errors
    /// Names the directory, why it cannot be used, and what to do.
    pub(crate) fn open(args: &DataArgs) -> anyhow::Result<Self> {
        let mut data =
            Self::open_with(&path_of(args)?, Arc::new(SystemClock), args.workspace.clone())?;
        if let Some(name) = &args.act_as {
            data.actor = person(name);
        }
        Ok(data)
    }

    /// Opens a directory under another clock.
    ///
    /// # Errors
    /// As [`Data::open`].
    pub(crate) fn open_with(
        path: &Path,
        clock: Arc<dyn Clock>,
        workspace: Option<String>,
    ) -> anyhow::Result<Self> {
        let stores = DataDir::open(path, clock)?;
        // One process at a time has the directory, so what an earlier one left is taken over at once.
        let ports = stores.ports(Arc::new(SystemIds::new()?));
        let system = System::alone(ports.clone());
        Ok(Self { system, ports, stores, actor: person(&user()), workspace })
    }

    /// The person who asks, as a member of workspaces.
    #[must_use]
    pub(crate) fn person(&self) -> Person {
        Person { issuer: DEVELOPMENT_ISSUER.to_owned(), subject: self.actor.name().to_owned() }
    }

    /// The workspace that is meant: the one that was named, or the only one.
    ///
    /// # Errors
    /// Says how to make one when there is none, and lists them when there are several.
    pub(crate) fn workspace(&self) -> anyhow::Result<Workspace> {
        let all = block_on(self.system.workspaces())?;
        match &self.workspace {
            Some(name) => client::one("workspace", name, all),
            None => match <[Workspace; 1]>::try_from(all) {
                Ok([only]) => Ok(only),
                Err(none) if none.is_empty() => bail!(
                    "`{}` holds no workspace yet; make one with `plumbline workspace create NAME`",
                    self.stores.path().display()
                ),
                Err(several) => bail!(client::several(&several)),
            },
        }
    }
}

/// Somebody at this machine, for the audit.
fn person(name: &str) -> Actor {
    Actor::new(name).by(DEVELOPMENT_ISSUER).from("command")
}

/// The directory that the arguments name, or the user's own.
///
/// # Errors
/// There is no home directory to have one in.
pub(crate) fn path_of(args: &DataArgs) -> anyhow::Result<PathBuf> {
    match args.directory() {
        Some(path) => Ok(path),
        None => user_data_dir(&|name| std::env::var_os(name)),
    }
}

/// The name of the person at the machine.
#[must_use]
pub(crate) fn user() -> String {
    user_name(&|name| std::env::var_os(name))
}

/// Where the user's data lies when nothing else is said: the place that the platform has for it.
fn user_data_dir(variable: &dyn Fn(&str) -> Option<OsString>) -> anyhow::Result<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
    };
    let base = base.context(
        "there is no home directory to keep data in; name a data directory with --data DIR",
    )?;
    Ok(base.join("plumbline"))
}

/// The name of the person at the machine, for the audit.
fn user_name(variable: &dyn Fn(&str) -> Option<OsString>) -> String {
    ["USER", "USERNAME", "LOGNAME"]
        .into_iter()
        .filter_map(|name| variable(name)?.into_string().ok())
        .map(|name| name.trim().to_owned())
        .find(|name| !name.is_empty() && name.chars().all(|letter| !letter.is_control()))
        .unwrap_or_else(|| "local".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_own_place_is_found() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &'static str| {
            let home = home.path().as_os_str().to_owned();
            move |asked: &str| (asked == name).then(|| home.clone())
        };
        if cfg!(all(unix, not(target_os = "macos"))) {
            assert_eq!(
                user_data_dir(&at("HOME")).unwrap(),
                home.path().join(".local/share/plumbline")
            );
            assert_eq!(user_data_dir(&at("XDG_DATA_HOME")).unwrap(), home.path().join("plumbline"));
        }
        let nowhere = user_data_dir(&|_| None).unwrap_err();
        assert!(nowhere.to_string().contains("--data DIR"), "{nowhere}");
    }

    #[test]
    fn a_user_has_a_name_that_the_audit_can_show() {
        let named = |value: &'static str| {
            move |asked: &str| (asked == "USER").then(|| OsString::from(value))
        };
        assert_eq!(user_name(&named(" eve ")), "eve");
        for odd in ["", "  ", "a\nb"] {
            assert_eq!(user_name(&named(odd)), "local", "{odd:?}");
        }
    }
}
