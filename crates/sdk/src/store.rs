//! What survives the page: `comeback.v1` (cart, consent, last panel) and `comeback.v1.e.<id>` (one
//! event each, so that tabs never overwrite each other's) in localStorage, and the session's counts
//! in sessionStorage. Storage that is full, blocked or foreign counts as empty. Asks nobody whether
//! it may: its caller does.

use js_sys::JSON;
use wasm_bindgen::JsValue;
use web_sys::{Storage, Window};

use crate::outbox::Event;
use crate::reflect::json;

const KEY: &str = "comeback.v1";
const EVENT: &str = "comeback.v1.e.";

/// The browser's two storages, where there are any.
pub(crate) struct Store {
    local: Option<Storage>,
    session: Option<Storage>,
}

fn read(storage: Option<&Storage>) -> JsValue {
    let text = storage.and_then(|s| s.get_item(KEY).ok()?);
    text.and_then(|t| JSON::parse(&t).ok()).unwrap_or(JsValue::UNDEFINED)
}

fn write(storage: Option<&Storage>, key: &str, value: &str) {
    // A full storage loses the copy, not the page.
    let _ = storage.map(|s| s.set_item(key, value));
}

fn remove(storage: Option<&Storage>, key: &str) {
    let _ = storage.map(|s| s.remove_item(key));
}

impl Store {
    /// Only asks for the objects; reading them throws where a page is sandboxed.
    pub(crate) fn of(window: &Window) -> Self {
        Self {
            local: window.local_storage().ok().flatten(),
            session: window.session_storage().ok().flatten(),
        }
    }

    /// Cart, consent, last panel.
    pub(crate) fn read(&self) -> JsValue {
        read(self.local.as_ref())
    }

    /// Replaces them.
    pub(crate) fn write(&self, value: &JsValue) {
        write(self.local.as_ref(), KEY, &json(value));
    }

    /// The session's counts.
    pub(crate) fn read_session(&self) -> JsValue {
        read(self.session.as_ref())
    }

    /// Replaces them.
    pub(crate) fn write_session(&self, value: &JsValue) {
        write(self.session.as_ref(), KEY, &json(value));
    }

    /// Keeps an event until it is acknowledged, whatever happens to the tab.
    pub(crate) fn keep(&self, event: &Event) {
        let mut value = event.cart.clone().unwrap_or_default();
        value.push('\n');
        value.push_str(&event.json);
        write(self.local.as_ref(), &event_key(&event.id), &value);
    }

    /// An event is done with.
    pub(crate) fn release(&self, event: &Event) {
        remove(self.local.as_ref(), &event_key(&event.id));
    }

    /// Our keys in localStorage.
    fn keys(&self) -> Vec<String> {
        let Some(storage) = &self.local else { return Vec::new() };
        let length = storage.length().unwrap_or(0);
        (0..length).filter_map(|i| storage.key(i).ok()?).filter(|key| key.starts_with(KEY)).collect()
    }

    /// Events that an earlier page or a crashed tab left behind. One that a living tab is just
    /// sending may be among them; its id makes that harmless.
    pub(crate) fn kept(&self) -> Vec<Event> {
        let Some(storage) = &self.local else { return Vec::new() };
        self.keys()
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
    pub(crate) fn wipe(&self) {
        for key in self.keys() {
            remove(self.local.as_ref(), &key);
        }
        remove(self.session.as_ref(), KEY);
    }
}

fn event_key(id: &str) -> String {
    let mut key = EVENT.to_owned();
    key.push_str(id);
    key
}
