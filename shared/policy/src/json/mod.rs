//! JSON as Plumbline reads and writes it: strict decoding, exact numbers, canonical bytes.

mod canonical;
mod decode;
mod quick;
mod text;
mod value;
mod words;

pub use canonical::{write_number, write_string};
pub use decode::{
    DecodeError, DecodeProblem, MAX_DEPTH, is_annotation, parse, parse_payload, parse_strictly,
};
pub use text::{TextError, to_text};
pub use value::{Number, Value};
