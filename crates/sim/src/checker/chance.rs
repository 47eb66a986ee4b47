//! Who is in by lot: the eight first bytes of SHA-256 over shop, lottery and id, each with its length before it, as a
//! number of ten thousand. Read from the definition, not from the code that is checked.

use sha2::{Digest, Sha256};

/// The ticket of an id in a lottery of a shop, 0 to 9999.
pub(super) fn bucket(shop: &str, lottery: &str, id: &str) -> u64 {
    let mut bytes: Vec<u8> = vec![];
    for part in [shop, lottery, id] {
        bytes.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    let digest = Sha256::digest(&bytes);
    digest.iter().take(8).fold(0, |sum: u64, byte| sum.wrapping_mul(256).wrapping_add(u64::from(*byte)))
        % 10_000
}

/// Whose a ticket is where several share all of them by weight, in their order.
pub(super) fn share(weights: impl Iterator<Item = u64> + Clone, ticket: u64) -> Option<usize> {
    let all: u64 = weights.clone().sum();
    let mut upto = 0;
    weights.into_iter().position(|weight| {
        upto += weight;
        ticket * all < upto * 10_000
    })
}

/// The first ticket that so many percent leave out.
pub(super) const fn upto(percent: u64) -> u64 {
    percent * 100
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shared with the code that is checked, and computed by neither.
    const VECTORS: &str = include_str!("../../../../tests/vectors/experiments.json");

    #[test]
    fn lots_are_as_the_frozen_vectors_have_them() {
        let vectors: serde_json::Value = serde_json::from_str(VECTORS).unwrap();
        let text = |v: &serde_json::Value, key: &str| v[key].as_str().unwrap().to_owned();
        let tickets = vectors["buckets"].as_array().unwrap();
        for v in tickets {
            let ticket = bucket(&text(v, "shop"), &text(v, "name"), &text(v, "unit"));
            assert_eq!(Some(ticket), v["bucket"].as_u64(), "{v}");
        }
        let shares = vectors["arms"].as_array().unwrap();
        for v in shares {
            let weights: Vec<u64> =
                v["weights"].as_array().unwrap().iter().filter_map(serde_json::Value::as_u64).collect();
            let arm = share(weights.iter().copied(), v["bucket"].as_u64().unwrap());
            assert_eq!(arm.and_then(|a| u64::try_from(a).ok()), v["arm"].as_u64(), "{v}");
        }
        assert!(tickets.len() > 5 && shares.len() > 20);
    }
}
