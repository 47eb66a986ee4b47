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

/// The first ticket that so many percent leave out.
pub(super) const fn upto(percent: u64) -> u64 {
    percent * 100
}
