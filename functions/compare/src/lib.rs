//! Compares one tenant with its baseline, a message each.
