//! Assignment by hash: the same unit always lands in the same bucket, on every target, without
//! a stored table. Records no exposure; that is the ledger's.

use sha2::{Digest, Sha256};

/// Buckets run from 0 to 9999, so that a hundredth of a percent can be told apart.
pub const BUCKETS: u16 = 10_000;

/// The bucket of a unit (a person id, else a visitor id) in a named experiment of a shop.
#[must_use]
pub fn bucket(shop: &str, experiment: &str, unit: &str) -> u16 {
    let mut hasher = Sha256::new();
    for part in [shop, experiment, unit] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    let head = digest.iter().take(8).fold(0_u64, |n, b| (n << 8) | u64::from(*b));
    u16::try_from(head % u64::from(BUCKETS)).unwrap_or(0)
}

/// Whether a bucket belongs to the holdout of so many percent.
#[must_use]
pub fn is_held_out(bucket: u16, percent: u8) -> bool {
    bucket < u16::from(percent.min(100)) * (BUCKETS / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_frozen() {
        // An edited vector would move every running experiment: never edit to go green.
        assert_eq!(bucket("shop_demo", "holdout", "per_1"), 1213);
        assert_eq!(bucket("shop_demo", "holdout", "per_2"), 5660);
    }

    #[test]
    fn buckets_are_even() {
        let held =
            (0..20_000).filter(|n| is_held_out(bucket("shop_a", "holdout", &format!("per_{n}")), 10)).count();
        assert!((1_850..2_150).contains(&held), "{held}");
    }
}
