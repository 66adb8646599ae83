//! What a tenant's inventory and a snapshot hold, item by item, and the payload of one.

use crate::error::OperationError;
use crate::paging::{Page, Position, check_limit};
use crate::repository::keys::folder;
use crate::system::System;
use plumbline_governance::ids::{ProfileId, SnapshotId, TenantId, WorkspaceId};
use plumbline_governance::index::{Entry, Frame, SnapshotIndex, StateIndex};
use plumbline_policy::digest::Digest;
use plumbline_policy::policy::{Facets, Payload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One subject of a tenant's inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InventoryItem {
    /// Names the item in the inventory.
    pub item_id: String,
    /// Catalog key.
    pub policy_type: String,
    /// The subject key; `None` without an identity.
    pub subject_key: Option<String>,
    /// Its name.
    pub display_name: Option<String>,
    /// Its id in the tenant.
    pub external_id: Option<String>,
    /// The digests of its facets.
    pub facets: Facets,
    /// The digest of its stored payload.
    pub payload: Digest,
}

/// One subject of a snapshot. Nothing in it names the tenant that it was captured from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SnapshotItem {
    /// Names the item in the snapshot.
    pub item_id: String,
    /// Catalog key.
    pub policy_type: String,
    /// The subject key; `None` without an identity.
    pub subject_key: Option<String>,
    /// Its name, with placeholders for what was the tenant's.
    pub display_name: Option<String>,
    /// What it is known by where names do not tell; null without an id.
    pub identity: Option<ItemIdentity>,
    /// For roles: Microsoft's own, or one that a tenant made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub built_in: Option<bool>,
    /// The digests of its facets.
    pub facets: Facets,
    /// The digest of its stored payload.
    pub payload: Digest,
}

/// What a snapshot's subject is known by. It names no tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ItemIdentity {
    /// What kind of name it is.
    pub strategy: IdentityStrategy,
    /// The name.
    pub value: String,
}

/// How a subject of a snapshot is named beyond its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityStrategy {
    /// The id in Graph, as it is: only of role definitions, which are their ids.
    ExternalId,
    /// A keyed hash of the id, which the workspace alone can make.
    KeyedReference,
}

impl ItemIdentity {
    fn of(entry: &Entry) -> Option<Self> {
        let (strategy, value) = match (&entry.external_id, &entry.identity_ref) {
            (Some(id), _) => (IdentityStrategy::ExternalId, id),
            (None, Some(reference)) => (IdentityStrategy::KeyedReference, reference),
            (None, None) => return None,
        };
        Some(Self { strategy, value: value.clone() })
    }
}

/// The order of items: type, subject key, id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
struct Place {
    policy_type: String,
    subject_key: Option<String>,
    item_id: String,
}

/// Names every entry: a digest over its type and identity, and over how many alike stand before it.
fn places(entries: &[Entry]) -> Vec<(Place, &Entry)> {
    let identity = |entry: &Entry| {
        let id = entry.external_id.clone().or_else(|| entry.identity_ref.clone());
        // What has no id is told apart by what it holds.
        let id = id.unwrap_or_else(|| entry.frame.payload.to_string());
        (entry.policy_type.clone(), entry.key.clone(), id)
    };
    let mut alike: std::collections::BTreeMap<_, u64> = std::collections::BTreeMap::new();
    let mut out: Vec<(Place, &Entry)> = entries
        .iter()
        .map(|entry| {
            let identity = identity(entry);
            let before = alike.entry(identity.clone()).or_default();
            // Writing plain data to memory cannot fail.
            let named = serde_json::to_vec(&(1, &identity, *before)).unwrap_or_default();
            *before += 1;
            let (policy_type, subject_key, _) = identity;
            let item_id = Digest::of(&named).to_string();
            (Place { policy_type, subject_key, item_id }, entry)
        })
        .collect();
    out.sort_by(|one, other| one.0.cmp(&other.0));
    out
}

/// A page of entries in the order of their places.
fn page<T>(
    list: &'static str,
    entries: &[Entry],
    policy_type: Option<&str>,
    (after, limit): (Option<&Position>, usize),
    item: impl Fn(Place, &Entry) -> T,
) -> Result<Page<T>, OperationError> {
    check_limit(limit)?;
    let after: Option<Place> =
        match after.map(|after| after.sk_in(list)).transpose()?.flatten() {
            Some(text) => Some(serde_json::from_str(text).map_err(|_| {
                OperationError::Invalid("the place is none of this list".to_owned())
            })?),
            None => None,
        };
    let mut rest = places(entries)
        .into_iter()
        .filter(|(place, _)| policy_type.is_none_or(|one| place.policy_type == one))
        .filter(|(place, _)| after.as_ref().is_none_or(|after| place > after));
    let (mut items, mut end) = (Vec::new(), None);
    for (place, entry) in rest.by_ref().take(limit) {
        end = Some(place.clone());
        items.push(item(place, entry));
    }
    let next = match (rest.next(), end) {
        (Some(_), Some(end)) => serde_json::to_string(&end).ok(),
        _ => None,
    };
    Ok(Page { items, next: next.map(|sk| Position::behind(list, sk)) })
}

fn frame_of(entries: &[Entry], item_id: &str) -> Result<Frame, OperationError> {
    places(entries)
        .into_iter()
        .find(|(place, _)| place.item_id == item_id)
        .map(|(_, entry)| entry.frame)
        .ok_or_else(|| OperationError::not_found("item", item_id))
}

/// What ends a run makes a reading fail.
fn unavailable(what: &str, error: OperationError) -> OperationError {
    match error {
        OperationError::Ends(failure) => OperationError::damaged(what, failure.message),
        other => other,
    }
}

impl System {
    /// Lists what a tenant had when it was last read, by type and subject key; nothing before that.
    ///
    /// # Errors
    /// Not found; refuses limits and places that are none; says when the inventory is gone or damaged.
    pub async fn inventory_items(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        policy_type: Option<&str>,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<InventoryItem>, OperationError> {
        let entries = match self.inventory_index(workspace, tenant).await? {
            Some(index) => index.entries,
            None => Vec::new(),
        };
        page("inventory", &entries, policy_type, (after, limit), |place, entry| InventoryItem {
            item_id: place.item_id,
            policy_type: place.policy_type,
            subject_key: place.subject_key,
            display_name: entry.display_name.clone(),
            external_id: entry.external_id.clone(),
            facets: entry.facets,
            payload: entry.frame.payload,
        })
    }

    /// Lists what a snapshot holds, by type and subject key.
    ///
    /// # Errors
    /// Not found; refuses limits and places that are none; says when the snapshot is gone or damaged.
    pub async fn snapshot_items(
        &self,
        workspace: WorkspaceId,
        profile: ProfileId,
        snapshot: SnapshotId,
        policy_type: Option<&str>,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<SnapshotItem>, OperationError> {
        let entries = self.golden_entries(workspace, profile, snapshot).await?;
        page("snapshot items", &entries, policy_type, (after, limit), |place, entry| SnapshotItem {
            item_id: place.item_id,
            policy_type: place.policy_type,
            subject_key: place.subject_key,
            display_name: entry.display_name.clone(),
            identity: ItemIdentity::of(entry),
            built_in: entry.role.map(|role| role.built_in),
            facets: entry.facets,
            payload: entry.frame.payload,
        })
    }

    /// Reads the payload of an item of a tenant's inventory, as it is stored: without its secrets.
    ///
    /// # Errors
    /// Not found; says when the payload is gone or damaged.
    pub async fn inventory_payload(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        item_id: &str,
    ) -> Result<serde_json::Value, OperationError> {
        let entries = match self.inventory_index(workspace, tenant).await? {
            Some(index) => index.entries,
            None => Vec::new(),
        };
        let packs = folder::tenant(workspace, tenant, "pack");
        self.stored_document(&packs, frame_of(&entries, item_id)?).await
    }

    /// Reads the payload of an item of a snapshot, as it is stored: without secrets, and with
    /// placeholders for what was the tenant's.
    ///
    /// # Errors
    /// Not found; says when the payload is gone or damaged.
    pub async fn snapshot_payload(
        &self,
        workspace: WorkspaceId,
        profile: ProfileId,
        snapshot: SnapshotId,
        item_id: &str,
    ) -> Result<serde_json::Value, OperationError> {
        let entries = self.golden_entries(workspace, profile, snapshot).await?;
        let packs = folder::baseline(workspace, "pack");
        self.stored_document(&packs, frame_of(&entries, item_id)?).await
    }

    /// The index of what a tenant had when it was last read; `None` before that.
    pub(crate) async fn inventory_index(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
    ) -> Result<Option<StateIndex>, OperationError> {
        self.tenant(workspace, tenant).await?;
        let Some(state) = self.state(workspace, tenant).await? else { return Ok(None) };
        let place = folder::tenant(workspace, tenant, "index");
        let index = self.document(&place, state.index).await;
        index.map(Some).map_err(|error| unavailable("the inventory of the tenant", error))
    }

    /// What a snapshot holds.
    pub(crate) async fn golden_entries(
        &self,
        workspace: WorkspaceId,
        profile: ProfileId,
        snapshot: SnapshotId,
    ) -> Result<Vec<Entry>, OperationError> {
        let header = self.snapshot(workspace, profile, snapshot).await?;
        let what = format!("the snapshot {snapshot}");
        let Some((_, digest)) = header.indexes.last_key_value() else {
            return Err(OperationError::damaged(what, "it names no index"));
        };
        let place = folder::baseline(workspace, "index");
        let index: Result<SnapshotIndex, _> = self.document(&place, *digest).await;
        index.map(|index| index.entries).map_err(|error| unavailable(&what, error))
    }

    /// The document of a stored payload; the line before it tells of its secrets and stays here.
    async fn stored_document(
        &self,
        packs: &str,
        frame: Frame,
    ) -> Result<serde_json::Value, OperationError> {
        const WHAT: &str = "a stored payload";
        let read = self.frames(packs, &[frame]).await;
        let frames = read.map_err(|error| unavailable(WHAT, error))?;
        let bytes = frames.first().map(Vec::as_slice).unwrap_or_default();
        Payload::from_stored(bytes).map_err(|error| OperationError::damaged(WHAT, error))?;
        let document = bytes.iter().position(|byte| *byte == b'\n').map(|at| &bytes[at + 1..]);
        serde_json::from_slice(document.unwrap_or_default())
            .map_err(|error| OperationError::damaged(WHAT, error))
    }
}
