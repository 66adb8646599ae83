//! Any file in any folder: reading never panics, nothing vanishes, and reading twice gives the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plumbline_governance::inventory::Reader;
use plumbline_policy::catalog::catalog;
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use std::sync::LazyLock;

static READER: LazyLock<Reader> = LazyLock::new(|| Reader {
    key: SecretKey::new("fuzz", [3; 32]),
    localiser: Localiser::new(&TenantFacts {
        tenant_id: Some("11111111-2222-3333-4444-555555555555".to_owned()),
        domains: vec!["alder.example".to_owned()],
        intune_account_id: None,
    }),
    annotations: false,
});

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let types = catalog().types();
    let file = format!("{}/a.json", types[usize::from(*first) % types.len()].key);
    let reading = READER.read_file(&file, bytes);
    let again = READER.read_file(&file, bytes);
    assert_eq!(reading.subjects.len(), again.subjects.len());
    for (one, other) in reading.subjects.iter().zip(&again.subjects) {
        assert_eq!((one.facets, &one.key), (other.facets, &other.key));
        let payload = READER.read_payload(&one.source, bytes).expect("what was read can be read again");
        let normalised = payload.read(&READER.localiser);
        assert_eq!(normalised.content.digest(), one.facets.content);
    }
});
