//! The live score of this session, by the same code as at the edge.

use comeback_score::{Baseline, Context, Features, Model, Score};
use js_sys::{Array, Object};
use wasm_bindgen::JsValue;

use crate::ga4;
use crate::reflect::{set, set_text};
use crate::state::State;

/// The score at `now`.
pub(crate) fn score(state: &State, now: f64) -> Score {
    let context = Context {
        cart_value: (state.cart.currency == state.config.currency)
            .then(|| ga4::major(state.cart.total().minor, state.cart.currency)),
        cart_pieces: state.cart.pieces(),
        idle_ms: ga4::whole(now - state.active_at),
        returning: state.consent.in_force().profiling.then_some(state.returning),
    };
    Baseline.predict(&Features::of(&state.facts, &context))
}

/// The score for the page's scripts. By hand: a derived struct would bring a cache of key names.
pub(crate) fn detail(score: &Score) -> JsValue {
    let detail = Object::new();
    set_text(&detail, "model", Some(&score.model));
    set(&detail, "buy", &JsValue::from_f64(score.buy));
    let reasons = Array::new();
    for reason in &score.reasons {
        let entry = Object::new();
        set_text(&entry, "feature", Some(reason.feature));
        set(&entry, "effect", &JsValue::from_f64(reason.effect));
        reasons.push(&entry);
    }
    set(&detail, "reasons", &reasons);
    detail.into()
}
