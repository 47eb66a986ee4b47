//! Panels at their moments: what the core is told of the page, and what it says. Which arm of an experiment
//! a visitor has follows from the bucket that the edge handed out. Shows nothing: that is JavaScript's.

use comeback_core::experiment;
use comeback_core::onsite::{self, Hold, Moment, Panel, PanelDecision, PanelState, Rules};
use comeback_core::time::Timestamp;
use js_sys::{Array, Object};
use wasm_bindgen::{JsCast, JsValue};

use crate::dedupe::Source;
use crate::ga4;
use crate::memory;
use crate::reflect::{flag, get, number, set, set_text, text};
use crate::state::State;

/// What became of a panel.
pub(crate) enum Verdict {
    /// It is to be shown, with what JavaScript must know: `{experiment, arm}`.
    Show(Object),
    /// It would have been shown; its arm shows nothing.
    Withheld,
    /// It is not shown, because of this.
    Held(Hold),
}

impl State {
    /// Whether the edge has just told, for the first time on this page, how the shopper stands. A page that a
    /// resume link led to has its own greeting.
    pub(crate) fn is_arriving(&mut self) -> bool {
        let first = self.allowed && !self.arrived;
        self.arrived |= first;
        first
    }

    /// Asks for the panels of a moment in their order, up to the first whose time has come.
    pub(crate) fn moment(&mut self, now: f64, moment: Moment) -> Vec<(Panel, Verdict)> {
        memory::sync_cart(self);
        let mut told = Vec::new();
        for panel in moment.panels() {
            let verdict = self.consider(now, *panel, "");
            let over = !matches!(verdict, Verdict::Held(_));
            told.push((*panel, verdict));
            if over {
                break;
            }
        }
        told
    }

    /// Decides on one panel. `about` tells one trouble from another: help is given once for each.
    pub(crate) fn consider(&mut self, now: f64, panel: Panel, about: &str) -> Verdict {
        let words = get(&self.config.panels, panel.as_str());
        let arm = self.arm(panel, &words);
        let rules = self.rules(panel, &words, arm.as_ref().map(|(_, arm)| arm));
        let at = |ms: f64| Timestamp::from_millis(ga4::whole(ms));
        let mut key = panel.as_str().to_owned();
        key.push(':');
        key.push_str(about);
        let state = PanelState {
            cart_minor: (!self.cart.is_empty()).then(|| self.cart.total().minor),
            shipping_gap_minor: self.shipping_gap_minor(),
            buy: crate::live::score(self, now).buy,
            open_ms: ga4::whole(now - self.opened),
            pages: self.facts.pages,
            returning: self.returning,
            in_sequence: self.in_sequence,
            may_ask_push: self.place.may_ask_push,
            at_cart: self.place.at_cart,
            shown_in_session: self.shown_in_session,
            last_shown: self.last_shown.map(at),
            last_same: number(&self.shown, panel.as_str()).map(at),
            given: self.helped.split_terminator('\n').any(|given| given == key),
            allowed: self.allowed,
        };
        if let PanelDecision::Hold(why) = onsite::decide(at(now), panel, &state, &rules) {
            return Verdict::Held(why);
        }
        if panel.is_proactive() {
            self.shown_in_session = true;
            self.last_shown = Some(now);
        } else if !matches!(panel, Panel::ShippingProgress | Panel::CartCheck) {
            // Those two speak of the cart as it is, which changes; they stay away once closed.
            self.give(&key);
        }
        set(&self.shown, panel.as_str(), &JsValue::from_f64(now));
        let detail = Object::new();
        let mut silent = false;
        if let Some((experiment, arm)) = &arm {
            silent = flag(arm, "silent").unwrap_or(false);
            set_text(&detail, "experiment", Some(experiment));
            set(&detail, "arm", arm);
        }
        if silent {
            let data = Object::new();
            set_text(&data, "panel", Some(panel.as_str()));
            if let Some((experiment, arm)) = &arm {
                set_text(&data, "experiment", Some(experiment));
                set_text(&data, "arm", text(arm, "name").as_deref());
            }
            self.capture(Source::Own, now, "panel_withheld", &data);
            return Verdict::Withheld;
        }
        memory::remember(self);
        Verdict::Show(detail)
    }

    /// A panel was closed, or help given: not again in this session.
    pub(crate) fn give(&mut self, key: &str) {
        self.helped.push_str(key);
        self.helped.push('\n');
    }

    /// What is missing to free shipping, in minor units of the cart's currency, which must be the shop's.
    pub(crate) fn shipping_gap_minor(&self) -> Option<i64> {
        let from = self.config.free_from_minor.filter(|_| self.cart.currency == self.config.currency)?;
        let gap = from - self.cart.total().minor;
        (gap > 0 && !self.cart.is_empty()).then_some(gap)
    }

    /// The experiment on a panel and this visitor's arm: the one that they were exposed to, else what the
    /// bucket gives. Without a bucket there is no object that could record it, and so no experiment.
    fn arm(&self, panel: Panel, words: &JsValue) -> Option<(String, JsValue)> {
        let experiment = get(words, "experiment");
        let name = text(&experiment, "name").filter(|_| panel != Panel::CartCheck)?;
        let arms = get(&experiment, "arms");
        let arms: &Array = Array::is_array(&arms).then(|| arms.unchecked_ref())?;
        let held = text(&self.arms, &name);
        let found = held.and_then(|held| arms.iter().find(|arm| text(arm, "name").as_ref() == Some(&held)));
        let arm = found.or_else(|| {
            let dealt = experiment::deal(&self.config.shop, &name, self.bucket?);
            let mut weights = Vec::new();
            for n in 0..arms.length() {
                weights.push(number(&arms.get(n), "weight").map_or(0, whole_weight));
            }
            let share = experiment::share_of(&weights, dealt)?;
            u32::try_from(share).ok().map(|share| arms.get(share))
        })?;
        Some((name, arm))
    }

    fn rules(&self, panel: Panel, words: &JsValue, arm: Option<&JsValue>) -> Rules {
        let mut told = get(words, "rules");
        if panel == Panel::Exit && !told.is_object() {
            // An edge that is older than this module tells the rules of this one panel elsewhere.
            told = self.config.exit.clone();
        }
        let usual = Rules::usual(panel);
        #[expect(clippy::cast_precision_loss, reason = "spans of days and sums of carts")]
        let mut values = [
            usual.max_buy,
            usual.dwell_ms as f64,
            usual.cooldown_ms as f64,
            usual.again_ms as f64,
            usual.min_cart_minor as f64,
            f64::from(usual.min_pages),
        ];
        // One loop, not a line each: the page pays for lines.
        let keys = ["max_buy", "dwell_ms", "cooldown_ms", "again_ms", "min_cart_minor", "min_pages"];
        for (value, key) in values.iter_mut().zip(keys) {
            let found = arm.and_then(|arm| number(arm, key)).or_else(|| number(&told, key));
            *value = found.unwrap_or(*value);
        }
        let [max_buy, dwell_ms, cooldown_ms, again_ms, min_cart_minor, min_pages] = values;
        Rules {
            on: words.is_object() && flag(words, "enabled") != Some(false),
            max_buy,
            dwell_ms: ga4::whole(dwell_ms),
            cooldown_ms: ga4::whole(cooldown_ms),
            again_ms: ga4::whole(again_ms),
            min_cart_minor: ga4::whole(min_cart_minor),
            min_pages: whole_weight(min_pages),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn whole_weight(value: f64) -> u32 {
    value as u32
}
