//! How a language writes amounts, by samples of the engine's formatter. A page writes its own like them: the first formatter of
//! a page takes 40 ms of a desk's main thread.

use wasm_bindgen::prelude::*;

/// Ten digits before the mark, and as many after it as are usual.
const SAMPLE: f64 = 1_234_567_890.12;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Intl)]
    type NumberFormat;
    #[wasm_bindgen(constructor, catch, js_namespace = Intl)]
    fn new(locale: &str, options: &JsValue) -> Result<NumberFormat, JsValue>;
    #[wasm_bindgen(method)]
    fn format(this: &NumberFormat, value: f64) -> String;
}

/// `{money, count, percent, grouped}`; none for a language tag that is none. `grouped`: from how many digits on
/// thousands are set apart.
pub(crate) fn of(locale: &str, currency: &str) -> Option<serde_json::Value> {
    let written = |options: &str, value: f64| {
        let options = js_sys::JSON::parse(options).ok()?;
        Some(NumberFormat::new(locale, &options).ok()?.format(value))
    };
    Some(serde_json::json!({
        "money": written(&format!(r#"{{"style":"currency","currency":"{currency}"}}"#), SAMPLE)?,
        "count": written(r#"{"maximumFractionDigits":0}"#, SAMPLE)?,
        "percent": written(r#"{"style":"percent"}"#, SAMPLE / 100.0)?,
        "grouped": if written("{}", 1_234.0)?.chars().count() > 4 { 4 } else { 5 },
    }))
}
