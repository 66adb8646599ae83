//! What the functions share: events, batches, deadlines, logs, metrics.
