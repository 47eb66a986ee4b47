//! What survives the page, as `sdk-js/src/store.js` keeps it: storing and parsing cost a fifth there. Asks
//! nobody whether it may: its caller does.

use js_sys::Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::outbox::Event;

#[wasm_bindgen]
extern "C" {
    /// The browser's storages. Nothing here throws; what is not there reads as nothing.
    pub type Store;
    #[wasm_bindgen(method, js_name = read)]
    fn fetch(this: &Store, brief: bool) -> JsValue;
    #[wasm_bindgen(method, js_name = write)]
    fn put(this: &Store, brief: bool, value: &JsValue);
    #[wasm_bindgen(method, js_name = keep)]
    fn put_event(this: &Store, id: &str, cart: Option<&str>, json: &str);
    #[wasm_bindgen(method, js_name = release)]
    fn drop_event(this: &Store, id: &str);
    #[wasm_bindgen(method, js_name = kept)]
    fn events(this: &Store) -> Array;
    /// Forgets everything.
    #[wasm_bindgen(method)]
    pub(crate) fn wipe(this: &Store);
}

impl Store {
    /// Cart, consent, last panel.
    pub(crate) fn read(&self) -> JsValue {
        self.fetch(false)
    }

    /// Replaces them.
    pub(crate) fn write(&self, value: &JsValue) {
        self.put(false, value);
    }

    /// The session's counts.
    pub(crate) fn read_session(&self) -> JsValue {
        self.fetch(true)
    }

    /// Replaces them.
    pub(crate) fn write_session(&self, value: &JsValue) {
        self.put(true, value);
    }

    /// Keeps an event until it is acknowledged, whatever happens to the tab.
    pub(crate) fn keep(&self, event: &Event) {
        self.put_event(&event.id, event.cart.as_deref(), &event.json);
    }

    /// An event is done with.
    pub(crate) fn release(&self, event: &Event) {
        self.drop_event(&event.id);
    }

    /// Calls `each` with every event that an earlier page or a crashed tab left behind.
    pub(crate) fn kept(&self, mut each: impl FnMut(Event)) {
        let events = self.events();
        let text = |at| events.get(at).as_string().filter(|text| !text.is_empty());
        let mut at = 0;
        while let Some(id) = text(at) {
            each(Event { id, cart: text(at + 1), json: text(at + 2).unwrap_or_default() });
            at += 3;
        }
    }
}
