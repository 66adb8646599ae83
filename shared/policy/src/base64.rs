//! Documents that policies carry as base64: scripts, profiles, JSON.

use ::base64::Engine as _;
use ::base64::engine::DecodePaddingMode;
use ::base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &::base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Decodes base64 to text; `None` when it is no base64 or no text. White space between is let pass, a
/// byte order mark and UTF-16 are decoded as in files.
pub(crate) fn decode_text(encoded: &str) -> Option<String> {
    let compact: Vec<u8> = encoded.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let bytes = LENIENT.decode(compact).ok()?;
    let text = crate::json::to_text(&bytes).ok()?;
    let readable =
        !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'));
    readable.then(|| text.into_owned())
}

/// Encodes a text as base64.
pub(crate) fn encode_text(text: &str) -> String {
    STANDARD.encode(text)
}
