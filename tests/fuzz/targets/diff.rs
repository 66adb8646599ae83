//! Any two policies of one type: the diff is empty exactly when the canonical bytes are equal, and
//! applied to the first side it gives the second.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plumbline_policy::catalog::catalog;
use plumbline_policy::diff::{apply, diff};
use plumbline_policy::json::{parse, to_text};
use plumbline_policy::normalise::normalise;
use plumbline_policy::redact::redact;
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use std::sync::LazyLock;

static LOCALISER: LazyLock<Localiser> = LazyLock::new(|| Localiser::new(&TenantFacts::default()));

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let Some(middle) = bytes.iter().position(|byte| *byte == 0) else { return };
    let (before, after) = (&bytes[..middle], &bytes[middle + 1..]);
    let types = catalog().types();
    let policy_type = &types[usize::from(*first) % types.len()];
    let key = SecretKey::new("fuzz", [3; 32]);
    let (Ok(before), Ok(after)) = (to_text(before), to_text(after)) else { return };
    let (Ok(mut before), Ok(mut after)) = (parse(&before), parse(&after)) else { return };
    let secrets = (
        redact(&mut before, Some(policy_type), &key),
        redact(&mut after, Some(policy_type), &key),
    );
    let before = normalise(&before, policy_type, &secrets.0, &LOCALISER, None);
    let after = normalise(&after, policy_type, &secrets.1, &LOCALISER, None);
    for (b, a) in [
        (&before.content, &after.content),
        (&before.label, &after.label),
        (&before.assignments, &after.assignments),
    ] {
        let changes = diff(b, a);
        assert_eq!(changes.is_empty(), b.to_canonical() == a.to_canonical());
        assert_eq!(apply(b, &changes).to_canonical(), a.to_canonical());
    }
});
