//! Payloads of stored captures, for the second pass of a compare. The compare is pure and does not wait:
//! it gets what is there, and what it asked for in vain is read before it is asked again.

use crate::error::OperationError;
use crate::repository::keys::folder;
use crate::system::System;
use plumbline_governance::compare::Payloads;
use plumbline_governance::ids::{TenantId, WorkspaceId};
use plumbline_governance::index::{Entry, Frame, StateIndex};
use plumbline_governance::inventory::SideName;
use plumbline_governance::subject::Source;
use plumbline_policy::policy::Payload;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// What a compare asked for: a side, and a place in its index.
type Wanted = (SideName, usize);

pub(crate) struct StoredPayloads {
    /// Where each payload stands, by its place in the index. The rest of an index is not held.
    golden: Vec<Frame>,
    state: Vec<Frame>,
    /// The state's payloads hold the tenant's own facts; the baseline's hold none.
    current: Localiser,
    baseline: Localiser,
    loaded: BTreeMap<Wanted, Payload<'static>>,
    missing: Mutex<BTreeSet<Wanted>>,
}

impl StoredPayloads {
    pub(crate) fn new(golden: Vec<Frame>, state: &StateIndex) -> Self {
        Self {
            golden,
            state: frames(&state.entries),
            current: Localiser::new(&state.facts),
            baseline: Localiser::new(&TenantFacts::default()),
            loaded: BTreeMap::new(),
            missing: Mutex::new(BTreeSet::new()),
        }
    }

    /// What was asked for and not there, since the last time.
    pub(crate) fn missing(&self) -> BTreeSet<Wanted> {
        std::mem::take(&mut *self.missing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn frame(&self, (side, place): Wanted) -> Option<Frame> {
        let frames = match side {
            SideName::Baseline => &self.golden,
            SideName::Current => &self.state,
        };
        frames.get(place).copied()
    }

    pub(crate) async fn load(
        &mut self,
        system: &System,
        workspace: WorkspaceId,
        tenant: TenantId,
        wanted: BTreeSet<Wanted>,
    ) -> Result<(), OperationError> {
        for (side, packs) in [
            (SideName::Baseline, folder::baseline(workspace, "pack")),
            (SideName::Current, folder::tenant(workspace, tenant, "pack")),
        ] {
            let places: Vec<(Wanted, Frame)> = wanted
                .iter()
                .filter(|(of, _)| *of == side)
                .filter_map(|one| Some((*one, self.frame(*one)?)))
                .collect();
            let frames: Vec<Frame> = places.iter().map(|(_, frame)| *frame).collect();
            if frames.is_empty() {
                continue;
            }
            let payloads = system.payloads(&packs, &frames).await?;
            self.loaded.extend(places.into_iter().map(|(one, _)| one).zip(payloads));
        }
        Ok(())
    }
}

/// Where the payloads of entries stand.
pub(crate) fn frames(entries: &[Entry]) -> Vec<Frame> {
    entries.iter().map(|entry| entry.frame).collect()
}

impl Payloads for StoredPayloads {
    fn payload(&self, side: SideName, source: &Source) -> Option<Cow<'_, Payload<'static>>> {
        let wanted = (side, source.index);
        let found = self.loaded.get(&wanted).map(Cow::Borrowed);
        if found.is_none() {
            self.missing.lock().unwrap_or_else(PoisonError::into_inner).insert(wanted);
        }
        found
    }

    fn localiser(&self, side: SideName) -> &Localiser {
        match side {
            SideName::Baseline => &self.baseline,
            SideName::Current => &self.current,
        }
    }
}
