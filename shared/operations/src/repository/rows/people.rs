//! Members, in their workspace and by person.

use crate::repository::Row;
use crate::repository::keys::{self, sk};
use jiff::Timestamp;
use plumbline_governance::access::{Member, member_id};
use plumbline_governance::ids::WorkspaceId;
use plumbline_ports::Key;
use serde::{Deserialize, Serialize};

/// A member, in its workspace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct MemberRow {
    pub(crate) workspace: WorkspaceId,
    #[serde(flatten)]
    pub(crate) member: Member,
}

impl MemberRow {
    pub(crate) fn key_of(workspace: WorkspaceId, issuer: &str, subject: &str) -> Key {
        Self::key_by_id(workspace, &member_id(issuer, subject))
    }

    pub(crate) fn key_by_id(workspace: WorkspaceId, member_id: &str) -> Key {
        keys::in_workspace(workspace, sk::member(member_id))
    }
}

impl Row for MemberRow {
    const WHAT: &'static str = "member";
    fn key(&self) -> Key {
        Self::key_of(self.workspace, &self.member.issuer, &self.member.subject)
    }
    /// A membership that has ended is none.
    fn expires_at(&self) -> Option<i64> {
        self.member.until.map(Timestamp::as_second)
    }
    fn spill_folder(&self) -> String {
        keys::folder::workspace(self.workspace)
    }
}

/// A workspace of a person, so that theirs are found without looking at all workspaces.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct SubjectRow {
    pub(crate) workspace: WorkspaceId,
    /// Who it is, hashed.
    pub(crate) member_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
}

impl SubjectRow {
    pub(crate) fn of(row: &MemberRow) -> Self {
        let member = &row.member;
        Self { workspace: row.workspace, member_id: member.member_id(), until: member.until }
    }
}

impl Row for SubjectRow {
    const WHAT: &'static str = "subject";
    fn key(&self) -> Key {
        Key::new(keys::subject(&self.member_id), self.workspace.to_string())
    }
    fn expires_at(&self) -> Option<i64> {
        self.until.map(Timestamp::as_second)
    }
    fn spill_folder(&self) -> String {
        keys::folder::workspace(self.workspace)
    }
}
