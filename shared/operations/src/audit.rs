//! The audit: what was changed, by whom, from where and why. Entries are only ever added, and each names
//! the one before it, so that the check finds whatever was changed, taken out or put in.

use crate::error::OperationError;
use crate::paging::{Page, Position, Rows, Stretch};
use crate::repository::keys;
use crate::repository::rows::{AuditEntry, AuditHead, Workspace};
use crate::repository::{Row as _, Stored};
use crate::system::System;
use crate::verify::Checked;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use plumbline_governance::ids::WorkspaceId;
use plumbline_policy::digest::Digest;
use plumbline_ports::{Query, Range, Record};

/// How many entries the check holds at a time.
const LOT: usize = 500;
const RESTORE: &str = "restore the audit from a backup, and find out who changed it";

/// The partitions of a workspace's audit from one moment to another, the oldest first.
fn months(workspace: WorkspaceId, from: Timestamp, to: Timestamp) -> Vec<String> {
    let first = |at: Timestamp| TimeZone::UTC.to_datetime(at).date().first_of_month();
    let (mut month, last): (Date, Date) = (first(from), first(to));
    let mut out = Vec::new();
    while month <= last {
        out.push(keys::audit_month(workspace, month));
        match month.last_of_month().tomorrow() {
            Ok(next) => month = next,
            Err(_) => break,
        }
    }
    out
}

fn all_of(partition: &str, descending: bool) -> Query {
    Query { pk: partition.to_owned(), range: Range::All, after: None, limit: LOT, descending }
}

impl System {
    /// Lists the audit of a workspace, the newest first: entries from `since` on and before `until`.
    ///
    /// # Errors
    /// Not found; refuses limits and places that are none; the store's.
    pub async fn audit_page(
        &self,
        workspace: WorkspaceId,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<AuditEntry>, OperationError> {
        let first = self.workspace(workspace).await?.created_at;
        let first = since.map_or(first, |since| since.max(first));
        let end = self.audit_end(workspace).await?;
        let end = until.map_or(end, |until| until.min(end));
        let stretches: Vec<Stretch> = months(workspace, first, end)
            .into_iter()
            .rev()
            .map(|name| Stretch { rows: Rows::Table(all_of(&name, true)), name })
            .collect();
        let is_asked = |entry: &AuditEntry| {
            since.is_none_or(|since| since <= entry.at)
                && until.is_none_or(|until| entry.at < until)
        };
        let keep = |stored: Stored<AuditEntry>| Some(stored.row).filter(is_asked);
        self.walk("audit", &stretches, (after, limit), |_| true, keep).await
    }

    /// The moment that no entry is later than.
    async fn audit_end(&self, workspace: WorkspaceId) -> Result<Timestamp, OperationError> {
        let head = self.read::<AuditHead>(&AuditHead::key_of(workspace)).await?;
        let now = self.now();
        // A clock that was set back is behind the audit.
        Ok(head.map_or(now, |head| now.max(head.row.at)))
    }

    /// Walks the chain from its first entry to its head.
    pub(crate) async fn verify_audit(
        &self,
        workspace: &Workspace,
        out: &mut Checked,
    ) -> Result<(), OperationError> {
        let head = match self.read::<AuditHead>(&AuditHead::key_of(workspace.id)).await {
            Ok(head) => head.map(|stored| stored.row),
            Err(OperationError::Port(error)) => return Err(error.into()),
            Err(error) => {
                out.wrong("the head of the audit", error, RESTORE);
                None
            }
        };
        let end = head.as_ref().map_or(self.now(), |head| head.at.max(self.now()));
        // An entry that somebody put before the workspace was made is found, too.
        let first = workspace.created_at.checked_sub(SignedDuration::from_hours(24 * 366));
        let mut walk = Walk { last: None };
        for partition in months(workspace.id, first.unwrap_or(workspace.created_at), end) {
            let mut query = all_of(&partition, false);
            loop {
                let page = self.ports.records.query(&query).await?;
                for record in &page.records {
                    out.records += 1;
                    walk.step(self.audit_entry(record, out).await?, out);
                }
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
        }
        walk.end(head.as_ref(), out);
        Ok(())
    }

    /// An entry that stands where it belongs; of any other, only the place.
    async fn audit_entry(
        &self,
        record: &Record,
        out: &mut Checked,
    ) -> Result<Found, OperationError> {
        let place = record.key.sk.parse().ok();
        let reason = match self.decode::<AuditEntry>(record).await {
            Ok(stored) if stored.row.key() == record.key => {
                return Ok(Found::Entry(Box::new(stored.row)));
            }
            Ok(stored) => format!("it says that it is entry {}", told(&stored.row)),
            Err(OperationError::Port(error)) => return Err(error.into()),
            Err(error) => error.to_string(),
        };
        out.wrong(format!("the audit entry at {}", record.key), reason, RESTORE);
        Ok(Found::Odd(place))
    }
}

/// What stands at a place of the audit.
enum Found {
    Entry(Box<AuditEntry>),
    /// Something else; its place, if the key names one.
    Odd(Option<u64>),
}

fn told(entry: &AuditEntry) -> String {
    format!("{} of {}", entry.sequence, entry.at)
}

/// How far the walk along the chain is.
struct Walk {
    /// Place, time and digest of the last entry; without a digest where something odd stands.
    last: Option<(u64, Option<(Timestamp, Digest)>)>,
}

impl Walk {
    fn step(&mut self, found: Found, out: &mut Checked) {
        let before = self.last.map_or(0, |(sequence, _)| sequence);
        let entry = match found {
            Found::Entry(entry) => entry,
            Found::Odd(place) => {
                self.last = Some((place.unwrap_or(before).max(before), None));
                return;
            }
        };
        if entry.sequence <= before {
            let what = format!("the audit entry {}", told(&entry));
            out.wrong(what, "it stands out of its order, or twice", RESTORE);
            return;
        }
        self.missing(before, entry.sequence, out);
        let follows = before + 1 == entry.sequence;
        match self.last.and_then(|(_, known)| known) {
            Some((at, digest)) if follows && entry.previous != Some(digest) => {
                let what = format!("the audit entry {before} of {at}");
                let next = told(&entry);
                let reason =
                    format!("it is not what entry {next} follows on: one of the two was changed");
                out.wrong(what, reason, RESTORE);
            }
            Some((at, _)) if entry.at < at => {
                let what = format!("the audit entry {}", told(&entry));
                out.wrong(what, format!("it is older than the entry before it, of {at}"), RESTORE);
            }
            None if entry.sequence == 1 && entry.previous.is_some() => {
                let what = format!("the audit entry {}", told(&entry));
                out.wrong(what, "it is the first and names one before it", RESTORE);
            }
            _ => {}
        }
        self.last = Some((entry.sequence, Some((entry.at, entry.digest()))));
    }

    /// Says which entries are missing between two.
    fn missing(&self, before: u64, next: u64, out: &mut Checked) {
        if next <= before + 1 {
            return;
        }
        let from = self.last.and_then(|(_, known)| known);
        let since = from.map_or_else(String::new, |(at, _)| format!(", after {at}"));
        let what = if before + 2 == next {
            format!("the audit entry {}", before + 1)
        } else {
            format!("the audit entries {} to {}", before + 1, next - 1)
        };
        out.wrong(what, format!("missing{since}"), RESTORE);
    }

    fn end(&self, head: Option<&AuditHead>, out: &mut Checked) {
        let last = self.last.map_or(0, |(sequence, _)| sequence);
        let Some(head) = head else {
            if last > 0 {
                out.wrong("the head of the audit", "it is not there", RESTORE);
            }
            return;
        };
        self.missing(last, head.sequence.saturating_add(1), out);
        let what = format!("the audit entry {last}");
        if last > head.sequence {
            out.wrong(what, format!("the head of the audit ends at {}", head.sequence), RESTORE);
        } else if last == head.sequence
            && let Some((_, Some((at, digest)))) = self.last
            && (at, digest) != (head.at, head.digest)
        {
            let reason = "it is not what the head of the audit names: one of the two was changed";
            out.wrong(format!("{what} of {at}"), reason, RESTORE);
        }
    }
}
