//! The canonical form of a policy and its version: canonical JSON after RFC 8785 (keys sorted, no
//! white space, shortest numbers) of the compiled policy without its version, and
//! `pol_` + the first 26 characters of its SHA-256 in lower-case base32 (RFC 4648; 130 bits).
//!
//! Comments, the order of tables and keys, the spelling of spans and conditions do not reach it:
//! the same meaning has the same version. Name and description do; they are part of the record.
//! This is how a policy travels to the edge; it is not how it is written.

use std::collections::BTreeMap;

use comeback_core::policy::Policy;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Far more than the largest policy that [`crate::parse`] accepts can become.
const MAX_BYTES: usize = 1 << 20;

/// Why a canonical form was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// It is larger than any policy can be.
    #[error("the policy is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// The text does not hash to the version it was asked for under.
    #[error("the policy stored as {expected} hashes to {found}")]
    WrongHash {
        /// The version that was asked for.
        expected: String,
        /// What the text hashes to.
        found: String,
    },
    /// It is not the JSON of a policy.
    #[error("not a policy: {0}")]
    NotAPolicy(String),
    /// It says something that this build does not know; obeying the rest would change its meaning.
    #[error("the policy has `{0}`, which this build does not know")]
    Unknown(String),
}

/// The canonical JSON of a policy. Its `version` is not part of it.
pub fn to_canonical(policy: &Policy) -> Result<String, CanonicalError> {
    let mut value =
        serde_json::to_value(policy).map_err(|error| CanonicalError::NotAPolicy(error.to_string()))?;
    if let Some(members) = value.as_object_mut() {
        members.remove("version");
    }
    Ok(write(&value))
}

/// The version that a canonical text has.
#[must_use]
pub fn version_of(canonical: &str) -> String {
    let digest = Sha256::digest(canonical.as_bytes());
    let mut version = String::from("pol_");
    version.extend(base32(&digest).take(26));
    version
}

/// Loads a policy by its version, at the edge: the text must hash to it, and every member of it
/// must mean something to this build. A member that this build knows and an older text lacks may
/// default, so that a stored policy outlives a deploy.
pub fn from_canonical(version: &str, canonical: &str) -> Result<Policy, CanonicalError> {
    if canonical.len() > MAX_BYTES {
        return Err(CanonicalError::TooLarge);
    }
    let found = version_of(canonical);
    if found != version {
        return Err(CanonicalError::WrongHash { expected: version.chars().take(40).collect(), found });
    }
    let not_a_policy = |error: serde_json::Error| CanonicalError::NotAPolicy(error.to_string());
    let stored: Value = serde_json::from_str(canonical).map_err(not_a_policy)?;
    let mut with_version = stored.clone();
    if let Some(members) = with_version.as_object_mut() {
        members.insert("version".to_owned(), Value::String(found));
    }
    let policy: Policy = serde_json::from_value(with_version).map_err(not_a_policy)?;
    let understood = serde_json::to_value(&policy).map_err(not_a_policy)?;
    match first_unknown(&stored, &understood) {
        Some(member) => Err(CanonicalError::Unknown(member)),
        None => Ok(policy),
    }
}

/// Canonical JSON of a part, for sorting parts by meaning.
pub(crate) fn canonical_text(part: &impl Serialize) -> Option<String> {
    serde_json::to_value(part).ok().map(|value| write(&value))
}

fn write(value: &Value) -> String {
    let mut out = String::new();
    write_into(&mut out, value);
    out
}

fn write_into(out: &mut String, value: &Value) {
    match value {
        Value::Object(members) => {
            // serde_json keeps the order of insertion when any crate in the build asks it to.
            let sorted: BTreeMap<&str, &Value> = members.iter().map(|(k, v)| (k.as_str(), v)).collect();
            out.push('{');
            for (index, (key, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key).to_string());
                out.push(':');
                write_into(out, member);
            }
            out.push('}');
        }
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_into(out, element);
            }
            out.push(']');
        }
        Value::Number(number) => match number.as_f64() {
            // Rust's shortest decimal is ECMAScript's wherever the parser lets a number be: at
            // most 15 digits and 6 decimals.
            Some(float) if number.is_f64() => out.push_str(&float.to_string()),
            _ => out.push_str(&number.to_string()),
        },
        other => out.push_str(&other.to_string()),
    }
}

/// The first member of `stored` that did not survive the way through the type.
fn first_unknown(stored: &Value, understood: &Value) -> Option<String> {
    match (stored, understood) {
        (Value::Object(stored), Value::Object(understood)) => stored.iter().find_map(|(key, value)| {
            understood.get(key).map_or_else(
                || Some(key.clone()),
                |known| first_unknown(value, known).map(|inner| format!("{key}.{inner}")),
            )
        }),
        (Value::Array(stored), Value::Array(understood)) if stored.len() == understood.len() => {
            stored.iter().zip(understood).find_map(|(a, b)| first_unknown(a, b))
        }
        (a, b) => (write(a) != write(b)).then(|| write(a)),
    }
}

fn base32(bytes: &[u8]) -> impl Iterator<Item = char> {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    (0..bytes.len() * 8 / 5).map(|group| {
        let bit = group * 5;
        let pair = u16::from_be_bytes([bytes[bit / 8], bytes.get(bit / 8 + 1).copied().unwrap_or(0)]);
        char::from(ALPHABET[usize::from(pair >> (11 - bit % 8)) & 31])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_agrees_with_rfc_4648() {
        assert_eq!(base32(b"fooba").collect::<String>(), "mzxw6ytb");
        assert_eq!(base32(b"foobafooba").collect::<String>(), "mzxw6ytbmzxw6ytb");
    }

    #[test]
    fn canonical_json_sorts_keys_and_shortens_numbers() {
        let value = serde_json::json!({"b": [150.0, 0.25, -3.0, 7], "a": {"z": "ä\"\n", "y": null}});
        assert_eq!(write(&value), r#"{"a":{"y":null,"z":"ä\"\n"},"b":[150,0.25,-3,7]}"#);
    }
}
