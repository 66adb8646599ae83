//! The crash sweep: each operation is broken off at every outside call it makes, in four ways, then the
//! process starts again, the caller tries again and time goes by. Nothing may be lost, half done or done
//! twice: in the end everything is as if nothing had happened.

#![expect(clippy::print_stdout, reason = "figures are printed")]

mod scenarios;
mod sweep;
