//! Freezes one tenant's inventory into a snapshot, a message each.
