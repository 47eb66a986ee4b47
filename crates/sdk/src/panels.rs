//! A panel at its moment: what the page told of it, made into what the core decides by. Which arm of an experiment
//! a visitor has follows from the bucket that the edge handed out. Shows nothing: that is JavaScript's.

use comeback_core::experiment;
use comeback_core::onsite::{self, Moment, Panel, PanelDecision, PanelState, Rules};
use comeback_core::time::Timestamp;

use crate::facts::Facts;
use crate::number::{count, first, known, whole};

/// A panel by its name.
pub(crate) fn named(name: &str) -> Option<Panel> {
    Panel::ALL.into_iter().find(|panel| panel.as_str() == name)
}

/// The panels of a moment, in the order in which they are asked, with spaces between.
pub(crate) fn of_moment(moment: &str) -> String {
    let moment = match moment {
        "leaving" => Moment::Leaving,
        "arriving" => Moment::Arriving,
        _ => Moment::Filling,
    };
    let mut names = String::new();
    for panel in moment.panels() {
        if !names.is_empty() {
            names.push(' ');
        }
        names.push_str(panel.as_str());
    }
    names
}

/// Why a panel is held back; `None` when it is to be shown. `told`: of [`Rules`] and then of [`PanelState`] what is not
/// counted here, as numbers and truth values in the order in which they are taken below.
pub(crate) fn held(facts: &Facts, now: f64, panel: Panel, told: &[f64]) -> Option<&'static str> {
    let [
        on,
        max_buy,
        dwell_ms,
        cooldown_ms,
        again_ms,
        min_cart_minor,
        min_pages,
        open_ms,
        returning,
        in_sequence,
        may_ask_push,
        at_cart,
        shown_in_session,
        last_shown,
        last_same,
        given,
        allowed,
    ] = first(told);
    let at = |ms: f64| Timestamp::from_millis(whole(ms));
    let usual = Rules::usual(panel);
    let rules = Rules {
        on: on > 0.0,
        max_buy: known(max_buy).unwrap_or(usual.max_buy),
        dwell_ms: known(dwell_ms).map_or(usual.dwell_ms, whole),
        cooldown_ms: known(cooldown_ms).map_or(usual.cooldown_ms, whole),
        again_ms: known(again_ms).map_or(usual.again_ms, whole),
        min_cart_minor: known(min_cart_minor).map_or(usual.min_cart_minor, whole),
        min_pages: known(min_pages).map_or(usual.min_pages, count),
    };
    let state = PanelState {
        cart_minor: facts.cart_minor,
        shipping_gap_minor: facts.shipping_gap_minor(),
        buy: facts.score(now).buy,
        open_ms: whole(open_ms),
        pages: facts.session.pages,
        returning: returning > 0.0,
        in_sequence: in_sequence > 0.0,
        may_ask_push: may_ask_push > 0.0,
        at_cart: at_cart > 0.0,
        shown_in_session: shown_in_session > 0.0,
        last_shown: known(last_shown).map(at),
        last_same: known(last_same).map(at),
        given: given > 0.0,
        allowed: allowed > 0.0,
    };
    match onsite::decide(at(now), panel, &state, &rules) {
        PanelDecision::Show => None,
        PanelDecision::Hold(why) => Some(why.as_str()),
    }
}

/// Which arm a bucket gives, by the weights of all arms; none if no arm has any.
pub(crate) fn arm(shop: &str, name: &str, bucket: u16, weights: &[f64]) -> Option<i32> {
    let weights: Vec<u32> = weights.iter().map(|weight| count(*weight)).collect();
    let share = experiment::share_of(&weights, experiment::deal(shop, name, bucket))?;
    i32::try_from(share).ok()
}
