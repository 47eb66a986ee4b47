//! What one page knows, and what it does with an event: count it, apply it to the cart, put it in
//! the outbox. Rules are the core's; this file only calls them in order.

use comeback_core::cart::{Cart, Change, Line};
use comeback_core::id::{CartId, EventId};
use comeback_core::money::Currency;
use comeback_core::onsite::{self, Moment, Panel, PointerExit};
use comeback_core::signal::{SessionFacts, SignalKind};
use comeback_core::time::Timestamp;
use js_sys::Object;
use wasm_bindgen::JsValue;
use web_sys::Crypto;

use crate::config::Config;
use crate::consent::Consent;
use crate::dedupe::{Dedupe, Source};
use crate::entropy::make_id;
use crate::ga4::{self, Captured};
use crate::memory;
use crate::outbox::{Event, Outbox};
use crate::panels::Verdict;
use crate::pointer::Pointer;
use crate::reflect::{flag, get, json, number, set, set_text, text};
use crate::store::Store;

/// A larger event loses names and pictures; one that is still larger cannot travel.
const LEAN_ABOVE: usize = 12_000;
const DROP_ABOVE: usize = 15_000;
/// Gestures of leaving within this span are one.
const EXIT_PAUSE_MS: f64 = 5_000.0;

/// What came of an event.
#[derive(Default)]
pub(crate) struct Outcome {
    /// It was new and is in the outbox.
    pub(crate) taken: bool,
    /// A trouble of the shopper, with what tells it from another: there may be help.
    pub(crate) trouble: Option<(Panel, String)>,
    /// Something was put in or taken out.
    pub(crate) filled: bool,
}

/// Where the page and the shop are.
pub(crate) struct Place {
    pub(crate) pk: String,
    pub(crate) events_url: String,
    pub(crate) automated: bool,
    /// The browser could be asked for push and was not yet.
    pub(crate) may_ask_push: bool,
    /// This is the page of the cart.
    pub(crate) at_cart: bool,
}

/// Everything a page knows.
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) crypto: Crypto,
    pub(crate) place: Place,
    pub(crate) config: Config,
    pub(crate) consent: Consent,
    pub(crate) facts: SessionFacts,
    pub(crate) cart: Cart,
    pub(crate) cart_id: Option<String>,
    /// When the cart last changed, so that another tab's newer cart is seen.
    pub(crate) cart_at: f64,
    /// The cart that was bought: the edge may still name it for a while.
    pub(crate) closed: Option<String>,
    /// The last order number: a reloaded thank-you page is not a second order.
    pub(crate) order: Option<String>,
    pub(crate) last_shown: Option<f64>,
    pub(crate) shown_in_session: bool,
    /// When each panel was last shown in this browser, milliseconds by name.
    pub(crate) shown: Object,
    /// Help that was given and panels that were closed in this session, each with a line end.
    pub(crate) helped: String,
    /// The page's bucket in experiments; unknown until the edge has named it.
    pub(crate) bucket: Option<u16>,
    /// The arms that the shopper was exposed to, by experiment.
    pub(crate) arms: JsValue,
    /// The cart is part of a sequence that its shopper came back from.
    pub(crate) in_sequence: bool,
    /// The time of the session's last event; each event is later than the one before.
    pub(crate) last_t: f64,
    /// The edge may hold something of this browser: an earlier page was stored, or this one sent.
    pub(crate) known: bool,
    /// The edge allows panels; unknown is no.
    pub(crate) allowed: bool,
    pub(crate) outbox: Outbox,
    pub(crate) pointer: Pointer,
    /// When the shopper last did something.
    pub(crate) active_at: f64,
    /// There was something of an earlier visit in storage.
    pub(crate) returning: bool,
    /// The cart of the flush under way.
    pub(crate) sent_cart: Option<String>,
    pub(crate) renewed: f64,
    pub(crate) opened: f64,
    /// The panels of an arrival were asked for.
    pub(crate) arrived: bool,
    last_exit: f64,
    /// The product at hand: since when, and as its event had it.
    viewed: Option<(f64, Vec<Line>)>,
    dedupe: Dedupe,
}

impl State {
    /// A page that was opened at `now`. Remembers earlier pages if it may.
    pub(crate) fn open(store: Store, crypto: Crypto, options: &JsValue, config: &JsValue, now: f64) -> Self {
        let config = Config::read(config);
        let field = |name: &str| text(options, name).unwrap_or_default();
        let mut events_url = field("endpoint");
        events_url.push_str("/v1/events");
        let consent = Consent {
            required: config.consent_required,
            wording: config.wording.clone(),
            gpc: flag(options, "gpc").unwrap_or(false),
            choice: None,
        };
        let mobile = flag(options, "mobile").unwrap_or(false);
        let mut state = Self {
            store,
            crypto,
            place: Place {
                pk: field("pk"),
                events_url,
                automated: flag(options, "automated").unwrap_or(false),
                may_ask_push: flag(options, "push").unwrap_or(false),
                at_cart: flag(options, "at_cart").unwrap_or(false),
            },
            cart: Cart::new(config.currency),
            config,
            consent,
            facts: SessionFacts { mobile, ..SessionFacts::default() },
            cart_id: None,
            cart_at: 0.0,
            closed: None,
            order: None,
            last_shown: None,
            shown_in_session: false,
            shown: Object::new(),
            helped: String::new(),
            bucket: None,
            arms: JsValue::UNDEFINED,
            in_sequence: false,
            last_t: 0.0,
            known: false,
            allowed: false,
            outbox: Outbox::default(),
            pointer: Pointer::default(),
            active_at: now,
            returning: false,
            sent_cart: None,
            renewed: 0.0,
            opened: now,
            arrived: flag(options, "linked").unwrap_or(false),
            last_exit: 0.0,
            viewed: None,
            dedupe: Dedupe::default(),
        };
        memory::recall_choice(&mut state);
        if state.consent.may_store() {
            memory::recall(&mut state);
        }
        state
    }

    /// Takes an event in.
    pub(crate) fn capture(&mut self, source: Source, at: f64, name: &str, raw: &JsValue) -> Outcome {
        let mut outcome = Outcome::default();
        // The SDK sees page views itself; GTM's would only be echoes.
        if source == Source::Layer && name == "page_view" {
            return outcome;
        }
        let Some(mut event) = ga4::read(name, raw, self.config.currency) else { return outcome };
        if !self.dedupe.is_new(at, source, event.key.clone()) {
            return outcome;
        }
        if let SignalKind::Purchase { order } = &event.kind
            && !order.is_empty()
            && self.order.as_ref() == Some(order)
        {
            return outcome;
        }
        memory::sync_cart(self);
        let id = make_id(&self.crypto, EventId::PREFIX);
        let at = at.max(self.last_t + 1.0);
        self.last_t = at;
        self.facts.observe(&event.kind);
        if event.kind.is_activity() {
            self.active_at = self.active_at.max(at);
        }
        if let SignalKind::Cart { currency, change } = &event.kind {
            self.change_cart(at, &id, *currency, change.clone());
        }
        match event.kind {
            SignalKind::ViewItem { .. } => self.viewed = event.lines.clone().map(|lines| (at, lines)),
            // The page or route that follows, or the end of this one, ends the look.
            SignalKind::PageView | SignalKind::PageHide => {
                if let Some((since, lines)) = self.viewed.take() {
                    set(&event.data, "dwell_ms", &JsValue::from_f64(at - since));
                    event.lines = Some(lines);
                }
            }
            _ => {}
        }
        let stored = self.post(id, at, name, &event);
        match &event.kind {
            SignalKind::CheckoutError(error) => {
                let panel = onsite::help_for(error);
                // Another card is another try; another field of the form too.
                let about = text(raw, "field").unwrap_or_else(|| error.method.clone());
                outcome.trouble = Some((panel, about));
            }
            SignalKind::ViewShippingEstimate => {
                let price = number(raw, "value").and_then(|v| event.currency.minor_from_number(v));
                let cart = self.cart.total().minor;
                if price.is_some_and(|price| onsite::is_shock(price, cart))
                    && self.shipping_gap_minor().is_some()
                {
                    outcome.trouble = Some((Panel::ShippingCost, String::new()));
                }
            }
            SignalKind::BeginCheckout => outcome.trouble = Some((Panel::CartCheck, String::new())),
            SignalKind::Cart { change, .. } => {
                outcome.filled = true;
                if matches!(change, Change::Set(_)) && source != Source::Own {
                    outcome.trouble = Some((Panel::CartCheck, String::new()));
                }
            }
            // What speaks of the cart as it changes stays away once it was closed.
            SignalKind::Panel if name == "panel_closed" => {
                let mut key = text(raw, "panel").unwrap_or_default();
                if key == Panel::ShippingProgress.as_str() {
                    key.push(':');
                    self.give(&key);
                }
            }
            _ => {}
        }
        if let SignalKind::Purchase { order } = event.kind {
            self.bought(order, at);
        }
        memory::remember(self);
        outcome.taken = stored;
        outcome
    }

    fn change_cart(&mut self, at: f64, id: &str, currency: Currency, change: Change) {
        // A clock set back must not make the page ignore what the shopper just did.
        let at = if at > self.cart_at { at } else { self.cart_at + 1.0 };
        self.cart_at = at;
        self.cart.currency = currency;
        let change = with_known_prices(change, self.cart.lines());
        if let Ok(id) = EventId::parse(id) {
            self.cart.apply(Timestamp::from_millis(ga4::whole(at)), &id, change);
        }
        if self.cart_id.is_none() && !self.cart.is_empty() {
            self.cart_id = Some(make_id(&self.crypto, CartId::PREFIX));
        }
    }

    /// After an order the next item begins another cart, and the session another story.
    fn bought(&mut self, order: String, at: f64) {
        self.closed = self.cart_id.take();
        self.order = Some(order);
        self.cart = Cart::new(self.cart.currency);
        self.cart_at = at;
        self.facts = SessionFacts { mobile: self.facts.mobile, ..SessionFacts::default() };
    }

    fn post(&mut self, id: String, at: f64, name: &str, event: &Captured) -> bool {
        let mut text = String::new();
        for lean in [false, true] {
            if let Some(lines) = &event.lines {
                set(&event.data, "items", &ga4::items(lines, event.currency, lean));
            }
            let object = Object::new();
            set_text(&object, "id", Some(&id));
            set(&object, "t", &JsValue::from_f64(at));
            set_text(&object, "name", Some(name));
            set(&object, "data", &event.data);
            text = json(&object);
            if text.len() < LEAN_ABOVE {
                break;
            }
        }
        if text.len() > DROP_ABOVE {
            return false;
        }
        let event = Event { id, cart: self.cart_id.clone(), json: text };
        if self.consent.may_store() {
            self.store.keep(&event);
        }
        if let Some(evicted) = self.outbox.push(event) {
            self.store.release(&evicted);
        }
        true
    }

    /// The whole cart as it is now, as an event of the SDK's own.
    pub(crate) fn set_cart(&mut self, at: f64, lines: &[Line], currency: Currency) {
        let data = Object::new();
        set_text(&data, "currency", Some(currency.code()));
        set(&data, "items", &ga4::items(lines, currency, false));
        self.capture(Source::Own, at, "cart_set", &data);
    }

    /// The pointer left the page: what the core says to that, `None` when it was no leave.
    pub(crate) fn pointer_left(&mut self, now: f64, exit: PointerExit) -> Option<Vec<(Panel, Verdict)>> {
        if !exit.is_leave(self.config.min_velocity_px_s) {
            return None;
        }
        let said = self.moment(now, Moment::Leaving(exit));
        if now - self.last_exit > EXIT_PAUSE_MS {
            self.last_exit = now;
            let data = Object::new();
            set_text(&data, "trigger", Some("pointer_top"));
            self.capture(Source::Own, now, "exit_intent", &data);
        }
        Some(said)
    }

    /// The start of a body, without its closing brace.
    fn head(&self, page: &JsValue, consent: &Object, now: f64) -> String {
        let head = Object::new();
        set(&head, "v", &JsValue::from_f64(1.0));
        // By it the edge takes a wrong clock of this device out of the events' times.
        set(&head, "sent", &JsValue::from_f64(now));
        set_text(&head, "pk", Some(&self.place.pk));
        set(&head, "page", page);
        set(&head, "consent", consent);
        set(&head, "automated", &self.place.automated.into());
        let mut body = json(&head);
        body.pop();
        body
    }

    /// The next events as the body of a request at `now`: a flush, whose end is `landed`, or when
    /// the page is left what is not under way, whose end is `beaconed`. `page` is `{url, locale,
    /// tz, mobile}`.
    pub(crate) fn take_off(&mut self, page: &JsValue, now: f64, leaving: bool) -> Option<String> {
        if !self.consent.may_store() {
            return None;
        }
        let in_force = self.consent.in_force();
        let consent = Object::new();
        set(&consent, "storage", &in_force.storage.into());
        set(&consent, "marketing", &in_force.marketing.into());
        set(&consent, "profiling", &in_force.profiling.into());
        set_text(&consent, "wording", Some(&self.consent.wording));
        let mut body = self.head(page, &consent, now);
        // A cart id is at most 70 characters; the keys around it and the brackets are the rest.
        let room = body.len() + 100;
        let (cart, events) =
            if leaving { self.outbox.take_queued(room) } else { self.outbox.take_off(room) }?;
        self.known = true;
        finish(&mut body, cart.as_deref(), &events);
        if !leaving {
            self.sent_cart = cart;
        }
        Some(body)
    }

    /// A beacon took the events that `take_off` gave when the page was left.
    pub(crate) fn beaconed(&mut self) {
        for event in self.outbox.beaconed() {
            self.store.release(&event);
        }
    }

    /// The flush under way is done with.
    pub(crate) fn landed(&mut self) {
        for event in self.outbox.landed() {
            self.store.release(&event);
        }
    }

    /// Applies the consent banner's word. Returns whether things may be stored now, and after a yes
    /// that is taken back the last body to send: by it the edge takes its cookies back.
    pub(crate) fn choose(&mut self, choice: &JsValue, now: f64) -> (bool, Option<String>) {
        let could = self.consent.may_store();
        self.consent.choose(flag(choice, "storage"), flag(choice, "marketing"), flag(choice, "profiling"));
        if self.consent.may_store() {
            if !could {
                memory::recall(self);
                for event in self.outbox.events() {
                    self.store.keep(event);
                }
            }
            memory::remember(self);
            return (true, None);
        }
        let farewell = (could && self.known).then(|| {
            let consent = Object::new();
            set(&consent, "storage", &JsValue::FALSE);
            let mut body = self.head(&Object::new(), &consent, now);
            finish(&mut body, None, "");
            body
        });
        self.known = false;
        // A later yes must not be tied to what was before the no.
        self.cart_id = None;
        self.sent_cart = None;
        self.closed = None;
        self.order = None;
        self.outbox.clear();
        self.store.wipe();
        (false, farewell)
    }

    /// The cart as the page's scripts see it.
    pub(crate) fn cart_object(&self) -> Object {
        let cart = Object::new();
        set_text(&cart, "id", self.cart_id.as_deref());
        set_text(&cart, "currency", Some(self.cart.currency.code()));
        set(&cart, "lines", &ga4::items(self.cart.lines(), self.cart.currency, false));
        cart
    }

    /// Takes over a cart from outside, under its id if it has one. Returns the lines.
    pub(crate) fn settle(&mut self, cart: &JsValue, now: f64) -> JsValue {
        let currency = ga4::currency(cart).unwrap_or(self.cart.currency);
        let lines = ga4::lines(&get(cart, "lines"), currency);
        self.cart_id = text(cart, "id").or(self.cart_id.take());
        self.set_cart(now, &lines, currency);
        ga4::items(&lines, currency, false)
    }

    /// Milliseconds of the last panel for storage.
    pub(crate) fn last_shown_from(&mut self, stored: &JsValue) {
        self.last_shown = number(stored, "last_shown").or(self.last_shown);
    }
}

/// Data layers often name a price once; a later line without one keeps what is known.
fn with_known_prices(change: Change, known: &[Line]) -> Change {
    let fill = |mut lines: Vec<Line>| {
        for line in &mut lines {
            let held =
                known.iter().find(|k| k.item_id == line.item_id && k.item_variant == line.item_variant);
            if let Some(held) = held {
                if line.unit_price_minor == 0 {
                    line.unit_price_minor = held.unit_price_minor;
                }
                if line.title.is_empty() {
                    line.title.clone_from(&held.title);
                }
                line.image_url = line.image_url.take().or_else(|| held.image_url.clone());
                line.item_url = line.item_url.take().or_else(|| held.item_url.clone());
            }
        }
        lines
    };
    match change {
        Change::Add(lines) => Change::Add(fill(lines)),
        Change::Set(lines) => Change::Set(fill(lines)),
        remove => remove,
    }
}

/// The end of a body that `head` began.
fn finish(body: &mut String, cart: Option<&str>, events: &str) {
    body.push_str(",\"cart\":");
    body.push_str(&json(&cart.map_or(JsValue::NULL, JsValue::from_str)));
    body.push_str(",\"events\":[");
    body.push_str(events);
    body.push_str("]}");
}
