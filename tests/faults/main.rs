//! Named tests of the fault list.
#[test]
fn placeholder() {}
