//! Reading and writing plain JavaScript objects by key. By hand rather than by derive: every
//! derived shape would be paid for by every shopper. Nothing here throws; what is not there is `None`.

use js_sys::{JSON, Object, Reflect};
use wasm_bindgen::JsValue;

/// Longest text taken from a page; product names are shorter, and a batch holds 16 KB.
const MAX_TEXT: usize = 512;

/// A property, `undefined` when there is none or `from` is no object.
pub(crate) fn get(from: &JsValue, key: &str) -> JsValue {
    if from.is_object() {
        Reflect::get(from, &JsValue::from_str(key)).unwrap_or(JsValue::UNDEFINED)
    } else {
        JsValue::UNDEFINED
    }
}

/// A text, or a number as its text: shops use both for ids. Empty is none.
pub(crate) fn text(from: &JsValue, key: &str) -> Option<String> {
    let value = get(from, key);
    let mut text = match value.as_string() {
        Some(text) => text,
        None => {
            value.as_f64()?;
            JSON::stringify(&value).ok()?.into()
        }
    };
    let mut end = MAX_TEXT;
    while !text.is_char_boundary(end.min(text.len())) {
        end -= 1;
    }
    text.truncate(end);
    (!text.is_empty()).then_some(text)
}

/// A number, or a text that is one: GA4 data layers often hold prices as texts.
pub(crate) fn number(from: &JsValue, key: &str) -> Option<f64> {
    let value = get(from, key);
    value
        .as_f64()
        .or_else(|| value.as_string().map(|s| js_sys::Number::parse_float(&s)))
        .filter(|n| n.is_finite())
}

/// A truth value.
pub(crate) fn flag(from: &JsValue, key: &str) -> Option<bool> {
    get(from, key).as_bool()
}

/// Sets a property of an object made here.
pub(crate) fn set(on: &Object, key: &str, value: &JsValue) {
    // Fails only for frozen objects and setters that throw; ours have neither.
    let _ = Reflect::set(on, &JsValue::from_str(key), value);
}

/// Sets a text if there is one.
pub(crate) fn set_text(on: &Object, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        set(on, key, &JsValue::from_str(value));
    }
}

/// As JSON text; empty for what has none.
pub(crate) fn json(value: &JsValue) -> String {
    JSON::stringify(value).map(String::from).unwrap_or_default()
}
