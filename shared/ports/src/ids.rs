//! Fresh ids.

use jiff::Timestamp;
use uuid::Uuid;

/// Mints ids and random bytes.
pub trait Ids: Send + Sync {
    /// A UUID of version 7 whose time part is `at`, never given twice.
    fn mint(&self, at: Timestamp) -> Uuid;

    /// 32 bytes that nobody can guess.
    fn secret(&self) -> [u8; 32];
}
