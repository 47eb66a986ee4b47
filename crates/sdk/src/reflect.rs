//! Reading and writing plain JavaScript objects by key. By hand rather than by derive: every
//! derived shape would be paid for by every shopper. Nothing here throws; what is not there is NaN or `None`.

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

/// A property, `undefined` when there is none or `from` is no object.
pub(crate) fn get(from: &JsValue, key: &str) -> JsValue {
    Reflect::get(from, &JsValue::from_str(key)).unwrap_or(JsValue::UNDEFINED)
}

/// A number, or a truth value as 0 or 1; NaN for anything else.
pub(crate) fn number(from: &JsValue, key: &str) -> f64 {
    let value = get(from, key);
    value.as_f64().or_else(|| value.as_bool().map(f64::from)).unwrap_or(f64::NAN)
}

/// Numbers by their keys, in the order of the keys.
pub(crate) fn numbers<const N: usize>(from: &JsValue, keys: [&str; N]) -> [f64; N] {
    keys.map(|key| number(from, key))
}

/// Sets a property of an object made here.
pub(crate) fn set(on: &Object, key: &str, value: &JsValue) {
    // Fails only for frozen objects and setters that throw; ours have neither.
    let _ = Reflect::set(on, &JsValue::from_str(key), value);
}

/// A number unless it is unknown.
pub(crate) fn known(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

/// A whole number from JavaScript; unknown is 0.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and the core clamps")]
pub(crate) const fn whole(value: f64) -> i64 {
    value as i64
}

/// A count from JavaScript; unknown is 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
pub(crate) const fn count(value: f64) -> u32 {
    value as u32
}
