//! The one object that JavaScript holds: listeners, timers and calls in, `Host` calls out. Every
//! call borrows the state only while it runs, and `Host` defers what it tells the page, so a
//! listener of ours that calls back in finds the state free.

use std::cell::RefCell;
use std::rc::Rc;

use comeback_core::onsite::{Hold, Moment, Panel};
use gloo_timers::callback::Timeout;
use js_sys::{Date, Object};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{EventTarget, MouseEvent, VisibilityState, Window};

use crate::dedupe::Source;
use crate::ga4;
use crate::live;
use crate::panels::Verdict;
use crate::reflect::{set, set_text};
use crate::state::State;
use crate::store::Store;

/// Events wait this long for company before they travel.
const GATHER_MS: u32 = 300;
/// Fields in which a shopper may be typing or choosing: the pointer may leave for a keyboard
/// suggestion or a native menu that is drawn outside the page.
const BUSY_FIELDS: &str = "input:not([type=button],[type=submit],[type=checkbox],[type=radio],[type=image],[type=reset]),select,textarea,[contenteditable]";

#[wasm_bindgen]
extern "C" {
    /// What `sdk-js/src/sdk.js` does for us.
    pub type Host;
    /// Fires `comeback:<name>` after the current call.
    #[wasm_bindgen(method)]
    fn emit(this: &Host, name: &str, detail: &JsValue);
    /// Posts a flush and calls `settled` with status (0: no answer) and reply.
    #[wasm_bindgen(method)]
    fn post(this: &Host, body: &str);
    /// `{url, locale, tz, mobile}` of the page as it is now.
    #[wasm_bindgen(method)]
    fn page(this: &Host) -> JsValue;
    /// Loads and shows a panel: `about` is `{experiment, arm, data}`, the last what the page reported.
    #[wasm_bindgen(method)]
    fn panel(this: &Host, kind: &str, about: &JsValue);
}

/// The session of one page.
#[wasm_bindgen]
pub struct Session(Rc<Shared>);

struct Shared {
    state: RefCell<State>,
    timer: RefCell<Option<Timeout>>,
    buy: RefCell<f64>,
    hidden: RefCell<bool>,
    window: Window,
    host: Host,
}

#[wasm_bindgen]
impl Session {
    /// Opens the session of this page and starts to listen.
    #[wasm_bindgen(constructor)]
    pub fn new(window: Window, host: Host, store: Store, options: &JsValue, config: &JsValue) -> Session {
        let crypto = window.crypto().unwrap_throw();
        let shared = Rc::new(Shared {
            state: RefCell::new(State::open(store, crypto, options, config, Date::now())),
            timer: RefCell::new(None),
            buy: RefCell::new(-1.0),
            hidden: RefCell::new(false),
            window,
            host,
        });
        shared.listen();
        Session(shared)
    }

    /// An event with its GA4 name and data, from the source of that number, at that time.
    pub fn track(&self, source: u8, at: f64, name: &str, data: &JsValue) {
        self.0.capture(Source::from_code(source), at, name, data);
    }

    /// An entry of GA4's `dataLayer`.
    pub fn layer(&self, at: f64, entry: &JsValue) {
        if let Some((name, data)) = ga4::layer_event(entry) {
            self.0.capture(Source::Layer, at, &name, &data);
        }
    }

    /// The consent banner's word: `{storage, marketing, profiling}`, each a truth value or left out.
    pub fn consent(&self, choice: &JsValue) {
        let (may, farewell) = self.0.state.borrow_mut().choose(choice, Date::now());
        if may {
            self.0.flush_soon(0);
        }
        if let Some(body) = farewell {
            self.0.host.post(&body);
        }
    }

    /// Whether anything may be stored or sent.
    pub fn may_store(&self) -> bool {
        self.0.state.borrow().consent.may_store()
    }

    /// `{id, currency, lines}` in GA4's item shape.
    pub fn cart(&self) -> Object {
        self.0.state.borrow().cart_object()
    }

    /// The answer to a flush: HTTP status, or 0 for none, and the parsed body.
    pub fn settled(&self, status: u16, reply: &JsValue) {
        self.0.settled(status, reply);
    }

    /// The cart is `{id, currency, lines}` from now on, as the edge or GA4 shapes lines; without an id it keeps
    /// its own. Returns the lines it has now.
    pub fn settle(&self, cart: &JsValue) -> JsValue {
        let lines = self.0.state.borrow_mut().settle(cart, Date::now());
        self.0.flush_soon(GATHER_MS);
        lines
    }
}

impl Shared {
    fn capture(self: &Rc<Self>, source: Source, at: f64, name: &str, data: &JsValue) {
        let outcome = self.state.borrow_mut().capture(source, at, name, data);
        if outcome.taken {
            self.flush_soon(GATHER_MS);
            self.tell_score();
        }
        if let Some((panel, about)) = outcome.trouble {
            let verdict = self.state.borrow_mut().consider(at, panel, &about);
            self.tell_panel(panel, verdict, data);
        }
        if outcome.filled {
            self.moment(Moment::Filling);
        }
    }

    fn moment(self: &Rc<Self>, moment: Moment) {
        let said = self.state.borrow_mut().moment(Date::now(), moment);
        for (panel, verdict) in said {
            self.tell_panel(panel, verdict, &JsValue::UNDEFINED);
        }
    }

    /// Shows what is to be shown, and tells the page why the rest is not. That a shop has no words for a
    /// panel is no news.
    fn tell_panel(self: &Rc<Self>, panel: Panel, verdict: Verdict, data: &JsValue) {
        let (state, why) = match verdict {
            Verdict::Show(about) => {
                set(&about, "data", data);
                return self.host.panel(panel.as_str(), &about);
            }
            Verdict::Withheld => {
                self.flush_soon(GATHER_MS);
                ("withheld", None)
            }
            Verdict::Held(Hold::Off) => return,
            Verdict::Held(why) => ("held", Some(why.as_str())),
        };
        let detail = Object::new();
        set_text(&detail, "panel", Some(panel.as_str()));
        set_text(&detail, "state", Some(state));
        set_text(&detail, "why", why);
        self.host.emit("panel", &detail);
    }

    fn tell_score(&self) {
        let score = live::score(&self.state.borrow(), Date::now());
        // A change that a page could act on, not the noise of the last digits.
        if (score.buy - *self.buy.borrow()).abs() >= 0.005 {
            *self.buy.borrow_mut() = score.buy;
            self.host.emit("score", &live::detail(&score));
        }
    }

    fn flush_soon(self: &Rc<Self>, wait_ms: u32) {
        if self.timer.borrow().is_some() && wait_ms > 0 {
            return;
        }
        let shared = Rc::clone(self);
        *self.timer.borrow_mut() = Some(Timeout::new(wait_ms, move || {
            let done = shared.timer.borrow_mut().take();
            shared.flush();
            drop(done);
        }));
    }

    fn body(&self, leaving: bool) -> Option<String> {
        let page = self.host.page();
        self.state.borrow_mut().take_off(&page, Date::now(), leaving)
    }

    fn flush(&self) {
        if self.state.borrow().outbox.is_flying() {
            return;
        }
        if let Some(body) = self.body(false) {
            self.host.post(&body);
        }
    }

    fn settled(self: &Rc<Self>, status: u16, reply: &JsValue) {
        let mut arriving = false;
        let again = {
            let mut state = self.state.borrow_mut();
            match status {
                0 | 408 | 429 | 500.. => Some(state.outbox.failed()),
                _ => {
                    state.answered(reply, Date::now());
                    arriving = state.is_arriving();
                    (!state.outbox.events().is_empty()).then_some(GATHER_MS)
                }
            }
        };
        if let Some(wait_ms) = again {
            self.flush_soon(wait_ms);
        }
        if arriving {
            self.moment(Moment::Arriving);
        }
        if (400..500).contains(&status) && status != 408 && status != 429 {
            let detail = Object::new();
            set_text(&detail, "kind", Some("refused"));
            set(&detail, "status", &JsValue::from(status));
            self.host.emit("error", &detail);
        }
    }

    /// The page may be gone in a moment: what is not under way yet goes by beacon.
    fn leave(&self) {
        if self.hidden.replace(true) {
            return;
        }
        self.state.borrow_mut().capture(Source::Own, Date::now(), "page_hide", &JsValue::UNDEFINED);
        let navigator = self.window.navigator();
        let url = self.state.borrow().place.events_url.clone();
        // A flush under way goes on by keepalive. Offline, a beacon is lost without a word: events
        // then stay in storage for the next page.
        while navigator.on_line() {
            let Some(body) = self.body(true) else { return };
            if !navigator.send_beacon_with_opt_str(&url, Some(&body)).unwrap_or(false) {
                return;
            }
            self.state.borrow_mut().beaconed();
        }
    }

    fn pointer_left(self: &Rc<Self>, event: &MouseEvent) {
        // Into something on the page is not out of it.
        if event.related_target().is_some() {
            return;
        }
        let focused = self.window.document().and_then(|d| d.active_element());
        let engaged =
            event.buttons() != 0 || focused.is_some_and(|e| e.matches(BUSY_FIELDS).unwrap_or(false));
        let now = Date::now();
        let said = {
            let mut state = self.state.borrow_mut();
            let exit = state.pointer.left(event.time_stamp(), f64::from(event.client_y()), engaged);
            state.pointer_left(now, exit)
        };
        let Some(said) = said else { return };
        for (panel, verdict) in said {
            self.tell_panel(panel, verdict, &JsValue::UNDEFINED);
        }
        self.flush_soon(GATHER_MS);
        self.tell_score();
    }

    fn listen(self: &Rc<Self>) {
        let Some(document) = self.window.document() else { return };
        self.on(&document, "mousemove", |shared, event| {
            let event: &MouseEvent = event.unchecked_ref();
            shared.state.borrow_mut().pointer.moved(event.time_stamp(), f64::from(event.client_y()));
        });
        self.on(&document, "mouseout", |shared, event| shared.pointer_left(event.unchecked_ref()));
        self.on(&document, "visibilitychange", |shared, _| {
            let hidden =
                shared.window.document().is_some_and(|d| d.visibility_state() == VisibilityState::Hidden);
            if hidden {
                shared.leave();
            } else {
                *shared.hidden.borrow_mut() = false;
            }
        });
        self.on(&self.window, "pagehide", |shared, _| shared.leave());
        self.on(&self.window, "pageshow", |shared, _| *shared.hidden.borrow_mut() = false);
        self.on(&self.window, "online", |shared, _| shared.flush_soon(0));
    }

    /// The session lives as long as the page, and so do its listeners.
    fn on(self: &Rc<Self>, target: &EventTarget, name: &str, act: fn(&Rc<Self>, &JsValue)) {
        let shared = Rc::clone(self);
        let listener = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| act(&shared, &event));
        let _ = target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
        listener.forget();
    }
}
