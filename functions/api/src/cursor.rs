//! Where a list goes on: a place that only this program can read and make. It is bound to the caller, the
//! workspace, the route and the filter, so that a cursor of one list is nothing in another (F43).

use crate::problem::{INVALID_CURSOR, Problem};
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use jiff::{SignedDuration, Timestamp};
use plumbline_operations::Position;
use plumbline_policy::digest::Digest;
use plumbline_ports::{Clock, RootKey};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::sync::Arc;

/// How long a cursor is good.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);
/// The form of the text; the first byte of it.
const FORM: u8 = 1;
/// A longer text is no cursor.
const MAX_TEXT: usize = 4 * 1024;

/// Makes and reads cursors.
pub(crate) struct Cursors {
    key: LessSafeKey,
    clock: Arc<dyn Clock>,
}

/// What a cursor is bound to; equal for every page of one list.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct List<'l> {
    /// The issuer and subject of the caller.
    pub(crate) caller: (&'l str, &'l str),
    /// The path as it was asked for: route, workspace and all.
    pub(crate) path: &'l str,
    /// The filter, without cursor and limit.
    pub(crate) filter: Digest,
}

/// What stands inside.
#[derive(Deserialize, Serialize)]
struct Place {
    at: Position,
    until: i64,
}

impl Cursors {
    /// Derives the key of this stage.
    ///
    /// # Errors
    /// The cryptography's, which no root key brings about.
    pub(crate) fn new(root: &RootKey, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let mut bytes = [0; 32];
        Hkdf::<Sha256>::new(None, root.expose())
            .expand(b"plumbline cursors v1", &mut bytes)
            .map_err(|error| error.to_string())?;
        let key = UnboundKey::new(&AES_256_GCM_SIV, &bytes).map_err(|error| error.to_string())?;
        Ok(Self { key: LessSafeKey::new(key), clock })
    }

    /// Writes a place.
    ///
    /// # Errors
    /// Internal, when the place cannot be written.
    pub(crate) fn write(&self, list: &List<'_>, at: Position) -> Result<String, Problem> {
        let broken = |error: &dyn std::fmt::Display| {
            tracing::error!("a cursor cannot be made: {error}");
            crate::problem::INTERNAL.because("the place in the list cannot be written")
        };
        let until = self.clock.now().saturating_add(GOOD_FOR).unwrap_or(Timestamp::MAX).as_second();
        let mut sealed =
            serde_json::to_vec(&Place { at, until }).map_err(|error| broken(&error))?;
        // This cipher stays safe with one nonce for all: equal places then look equal, which tells
        // nothing that the pages do not tell.
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(bound(list)), &mut sealed)
            .map_err(|error| broken(&error))?;
        sealed.insert(0, FORM);
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Reads a place.
    ///
    /// # Errors
    /// One problem for every cursor that is none, of another list, or too old.
    pub(crate) fn read(&self, list: &List<'_>, text: &str) -> Result<Position, Problem> {
        let refuse = || {
            INVALID_CURSOR
                .because("the cursor was changed, is older than a day, or belongs to another list")
        };
        if text.len() > MAX_TEXT {
            return Err(refuse());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refuse())?;
        let Some((&FORM, sealed)) = bytes.split_first() else { return Err(refuse()) };
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(bound(list)), &mut sealed)
            .map_err(|_| refuse())?;
        let place: Place = serde_json::from_slice(opened).map_err(|_| refuse())?;
        if place.until <= self.clock.now().as_second() {
            return Err(refuse());
        }
        Ok(place.at)
    }
}

fn bound(list: &List<'_>) -> Vec<u8> {
    serde_json::to_vec(list).unwrap_or_default()
}
