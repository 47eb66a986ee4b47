//! The one object that JavaScript holds: what it tells is counted, what it asks the core answers. Numbers and names cross,
//! no objects: reading those, and watching the page, weighs a third to a half in JavaScript. An unknown number is NaN.

use comeback_core::money::Currency;
use comeback_core::onsite;
use comeback_core::signal::{CheckoutError, SessionFacts};
use comeback_score::MAX_REASONS;
use wasm_bindgen::prelude::*;

use crate::facts::Facts;
use crate::leaving::Leaving;
use crate::number::{first, known, whole};
use crate::panels;

/// The session of one page.
#[wasm_bindgen]
pub struct Session {
    facts: Facts,
    shop: String,
    mobile: bool,
    leaving: Leaving,
}

#[wasm_bindgen]
impl Session {
    /// Opens the session of a page at `now` (milliseconds since 1970, as all times here). `shop` is the shop's id and
    /// `currency` its currency, `XXX` where it could not be asked; `told`: the value in minor units from which shipping
    /// is free, then what `leaving::rules` takes.
    #[wasm_bindgen(constructor)]
    pub fn new(shop: String, currency: &str, told: &[f64], mobile: bool, now: f64) -> Session {
        let [free_from] = first(told);
        let facts = Facts {
            session: SessionFacts { mobile, ..SessionFacts::default() },
            currency: Currency::parse(currency).unwrap_or(Currency::NONE),
            cart_minor: None,
            comparable: true,
            pieces: 0,
            free_from_minor: known(free_from).map(whole),
            active_at: now,
            returning: None,
        };
        Session { facts, shop, mobile, leaving: Leaving::new(told.get(1..).unwrap_or_default(), mobile) }
    }

    /// Counts an event by its GA4 name; `detail` is its dwell time, or 1 for a code that was taken.
    pub fn observe(&mut self, at: f64, name: &str, detail: f64) {
        self.facts.observe(at, name, detail);
    }

    /// What is in the cart now: of each line the price of one, in major units of `currency`, and how many.
    pub fn fill(&mut self, currency: &str, priced: &[f64]) {
        self.facts.fill(currency, priced);
    }

    /// Whether the visitor was here before, 1 or 0; NaN where that may not be known.
    pub fn returning(&mut self, returning: f64) {
        self.facts.returning = known(returning).map(|was_here| was_here > 0.0);
    }

    /// An order was made: the next item begins another cart, and the session another story.
    pub fn ordered(&mut self) {
        self.facts.session = SessionFacts { mobile: self.mobile, ..SessionFacts::default() };
        self.facts.fill("", &[]);
    }

    /// The counts of this visit so far.
    pub fn counts(&self) -> Vec<f64> {
        self.facts.counts().to_vec()
    }

    /// Adds the counts of an earlier page of this visit.
    pub fn recall(&mut self, counts: &[f64]) {
        self.facts.recall(counts);
    }

    /// The probability of buying without help at `now`; 1 if a shopper with such a score is about to leave, whatever
    /// they do, else 0; the effects of the reasons, largest first.
    pub fn score(&self, now: f64) -> Vec<f64> {
        let score = self.facts.score(now);
        let mut told = Vec::with_capacity(2 + MAX_REASONS);
        told.push(score.buy);
        told.push(f64::from(self.leaving.rules.foresees(score.buy)));
        told.extend(score.reasons.iter().map(|reason| reason.effect));
        told
    }

    /// The model's name, then those of the reasons' features in their order, with spaces between.
    pub fn reasons(&self, now: f64) -> String {
        let score = self.facts.score(now);
        let mut names = score.model.into_owned();
        for reason in score.reasons {
            names.push(' ');
            names.push_str(reason.feature);
        }
        names
    }

    /// For how long nothing must be touched on a phone before that is a sign, milliseconds.
    pub fn idle_ms(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "minutes in milliseconds")]
        let ms = self.leaving.rules.idle_ms as f64;
        ms
    }

    /// The pointer is at `y`, in CSS pixels from the top of the viewport. `at` is the event's own time.
    pub fn moved(&mut self, at: f64, y: f64) {
        self.leaving.pointer.moved(at, y);
    }

    /// Whether a sign is one of leaving: 1 if it is, 2 if the shopper made it. See `Leaving::gesture` for what is told.
    pub fn leaves(&mut self, sign: &str, at: f64, y: f64, engaged: bool) -> i32 {
        let gesture = self.leaving.gesture(sign, at, y, engaged);
        gesture.map_or(0, |gesture| 1 + i32::from(gesture.is_act()))
    }

    /// The panels of a moment (`leaving`, `arriving`, `filling`) in the order in which they are asked, with spaces between.
    pub fn panels(&self, moment: &str) -> String {
        panels::of_moment(moment)
    }

    /// Why a panel is held back; `undefined` when it is to be shown. See `panels::held` for `told`.
    pub fn held(&self, now: f64, panel: &str, told: &[f64]) -> Option<String> {
        panels::held(&self.facts, now, panels::named(panel)?, told).map(str::to_owned)
    }

    /// Whether a panel comes of itself, and so shares the one place in a session with its like.
    pub fn is_proactive(&self, panel: &str) -> bool {
        panels::named(panel).is_some_and(onsite::Panel::is_proactive)
    }

    /// Which arm of an experiment a bucket gives, by the weights of all arms; -1 if none has any.
    pub fn arm(&self, experiment: &str, bucket: u16, weights: &[f64]) -> i32 {
        panels::arm(&self.shop, experiment, bucket, weights).unwrap_or(-1)
    }

    /// The panel that helps against what checkout refused.
    pub fn help_for(&self, step: String, code: String) -> String {
        onsite::help_for(&CheckoutError { step, code, method: String::new() }).as_str().to_owned()
    }

    /// Whether a price of shipping, in major units, drives this shopper away: much, where more goods would make it free.
    pub fn is_shock(&self, price: f64) -> bool {
        let price = self.facts.currency.minor_from_number(price).unwrap_or(0);
        self.facts.shipping_gap_minor().is_some()
            && self.facts.cart_minor.is_some_and(|cart| onsite::is_shock(price, cart))
    }
}
