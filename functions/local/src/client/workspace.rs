//! Which workspace is meant.

use super::{Side, Wire, named};
use anyhow::{Context as _, bail};
use futures::executor::block_on;
use plumbline_api::view::OwnWorkspace;
use plumbline_governance::ids::WorkspaceId;
use plumbline_operations::Workspace;

impl Wire {
    /// The workspaces of the person who asks.
    pub(crate) fn workspaces(&self) -> anyhow::Result<Vec<Workspace>> {
        let own: Vec<OwnWorkspace> = self.list("/v1/workspaces", &[])?;
        Ok(own.into_iter().map(|one| one.workspace).collect())
    }

    /// The workspace that is meant: the one that was named, or the only one.
    ///
    /// # Errors
    /// Says how to make one when there is none, and lists them when there are several.
    pub(super) fn workspace(&self, name: Option<&str>) -> anyhow::Result<Workspace> {
        if let Some(name) = name
            && name.parse::<WorkspaceId>().is_ok()
        {
            return self
                .find(&format!("/v1/workspaces/{name}"))?
                .with_context(|| format!("there is no workspace `{name}`"));
        }
        let all = self.workspaces()?;
        match name {
            Some(name) => named::one("workspace", name, all),
            None => match <[Workspace; 1]>::try_from(all) {
                Ok([only]) => Ok(only),
                Err(none) if none.is_empty() => self.none(),
                Err(several) => bail!(named::several(&several)),
            },
        }
    }

    fn none(&self) -> anyhow::Result<Workspace> {
        match &self.side {
            Side::Here(here) => {
                let data = &here.data;
                let path = data.stores.path().display();
                if !block_on(data.system.workspaces())?.is_empty() {
                    bail!(
                        "`{}` is a member of no workspace of `{path}`; act as somebody who is with --as NAME",
                        data.actor.name()
                    );
                }
                bail!(
                    "`{path}` holds no workspace yet; make one with `plumbline workspace create NAME`"
                );
            }
            Side::Server(_) => bail!(
                "you are a member of no workspace on the server; make one with `plumbline workspace create \
                 NAME`, or have an owner add you"
            ),
        }
    }
}
