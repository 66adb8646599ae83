//! Ids: UUIDs with a prefix, parsed at the edge, minted from values that a port hands in.

use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// A text that is no id of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an id of this kind; one looks like {prefix}_0190a5c2f0b07c3e8d1f4b6a9c0d2e11"
)]
pub struct BadId {
    /// What was given.
    pub text: String,
    /// The prefix that was expected.
    pub prefix: &'static str,
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The letters before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a UUID that was minted (version 7) or derived (version 8).
            #[must_use]
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// Derives the id that belongs to a digest, so that the same thing always has the same id.
            #[must_use]
            pub fn derive(digest: &plumbline_policy::digest::Digest) -> Self {
                let [bytes, _] = digest.as_bytes().as_chunks::<16>().0 else { return Self(Uuid::nil()) };
                Self::from_custom_bytes(*bytes)
            }

            /// Wraps bytes of our own making as a UUID of version 8.
            #[must_use]
            pub fn from_custom_bytes(bytes: [u8; 16]) -> Self {
                Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
            }

            /// Returns the UUID.
            #[must_use]
            pub fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let bad = || BadId { text: text.to_owned(), prefix: $prefix };
                let digits = text.strip_prefix(concat!($prefix, "_")).ok_or_else(bad)?;
                // One spelling an id: 32 lower-case digits.
                let plain = digits.len() == 32
                    && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                if !plain {
                    return Err(bad());
                }
                Uuid::try_parse(digits).map(Self).map_err(|_| bad())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": concat!("^", $prefix, "_[0-9a-f]{32}$")
                })
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(source)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

typed_id!(
    /// A workspace: the owner of baselines.
    WorkspaceId,
    "wsp"
);
typed_id!(
    /// A governed tenant.
    TenantId,
    "ten"
);
typed_id!(
    /// A baseline profile.
    ProfileId,
    "prf"
);
typed_id!(
    /// A baseline snapshot.
    SnapshotId,
    "snp"
);
typed_id!(
    /// An operation run.
    RunId,
    "run"
);
typed_id!(
    /// A finding.
    FindingId,
    "fnd"
);
typed_id!(
    /// An upload.
    UploadId,
    "upl"
);
typed_id!(
    /// A provider connection.
    ConnectionId,
    "con"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_refuse_other_kinds() {
        let id = WorkspaceId::derive(&plumbline_policy::digest::Digest::of(b"x"));
        assert_eq!(id.to_string().parse::<WorkspaceId>().unwrap(), id);
        assert_eq!(id.as_uuid().get_version_num(), 8);
        for text in [
            id.to_string().replace("wsp_", "ten_"),
            id.to_string().to_uppercase(),
            format!("{id}0"),
            id.as_uuid().to_string(),
            "wsp_".to_owned(),
            "wsp_٠١٢٣٤٥٦٧٨٩abcdef".to_owned(),
        ] {
            assert!(text.parse::<WorkspaceId>().is_err(), "{text}");
        }
    }
}
