//! The one door to randomness: the platform's cryptographic generator.

use js_sys::{Function, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::failure::{Failure, Outcome};

/// 22 random characters of base62: 131 bits, the tail of ids.
pub(crate) fn make_tail() -> Outcome<String> {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut tail = String::with_capacity(22);
    while tail.len() < 22 {
        for byte in make_bytes::<32>()? {
            // 248 = 4 * 62: above it, some characters would come more often than others.
            if byte < 248 && tail.len() < 22 {
                tail.push(char::from(ALPHABET.get(usize::from(byte % 62)).copied().unwrap_or(b'0')));
            }
        }
    }
    Ok(tail)
}

fn make_bytes<const N: usize>() -> Outcome<[u8; N]> {
    let global = js_sys::global();
    let crypto = Reflect::get(&global, &JsValue::from_str("crypto"))?;
    let fill: Function = Reflect::get(&crypto, &JsValue::from_str("getRandomValues"))?
        .dyn_into()
        .map_err(|_| Failure::internal("no random generator"))?;
    let length = u32::try_from(N).map_err(|_| Failure::internal("too many random bytes"))?;
    let buffer = Uint8Array::new_with_length(length);
    fill.call1(&crypto, &buffer)?;
    let mut bytes = [0; N];
    buffer.copy_to(&mut bytes);
    Ok(bytes)
}
