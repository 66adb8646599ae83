//! What holds of every adapter of [`Secrets`].

#![expect(
    clippy::missing_panics_doc,
    reason = "a rule that does not hold panics; nothing else does"
)]
#![expect(clippy::unwrap_used, reason = "a rule that does not hold panics")]

use crate::Secrets;

/// Runs every rule.
pub async fn all(secrets: &dyn Secrets) {
    the_root_key_stays(secrets).await;
    the_root_key_is_not_shown(secrets).await;
}

/// The same key every time, with an id and with something in it.
pub async fn the_root_key_stays(secrets: &dyn Secrets) {
    let (one, two) = (secrets.root_key().await.unwrap(), secrets.root_key().await.unwrap());
    assert_eq!((&one.id, one.expose()), (&two.id, two.expose()));
    assert!(!one.id.is_empty());
    assert_ne!(one.expose(), &[0; 32]);
}

/// Neither the debug form nor the id tells the key.
pub async fn the_root_key_is_not_shown(secrets: &dyn Secrets) {
    let key = secrets.root_key().await.unwrap();
    let hexadecimal: Vec<String> = key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    for shown in [format!("{key:?}"), key.id.clone()] {
        assert!(!shown.contains(&hexadecimal[..4].concat()), "{shown}");
        assert!(!shown.contains(&format!("{:?}", key.expose())), "{shown}");
    }
}

/// A store that is opened again has the same key; two stores have two.
pub async fn keys_are_told_apart(one: &dyn Secrets, same: &dyn Secrets, other: &dyn Secrets) {
    let key = one.root_key().await.unwrap();
    let same = same.root_key().await.unwrap();
    assert_eq!((&key.id, key.expose()), (&same.id, same.expose()));
    let other = other.root_key().await.unwrap();
    assert_ne!(key.id, other.id);
    assert_ne!(key.expose(), other.expose());
}
