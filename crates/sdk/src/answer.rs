//! What the edge answers to a flush, and a cart that ends there: ordered on another device, or gone
//! by retention. Does not send or retry; that is the session's and the outbox's.

use comeback_core::cart::{Cart, Line};
use comeback_core::id::{CartId, EventId};
use comeback_core::signal::{SessionFacts, SignalKind};
use comeback_core::time::Timestamp;
use js_sys::JSON;
use wasm_bindgen::JsValue;

use crate::entropy::make_id;
use crate::ga4;
use crate::memory;
use crate::reflect::{flag, get, number, text};
use crate::state::State;

/// A cart is begun anew at most this often, so that an edge which refuses each cart is not asked in a loop.
const RENEWAL_PAUSE_MS: f64 = 60_000.0;
impl State {
    /// What the edge answered to the flush under way, which is done with.
    pub(crate) fn answered(&mut self, reply: &JsValue, now: f64) {
        if !self.consent.may_store() {
            return self.landed();
        }
        let panel = get(reply, "panel");
        if let Some(allowed) = flag(&panel, "allowed") {
            self.allowed = allowed;
            self.in_sequence = flag(&panel, "sequence").unwrap_or(false);
        }
        if let Some(bucket) = number(reply, "bucket") {
            self.bucket = u16::try_from(ga4::whole(bucket)).ok();
            self.arms = get(reply, "arms");
        }
        memory::sync_cart(self);
        let cart = get(reply, "cart");
        let ordered = flag(&cart, "closed") == Some(true);
        // An answer about a cart that was bought or replaced meanwhile is stale.
        let current = self.sent_cart == self.cart_id;
        if current && self.cart_id.is_some() && (ordered || cart.is_null()) {
            // Only the events tell what came after an order made elsewhere, so before they go. A
            // cart the edge has no trace of was not bought: all of it stays.
            let lines = if ordered { self.lines_since() } else { self.cart.lines().to_vec() };
            self.landed();
            self.renew(&lines, ordered, now);
            return;
        }
        self.landed();
        // The edge knows this browser's cart by cookie even where our copy was cleared.
        let id = text(&cart, "id");
        if current && !ordered && id.is_some() && id != self.closed && id != self.cart_id {
            self.cart_id = id;
            memory::remember(self);
        }
    }

    /// What the events that were not acknowledged before put into the cart.
    fn lines_since(&self) -> Vec<Line> {
        let mut cart = Cart::new(self.cart.currency);
        for event in self.outbox.events().iter().filter(|e| e.cart == self.cart_id) {
            let value = JSON::parse(&event.json).unwrap_or(JsValue::NULL);
            let read = ga4::read(
                &text(&value, "name").unwrap_or_default(),
                &get(&value, "data"),
                self.cart.currency,
            );
            if let Some(SignalKind::Cart { change, .. }) = read.map(|e| e.kind)
                && let Ok(id) = EventId::parse(&event.id)
            {
                let at = number(&value, "t").map_or(0, ga4::whole);
                cart.apply(Timestamp::from_millis(at), &id, change);
            }
        }
        cart.lines().to_vec()
    }

    /// Goes on with `lines` under an id of its own, as the edge has closed or forgotten the cart.
    fn renew(&mut self, lines: &[Line], ordered: bool, now: f64) {
        if now - self.renewed < RENEWAL_PAUSE_MS {
            return;
        }
        self.renewed = now;
        let old = self.cart_id.take();
        if !lines.is_empty() {
            self.cart_id = Some(make_id(&self.crypto, CartId::PREFIX));
        }
        for event in self.outbox.readdress(old.as_ref(), self.cart_id.as_ref()) {
            self.store.keep(event);
        }
        let currency = self.cart.currency;
        if ordered {
            self.facts = SessionFacts { mobile: self.facts.mobile, ..SessionFacts::default() };
        }
        self.closed = old;
        self.cart = Cart::new(currency);
        self.cart_at = now.max(self.cart_at + 1.0);
        memory::remember(self);
        if !lines.is_empty() {
            self.set_cart(now, lines, currency);
        }
    }
}
