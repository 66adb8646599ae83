//! Where a result stands: a file below one of the two sides, never a path of this machine.

use serde_sarif::sarif::{ArtifactLocation, Location, PhysicalLocation};

/// The side that a file's path is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Baseline,
    Current,
}

impl Base {
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Baseline => "BASELINE",
            Self::Current => "CURRENT",
        }
    }
}

/// The location of a file; `None` when no file is to blame.
pub(super) fn location(base: Option<Base>, file: &str) -> Option<Location> {
    let uri = relative_uri(file);
    if uri.is_empty() {
        return None;
    }
    let mut artifact = ArtifactLocation::builder().uri(uri).build();
    artifact.uri_base_id = base.map(|base| base.id().to_owned());
    let physical = PhysicalLocation::builder().artifact_location(artifact).build();
    Some(Location::builder().physical_location(physical).build())
}

/// Percent-encodes a relative path, so that no name turns into a scheme, a query or a fragment.
fn relative_uri(path: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(path.len());
    for byte in path.trim_start_matches('/').bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::relative_uri;

    #[test]
    fn names_are_percent_encoded() {
        for (path, uri) in [
            ("a/b-1.json", "a/b-1.json"),
            ("a b/ü#?.json", "a%20b/%C3%BC%23%3F.json"),
            ("c:/x%y", "c%3A/x%25y"),
            ("//host/x", "host/x"),
            ("", ""),
        ] {
            assert_eq!(relative_uri(path), uri);
        }
    }
}
