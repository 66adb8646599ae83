//! Ends the runs of messages that were given up.
