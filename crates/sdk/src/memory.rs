//! The state's way into storage and back: one small object for the browser, one for the session.

use comeback_core::cart::Cart;
use comeback_core::id::{CartId, EventId};
use comeback_core::signal::{SessionFacts, Stage};
use comeback_core::time::Timestamp;
use js_sys::{Array, Object};
use wasm_bindgen::{JsCast, JsValue};

use crate::consent::Choice;
use crate::ga4;
use crate::reflect::{flag, get, number, set, set_text, text};
use crate::state::State;

/// A yes given on an earlier page, if it was given to today's wording. Storing it was part of the yes.
pub(crate) fn recall_choice(state: &mut State) {
    let stored = get(&state.store.read(), "consent");
    if text(&stored, "wording").unwrap_or_default() != state.consent.wording {
        return;
    }
    if let (Some(storage), Some(marketing), Some(profiling)) =
        (flag(&stored, "storage"), flag(&stored, "marketing"), flag(&stored, "profiling"))
    {
        state.consent.choice = Some(Choice { storage, marketing, profiling });
    }
}

/// Everything else earlier pages left. A cart that was filled on this page before the yes stays.
pub(crate) fn recall(state: &mut State) {
    let stored = state.store.read();
    if state.cart.is_empty() {
        sync_cart_from(state, &stored);
    }
    state.last_shown_from(&stored);
    let shown = get(&stored, "shown");
    if shown.is_object() {
        state.shown = shown.unchecked_into();
    }
    state.closed = text(&stored, "closed");
    state.order = text(&stored, "order");
    let session = state.store.read_session();
    state.known |= stored.is_object();
    // A page later in the same visit is no return.
    state.returning = stored.is_object() && !session.is_object();
    if Array::is_array(&session) {
        let facts = &mut state.facts;
        let stages = [Stage::Browse, Stage::Cart, Stage::Checkout, Stage::Shipping, Stage::Payment];
        let reached = stages.get(count_at(&session, 0) as usize).copied().unwrap_or_default();
        facts.stage = facts.stage.max(reached);
        facts.dwell_ms = facts.dwell_ms.saturating_add(i64::from(count_at(&session, 1)));
        state.shown_in_session |= count_at(&session, 2) == 1;
        let array: &Array = session.unchecked_ref();
        state.last_t = state.last_t.max(array.get(AFTER_COUNTS).as_f64().unwrap_or(0.0));
        if let Some(helped) = array.get(AFTER_COUNTS + 1).as_string() {
            state.helped.push_str(&helped);
        }
        for (index, count) in (FIRST_COUNT..).zip(counts(facts)) {
            *count = count.saturating_add(count_at(&session, index));
        }
    }
    let outbox = &mut state.outbox;
    state.store.kept(|event| {
        outbox.push(event);
    });
}

/// In the session's array: stage, dwell, whether a panel was shown, then the counts, and after them
/// the time of the last event and the help that was given.
const FIRST_COUNT: usize = 3;
const AFTER_COUNTS: u32 = 11;

fn counts(f: &mut SessionFacts) -> [&mut u32; 8] {
    [
        &mut f.pages,
        &mut f.product_views,
        &mut f.adds,
        &mut f.removes,
        &mut f.shipping_estimates,
        &mut f.coupons_refused,
        &mut f.checkout_errors,
        &mut f.exit_intents,
    ]
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn count_at(session: &JsValue, index: usize) -> u32 {
    session.unchecked_ref::<Array>().get(index as u32).as_f64().unwrap_or(0.0) as u32
}

/// Takes over the cart of another tab if it is newer.
pub(crate) fn sync_cart(state: &mut State) {
    if state.consent.may_store() {
        let stored = state.store.read();
        sync_cart_from(state, &stored);
    }
}

fn sync_cart_from(state: &mut State, stored: &JsValue) {
    let Some(at) = number(stored, "at") else { return };
    if at <= state.cart_at {
        return;
    }
    let currency = ga4::currency(stored).unwrap_or(state.cart.currency);
    let lines = ga4::lines(&get(stored, "lines"), currency);
    let mut cart = Cart::new(currency);
    if let Ok(id) = EventId::parse("evt_stored") {
        cart.apply(Timestamp::from_millis(ga4::whole(at)), &id, comeback_core::cart::Change::Set(lines));
    }
    state.cart = cart;
    state.cart_at = at;
    state.cart_id = text(stored, "cart").filter(|id| CartId::parse(id).is_ok());
}

/// Writes what should survive, if anything may.
pub(crate) fn remember(state: &mut State) {
    if !state.consent.may_store() {
        return;
    }
    let stored = Object::new();
    set_text(&stored, "cart", state.cart_id.as_deref());
    set_text(&stored, "currency", Some(state.cart.currency.code()));
    set(&stored, "at", &JsValue::from_f64(state.cart_at));
    set(&stored, "lines", &ga4::items(state.cart.lines(), state.cart.currency, false));
    set_text(&stored, "closed", state.closed.as_deref());
    set_text(&stored, "order", state.order.as_deref());
    if let Some(ms) = state.last_shown {
        set(&stored, "last_shown", &JsValue::from_f64(ms));
    }
    set(&stored, "shown", &state.shown);
    if let Some(choice) = state.consent.choice {
        let consent = Object::new();
        set(&consent, "storage", &choice.storage.into());
        set(&consent, "marketing", &choice.marketing.into());
        set(&consent, "profiling", &choice.profiling.into());
        set_text(&consent, "wording", Some(&state.consent.wording));
        set(&stored, "consent", &consent);
    }
    state.store.write(&stored);

    let facts = &mut state.facts;
    let (stage, dwell_ms) = (facts.stage as u32, u32::try_from(facts.dwell_ms).unwrap_or(u32::MAX));
    let mut session = [stage, dwell_ms, u32::from(state.shown_in_session), 0, 0, 0, 0, 0, 0, 0, 0];
    for (place, count) in session[FIRST_COUNT..].iter_mut().zip(counts(facts)) {
        *place = *count;
    }
    if let Ok(session) = serde_wasm_bindgen::to_value(&session) {
        let array: &Array = session.unchecked_ref();
        array.push(&JsValue::from_f64(state.last_t));
        array.push(&JsValue::from_str(&state.helped));
        state.store.write_session(&session);
    }
}
