//! State at rest, with a version. A newer version is refused rather than misread; an older one is
//! brought forward here, and only here. The vectors in `tests/vectors/stored` hold every version.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The version written now.
pub const VERSION: u32 = 1;

/// Why stored state could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// It was written by a later build.
    #[error("stored state has version {0}, this build reads up to {VERSION}")]
    Newer(u32),
    /// It does not parse.
    #[error("stored state does not parse: {0}")]
    Broken(#[from] serde_json::Error),
}

#[derive(Serialize)]
struct Write<'a, T> {
    v: u32,
    state: &'a T,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

#[derive(Deserialize)]
struct Read<T> {
    state: T,
}

/// Writes state with the present version.
pub fn write<T: Serialize>(state: &T) -> Result<String, StoredError> {
    Ok(serde_json::to_string(&Write { v: VERSION, state })?)
}

/// Reads state of this version or an older one.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, StoredError> {
    let Version { v } = serde_json::from_str(text)?;
    if v > VERSION {
        return Err(StoredError::Newer(v));
    }
    Ok(serde_json::from_str::<Read<T>>(text)?.state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use comeback_core::person::Person;
    use comeback_core::recovery::Recovery;
    use comeback_core::time::Timestamp;

    /// Written by version 1 and never edited to go green: if this fails, stored carts are unreadable.
    #[test]
    fn state_written_by_every_version_is_read() {
        let cart: Recovery = read(include_str!("../../../tests/vectors/stored/cart.v1.json")).unwrap();
        assert_eq!(cart.id.as_str(), "cart_demo1");
        assert_eq!(cart.cart.total().minor, 3990);
        let person: Person = read(include_str!("../../../tests/vectors/stored/person.v1.json")).unwrap();
        assert_eq!(person.id.as_str(), "per_demo1");
        assert_eq!(person.contacts.len(), 1);
    }

    /// The same for what was added within a version: older state lacks it, and it is read as it was written.
    #[test]
    fn additions_within_a_version_are_read() {
        let person: Person = read(include_str!("../../../tests/vectors/stored/person.v1.push.json")).unwrap();
        let [subscription] = person.subscriptions.as_slice() else { panic!("one subscription") };
        assert_eq!(subscription.endpoint(), "https://push.example/send/1");
        assert_eq!(subscription.expires.map(Timestamp::millis), Some(1_790_000_000_000));
        assert_eq!(person.forgotten.len(), 1);
        let older: Person = read(include_str!("../../../tests/vectors/stored/person.v1.json")).unwrap();
        assert!(older.subscriptions.is_empty() && older.forgotten.is_empty());
        let cart: Recovery =
            read(include_str!("../../../tests/vectors/stored/cart.v1.forgotten.json")).unwrap();
        assert!(cart.is_forgotten() && cart.cart.is_empty());
        for text in [write(&person).unwrap(), write(&cart).unwrap()] {
            assert!(
                [
                    include_str!("../../../tests/vectors/stored/person.v1.push.json"),
                    include_str!("../../../tests/vectors/stored/cart.v1.forgotten.json"),
                ]
                .iter()
                .any(|frozen| frozen.trim_end() == text),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let cart: Recovery = read(include_str!("../../../tests/vectors/stored/cart.v1.json")).unwrap();
        assert_eq!(read::<Recovery>(&write(&cart).unwrap()).unwrap(), cart);
    }

    #[test]
    fn a_later_version_is_refused() {
        assert!(matches!(read::<Recovery>(r#"{"v":2,"state":{}}"#), Err(StoredError::Newer(2))));
        assert!(matches!(read::<Recovery>(""), Err(StoredError::Broken(_))));
    }
}
