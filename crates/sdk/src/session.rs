//! The one object that JavaScript holds: what it tells is counted, what it asks the core answers. Every call borrows
//! the state only while it runs, so that [`Host`] may call back in.

use std::cell::RefCell;
use std::rc::Rc;

use comeback_core::money::Currency;
use comeback_core::onsite;
use comeback_core::signal::{CheckoutError, SessionFacts};
use comeback_score::Score;
use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;
use web_sys::Window;

use crate::facts::Facts;
use crate::leaving::Leaving;
use crate::panels;
use crate::reflect::{get, known, number, set, whole};

#[wasm_bindgen]
extern "C" {
    /// What `sdk-js/src/session.js` does for us.
    pub type Host;
    /// The shopper is about to leave, by this sign; `act` is whether it was something they did.
    #[wasm_bindgen(method)]
    pub(crate) fn leaving(this: &Host, trigger: &str, act: bool);
}

/// The session of one page.
#[wasm_bindgen]
pub struct Session {
    facts: RefCell<Facts>,
    shop: String,
    mobile: bool,
    leaving: Rc<Leaving>,
}

#[wasm_bindgen]
impl Session {
    /// Opens the session of a page at `now` (milliseconds since 1970, as all times here) and starts to watch for
    /// gestures of leaving. `settings` is the body of `GET /v1/config/{pk}`, or an empty object.
    #[wasm_bindgen(constructor)]
    pub fn new(window: Window, host: Host, settings: &JsValue, mobile: bool, now: f64) -> Session {
        let shop = get(settings, "shop");
        let mut rules = get(settings, "leaving");
        if !rules.is_object() {
            // An edge that is older than this module tells them elsewhere.
            rules = get(settings, "exit");
        }
        let currency = get(&shop, "currency").as_string().unwrap_or_default();
        let facts = Facts {
            session: SessionFacts { mobile, ..SessionFacts::default() },
            // ISO 4217's "none" where the shop could not be asked.
            currency: Currency::parse(&currency).or_else(|_| Currency::parse("XXX")).unwrap_throw(),
            cart_minor: None,
            comparable: true,
            pieces: 0,
            free_from_minor: known(number(&get(settings, "shipping"), "free_from_minor")).map(whole),
            active_at: now,
            returning: None,
        };
        Session {
            facts: RefCell::new(facts),
            shop: get(&shop, "id").as_string().unwrap_or_default(),
            mobile,
            leaving: Leaving::watch(window, host, panels::leave_rules(&rules), mobile),
        }
    }

    /// Counts an event by its GA4 name; `detail` is its dwell time, or 1 for a code that was taken.
    pub fn observe(&self, at: f64, name: &str, detail: f64) {
        self.facts.borrow_mut().observe(at, name, detail);
    }

    /// What is in the cart now: of each line the price of one, in major units of `currency`, and how many.
    pub fn fill(&self, currency: &str, priced: &[f64]) {
        self.facts.borrow_mut().fill(currency, priced);
    }

    /// Whether the visitor was here before; `undefined` where that may not be known.
    pub fn returning(&self, returning: Option<bool>) {
        self.facts.borrow_mut().returning = returning;
    }

    /// An order was made: the next item begins another cart, and the session another story.
    pub fn ordered(&self) {
        let mut facts = self.facts.borrow_mut();
        facts.session = SessionFacts { mobile: self.mobile, ..SessionFacts::default() };
        facts.fill("", &[]);
    }

    /// The counts of this visit so far.
    pub fn counts(&self) -> JsValue {
        serde_wasm_bindgen::to_value(&self.facts.borrow().counts()).unwrap_or(JsValue::UNDEFINED)
    }

    /// Adds the counts of an earlier page of this visit.
    pub fn recall(&self, counts: &[f64]) {
        self.facts.borrow_mut().recall(counts);
    }

    /// `{model, buy, reasons: [{feature, effect}]}` at `now`.
    pub fn score(&self, now: f64) -> JsValue {
        let score = self.facts.borrow().score(now);
        detail(&score)
    }

    /// Whether a shopper this likely to buy is about to leave, whatever they do.
    pub fn foresees(&self, buy: f64) -> bool {
        self.leaving.rules.foresees(buy)
    }

    /// The shopper went back in the history.
    pub fn back(&self) {
        self.leaving.tell(onsite::Gesture::Back);
    }

    /// The panels of a moment (`leaving`, `arriving`, `filling`) in the order in which they are asked.
    pub fn panels(&self, moment: &str) -> Array {
        panels::of_moment(moment).iter().map(|panel| JsValue::from_str(panel.as_str())).collect()
    }

    /// Why a panel is held back; `undefined` when it is to be shown. See `panels::held` for `told`.
    pub fn held(&self, now: f64, panel: &str, told: &JsValue) -> Option<String> {
        let panel = panels::named(panel)?;
        panels::held(&self.facts.borrow(), now, panel, told).map(str::to_owned)
    }

    /// Whether a panel comes of itself, and so shares the one place in a session with its like.
    pub fn is_proactive(&self, panel: &str) -> bool {
        panels::named(panel).is_some_and(onsite::Panel::is_proactive)
    }

    /// Which arm of an experiment a bucket gives, by the weights of all arms.
    pub fn arm(&self, experiment: &str, bucket: u16, weights: &[f64]) -> Option<u32> {
        panels::arm(&self.shop, experiment, bucket, weights)
    }

    /// The panel that helps against what checkout refused.
    pub fn help_for(&self, step: String, code: String) -> String {
        onsite::help_for(&CheckoutError { step, code, method: String::new() }).as_str().to_owned()
    }

    /// Whether a price of shipping, in major units, drives this shopper away: much, where more goods would make it free.
    pub fn is_shock(&self, price: f64) -> bool {
        let facts = self.facts.borrow();
        let price = facts.currency.minor_from_number(price).unwrap_or(0);
        facts.shipping_gap_minor().is_some()
            && facts.cart_minor.is_some_and(|cart| onsite::is_shock(price, cart))
    }
}

/// The score for the page's scripts. By hand: a derived struct would bring a cache of key names.
fn detail(score: &Score) -> JsValue {
    let detail = Object::new();
    set(&detail, "model", &JsValue::from_str(&score.model));
    set(&detail, "buy", &JsValue::from_f64(score.buy));
    let reasons = Array::new();
    for reason in &score.reasons {
        let entry = Object::new();
        set(&entry, "feature", &JsValue::from_str(reason.feature));
        set(&entry, "effect", &JsValue::from_f64(reason.effect));
        reasons.push(&entry);
    }
    set(&detail, "reasons", &reasons);
    detail.into()
}
