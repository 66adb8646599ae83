//! The tick: starts nights that are due, sends lost messages again, ends dead runs.
