//! What is known of a cart when a condition is asked: every field that the cart itself answers, and
//! what was known of its person when they were last asked.

use super::{Recovery, Trigger};
use crate::cause::{self, Likely};
use crate::money::Currency;
use crate::policy::{Facts, Field, Known, Policy};
use crate::signal::{SessionFacts, Viewed};
use crate::time::{HOUR, SECOND, Timestamp};

impl Recovery {
    /// Cart, session, abandonment and what is known of the person, as conditions see them at `now`.
    #[must_use]
    pub fn condition_facts(&self, now: Timestamp, policy: &Policy) -> Facts {
        let Some(episode) = &self.episode else {
            return self.facts_of(now, policy, None, None);
        };
        let inferred;
        let likely = match &episode.likely {
            Some(likely) => likely,
            // An episode of a build that inferred nothing.
            None => {
                inferred = cause::infer(self, policy);
                &inferred
            }
        };
        let look = episode.look.as_ref().filter(|_| self.cart.is_empty()).map(|l| &l.item);
        self.facts_of(now, policy, Some((episode.trigger, episode.number, likely)), look)
    }

    /// Takes over what a person's object knows of them, for conditions that are asked when they
    /// cannot be. Only what is the person's is kept.
    pub fn take_profile(&mut self, facts: &Facts) {
        if !self.is_forgotten() {
            self.profile = facts.only(Known::Person);
        }
    }

    /// Sum of the lines in minor units of the shop's currency; `None` in a currency for which the
    /// policy gives no rate.
    #[must_use]
    pub fn value_minor(&self, policy: &Policy) -> Option<i64> {
        let home = self.home.unwrap_or(self.cart.currency);
        home.minor_from_number(self.value(policy)?)
    }

    /// The same in major units.
    #[expect(clippy::cast_precision_loss, reason = "amounts far below 2^52")]
    pub(crate) fn value(&self, policy: &Policy) -> Option<f64> {
        let total = self.cart.total();
        let major = total.minor as f64 / scale(total.currency);
        match self.home.filter(|home| *home != total.currency) {
            None => Some(major),
            Some(_) => policy.rates.get(total.currency.code()).map(|rate| major * rate),
        }
    }

    /// What is missing to free shipping, major units of the shop's currency.
    pub(crate) fn shipping_gap(&self, policy: &Policy) -> Option<f64> {
        Some((policy.free_shipping_from? - self.value(policy)?).max(0.0))
    }

    #[expect(clippy::cast_precision_loss, reason = "counts and spans far below 2^52")]
    pub(super) fn facts_of(
        &self,
        now: Timestamp,
        policy: &Policy,
        abandonment: Option<(Trigger, u32, &Likely)>,
        look: Option<&Viewed>,
    ) -> Facts {
        let mut facts = self.profile.clone();
        facts.set_known(Field::CartValue, self.value(policy));
        facts.set(Field::CartItems, f64::from(self.cart.pieces()));
        facts.set(Field::CartLines, self.cart.lines().len() as f64);
        let looked = || look.and_then(|item| item.class.clone()).into_iter().collect();
        facts.set_words(Field::CartClasses, look.map_or_else(|| self.cart.classes(), |_| looked()));
        facts.set_known(Field::CartShippingGap, self.shipping_gap(policy));
        facts.set(Field::CartAge, now.since(self.born_at).max(0) as f64 / HOUR as f64);
        let session = &self.facts;
        facts.set_flag(Field::SessionMobile, session.mobile);
        facts.set_word(Field::SessionStage, session.stage.as_str());
        facts.set(Field::SessionPages, f64::from(session.pages));
        facts.set(Field::SessionProductViews, f64::from(session.product_views));
        facts.set(Field::SessionDwell, session.dwell_ms as f64 / SECOND as f64);
        facts.set(Field::SessionRemoves, f64::from(session.removes));
        facts.set(Field::SessionShippingEstimates, f64::from(session.shipping_estimates));
        facts.set(Field::SessionCouponsRefused, f64::from(session.coupons_refused));
        facts.set_flag(Field::SessionCheckoutError, self.trouble.is_some());
        if let Some((trigger, number, likely)) = abandonment {
            facts.set_word(Field::AbandonmentTrigger, trigger.as_str());
            facts.set_word(Field::AbandonmentCause, likely.cause.as_str());
            facts.set(Field::AbandonmentNumber, f64::from(number));
        }
        facts.set_known(Field::ScoreBuy, self.score.as_ref().map(|(p, _)| *p));
        facts
    }
}

fn scale(currency: Currency) -> f64 {
    match currency.exponent() {
        0 => 1.0,
        3 => 1_000.0,
        _ => 100.0,
    }
}

/// A session's facts without what is nought: they are written with every batch, and most never
/// happen. The page keeps its own in a form of its own.
pub(super) mod lean {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::SessionFacts;
    use crate::recovery::is_default;
    use crate::signal::Stage;
    use crate::time::Millis;

    #[derive(Serialize)]
    #[serde(remote = "SessionFacts")]
    struct Lean {
        #[serde(skip_serializing_if = "is_default")]
        stage: Stage,
        #[serde(skip_serializing_if = "is_default")]
        pages: u32,
        #[serde(skip_serializing_if = "is_default")]
        product_views: u32,
        #[serde(skip_serializing_if = "is_default")]
        dwell_ms: Millis,
        #[serde(skip_serializing_if = "is_default")]
        adds: u32,
        #[serde(skip_serializing_if = "is_default")]
        removes: u32,
        #[serde(skip_serializing_if = "is_default")]
        shipping_estimates: u32,
        #[serde(skip_serializing_if = "is_default")]
        coupons_refused: u32,
        #[serde(skip_serializing_if = "is_default")]
        coupons_accepted: u32,
        #[serde(skip_serializing_if = "is_default")]
        checkout_errors: u32,
        #[serde(skip_serializing_if = "is_default")]
        exit_intents: u32,
        #[serde(skip_serializing_if = "is_default")]
        mobile: bool,
    }

    pub(in crate::recovery) fn serialize<S: Serializer>(
        facts: &SessionFacts,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(transparent)]
        struct Whole<'a>(#[serde(with = "Lean")] &'a SessionFacts);
        Whole(facts).serialize(to)
    }

    pub(in crate::recovery) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<SessionFacts, D::Error> {
        SessionFacts::deserialize(from)
    }
}
