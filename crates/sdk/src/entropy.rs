//! Random ids: the SDK's only use of randomness.

use wasm_bindgen::UnwrapThrowExt;
use web_sys::Crypto;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 22 of 62 letters are 131 bits.
const TAIL: usize = 22;

/// `prefix` and 22 random letters and digits.
pub(crate) fn make_id(crypto: &Crypto, prefix: &str) -> String {
    let mut id = prefix.to_owned();
    let mut bytes = [0_u8; 32];
    while id.len() < prefix.len() + TAIL {
        // Fails only above 65,536 bytes.
        crypto.get_random_values_with_u8_array(&mut bytes).unwrap_throw();
        // 248 is a multiple of 62: bytes above it would favour the first letters.
        for byte in bytes.iter().filter(|b| **b < 248).take(prefix.len() + TAIL - id.len()) {
            id.push(char::from(LETTERS[usize::from(byte % 62)]));
        }
    }
    id
}
