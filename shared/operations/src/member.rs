//! Members, as they are looked up: by person for every request, by id and in lists for people.

use crate::error::OperationError;
use crate::paging::{Page, Position, Stretch};
use crate::repository::Stored;
use crate::repository::keys::{self, sk};
use crate::repository::rows::{MemberRow, SubjectRow, Workspace};
use crate::system::System;
use crate::workspace::Person;
use plumbline_governance::access::Member;
use plumbline_governance::ids::WorkspaceId;
use plumbline_ports::Query;

impl System {
    /// Reads what a person is in a workspace; `None` when they are no member, or not any more. One read.
    ///
    /// # Errors
    /// The store's.
    pub async fn member(
        &self,
        workspace: WorkspaceId,
        person: &Person,
    ) -> Result<Option<Member>, OperationError> {
        self.member_by_id(workspace, &person.member_id()).await
    }

    /// Reads a member by its id; `None` when there is none.
    ///
    /// # Errors
    /// The store's.
    pub async fn member_by_id(
        &self,
        workspace: WorkspaceId,
        member_id: &str,
    ) -> Result<Option<Member>, OperationError> {
        Ok(self.member_row(workspace, member_id).await?.map(|stored| stored.row))
    }

    /// Reads a member with its revision.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn stored_member(
        &self,
        workspace: WorkspaceId,
        member_id: &str,
    ) -> Result<Stored<Member>, OperationError> {
        self.member_row(workspace, member_id)
            .await?
            .ok_or_else(|| OperationError::not_found("member", member_id))
    }

    async fn member_row(
        &self,
        workspace: WorkspaceId,
        member_id: &str,
    ) -> Result<Option<Stored<Member>>, OperationError> {
        // What a caller gives is no id unless it looks like one; then no row can have it.
        if member_id.len() != 64 || !member_id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let found = self.read::<MemberRow>(&MemberRow::key_by_id(workspace, member_id)).await?;
        // A row is kept to the second, a membership to the moment.
        let now = self.now();
        Ok(found
            .filter(|stored| stored.row.member.holds_at(now))
            .map(|Stored { row, revision }| Stored { row: row.member, revision }))
    }

    /// Lists the members, by id.
    ///
    /// # Errors
    /// Refuses limits and places that are none; the store's.
    pub async fn member_page(
        &self,
        workspace: WorkspaceId,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<Member>, OperationError> {
        let rows = Stretch::only(Query::prefix(keys::workspace(workspace), sk::MEMBERS));
        let keep = |stored: Stored<MemberRow>| Some(stored.row.member);
        self.walk("members", &rows, (after, limit), |_| true, keep).await
    }

    /// Lists the workspaces that a person is a member of, with what they are there.
    ///
    /// # Errors
    /// Refuses limits and places that are none; the store's.
    pub async fn workspaces_of(
        &self,
        person: &Person,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<(Workspace, Member)>, OperationError> {
        let rows =
            Stretch::only(Query::prefix(keys::subject(&person.member_id()), WorkspaceId::PREFIX));
        let keep = |stored: Stored<SubjectRow>| Some(stored.row.workspace);
        let page = self.walk("workspaces", &rows, (after, limit), |_| true, keep).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for id in page.items {
            // The member's own row decides.
            let Some(member) = self.member(id, person).await? else { continue };
            items.push((self.workspace(id).await?, member));
        }
        Ok(Page { items, next: page.next })
    }
}
