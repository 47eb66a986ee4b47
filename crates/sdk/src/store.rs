//! What survives the page: `comeback.v1` (cart, consent, last panel) and `comeback.v1.e.<id>` (one
//! event each, so that tabs never overwrite each other's) in localStorage, and the session's counts
//! in sessionStorage. Storage that is full, blocked or foreign counts as empty. Asks nobody whether
//! it may: its caller does.

use js_sys::JSON;
use wasm_bindgen::JsValue;
use web_sys::Storage;

use crate::outbox::Event;
use crate::reflect::json;

const KEY: &str = "comeback.v1";
const EVENT: &str = "comeback.v1.e.";

fn local() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}

fn session() -> Option<Storage> {
    web_sys::window()?.session_storage().ok()?
}

fn read_from(storage: Option<Storage>) -> JsValue {
    let text = storage.and_then(|s| s.get_item(KEY).ok()?);
    text.and_then(|t| JSON::parse(&t).ok()).unwrap_or(JsValue::UNDEFINED)
}

fn write_to(storage: Option<Storage>, value: &JsValue) {
    // A full storage loses the copy, not the page.
    let _ = storage.map(|s| s.set_item(KEY, &json(value)));
}

/// Cart, consent, last panel.
pub(crate) fn read() -> JsValue {
    read_from(local())
}

/// Replaces them.
pub(crate) fn write(value: &JsValue) {
    write_to(local(), value);
}

/// The session's counts.
pub(crate) fn read_session() -> JsValue {
    read_from(session())
}

/// Replaces them.
pub(crate) fn write_session(value: &JsValue) {
    write_to(session(), value);
}

/// Keeps an event until it is acknowledged, whatever happens to the tab.
pub(crate) fn keep(event: &Event) {
    let mut value = event.cart.clone().unwrap_or_default();
    value.push('\n');
    value.push_str(&event.json);
    let _ = local().map(|s| s.set_item(&event_key(&event.id), &value));
}

/// An event is done with.
pub(crate) fn release(event: &Event) {
    let _ = local().map(|s| s.remove_item(&event_key(&event.id)));
}

fn event_key(id: &str) -> String {
    let mut key = EVENT.to_owned();
    key.push_str(id);
    key
}

/// Our keys in localStorage.
fn keys() -> Vec<String> {
    let Some(storage) = local() else { return Vec::new() };
    let length = storage.length().unwrap_or(0);
    (0..length).filter_map(|i| storage.key(i).ok()?).filter(|key| key.starts_with(KEY)).collect()
}

/// Events that an earlier page or a crashed tab left behind. One that a living tab is just sending
/// may be among them; its id makes that harmless.
pub(crate) fn kept() -> Vec<Event> {
    let Some(storage) = local() else { return Vec::new() };
    keys()
        .iter()
        .filter_map(|key| {
            let id = key.strip_prefix(EVENT)?;
            let value = storage.get_item(key).ok()??;
            let (cart, json) = value.split_once('\n')?;
            let cart = (!cart.is_empty()).then(|| cart.to_owned());
            Some(Event { id: id.to_owned(), cart, json: json.to_owned() })
        })
        .collect()
}

/// Forgets everything.
pub(crate) fn wipe() {
    if let Some(storage) = local() {
        for key in keys() {
            let _ = storage.remove_item(&key);
        }
    }
    let _ = session().map(|s| s.remove_item(KEY));
}
