//! The output formats of a compare: one report, five faces.
//!
//! A face decides where something stands, never what it is called: status words and colours come from
//! [`plumbline_governance::badge`], evidence and sentences from [`words`], so that a terminal, a page
//! and a scanner's log speak alike. Every face is a pure function of the report: the same report gives
//! the same bytes.

mod csv;
mod html;
mod json;
mod sarif;
mod text;
mod words;

#[cfg(test)]
pub(crate) mod sample;

pub(crate) use csv::csv;
pub(crate) use html::html;
pub(crate) use json::json;
pub(crate) use sarif::sarif;
pub(crate) use text::{Style, drift_evidence as evidence, text};
pub(crate) use words::{count, visible};
