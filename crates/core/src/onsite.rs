//! Whether a panel may show on a page: the rule, fed by gestures that a browser shell measures.
//! Knows no DOM and holds no copy.

use serde::{Deserialize, Serialize};

use crate::time::{Millis, SECOND, Timestamp};

/// On-site rules, delivered with the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExitRules {
    /// No panel for a session more likely than this to buy without help.
    pub max_buy: f64,
    /// The page must have been open this long.
    pub dwell_ms: Millis,
    /// The pointer must leave at least this fast, in CSS pixels per second.
    pub min_velocity_px_s: f64,
    /// No second panel within this span.
    pub cooldown_s: i64,
}

impl Default for ExitRules {
    fn default() -> Self {
        Self { max_buy: 0.6, dwell_ms: 3_000, min_velocity_px_s: 300.0, cooldown_s: 86_400 }
    }
}

/// A pointer leaving the viewport, as measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointerExit {
    /// It left by the top edge.
    pub top: bool,
    /// Upward speed over the last moves, CSS pixels per second.
    pub velocity_px_s: f64,
    /// A button was down, a form field was focused or a native menu was open: not a leave.
    pub engaged: bool,
}

/// What a panel decision depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PanelState {
    /// Something is in the cart.
    pub has_cart: bool,
    /// Probability of buying without help.
    pub buy: f64,
    /// Time since the page was opened.
    pub open_ms: Millis,
    /// A panel was shown in this session.
    pub shown_in_session: bool,
    /// When a panel was last shown in this browser.
    pub last_shown: Option<Timestamp>,
    /// The edge allows panels for this visitor.
    pub allowed: bool,
}

/// Why an exit panel does or does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanelDecision {
    /// Show it.
    Show,
    /// Do not, because of this.
    Hold(Hold),
}

/// Reasons to hold a panel back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// The gesture was not a leave: wrong edge, too slow, or the shopper was busy.
    NotALeave,
    /// There is nothing to save.
    EmptyCart,
    /// The page was just opened.
    TooEarly,
    /// The shopper will likely buy anyway.
    LikelyToBuy,
    /// One panel per session.
    AlreadyShown,
    /// Shown not long ago.
    CoolingDown,
    /// The edge said no.
    NotAllowed,
}

impl Hold {
    /// The word used in events and the debug view.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotALeave => "not_a_leave",
            Self::EmptyCart => "empty_cart",
            Self::TooEarly => "too_early",
            Self::LikelyToBuy => "likely_to_buy",
            Self::AlreadyShown => "already_shown",
            Self::CoolingDown => "cooling_down",
            Self::NotAllowed => "not_allowed",
        }
    }
}

/// Decides on an exit panel.
#[must_use]
pub fn exit_panel(now: Timestamp, exit: PointerExit, state: PanelState, rules: &ExitRules) -> PanelDecision {
    use PanelDecision::{Hold as Held, Show};
    if !exit.top || exit.engaged || exit.velocity_px_s < rules.min_velocity_px_s {
        Held(Hold::NotALeave)
    } else if !state.allowed {
        Held(Hold::NotAllowed)
    } else if !state.has_cart {
        Held(Hold::EmptyCart)
    } else if state.shown_in_session {
        Held(Hold::AlreadyShown)
    } else if state.last_shown.is_some_and(|t| now.since(t) < rules.cooldown_s.saturating_mul(SECOND)) {
        Held(Hold::CoolingDown)
    } else if state.open_ms < rules.dwell_ms {
        Held(Hold::TooEarly)
    } else if state.buy > rules.max_buy {
        Held(Hold::LikelyToBuy)
    } else {
        Show
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAVE: PointerExit = PointerExit { top: true, velocity_px_s: 900.0, engaged: false };
    const READY: PanelState = PanelState {
        has_cart: true,
        buy: 0.2,
        open_ms: 10_000,
        shown_in_session: false,
        last_shown: None,
        allowed: true,
    };

    #[test]
    fn each_reason_to_hold_is_reached() {
        let now = Timestamp::from_millis(1_000_000_000);
        let rules = ExitRules::default();
        let cases = [
            (LEAVE, READY, PanelDecision::Show),
            (PointerExit { top: false, ..LEAVE }, READY, PanelDecision::Hold(Hold::NotALeave)),
            (PointerExit { engaged: true, ..LEAVE }, READY, PanelDecision::Hold(Hold::NotALeave)),
            (PointerExit { velocity_px_s: 20.0, ..LEAVE }, READY, PanelDecision::Hold(Hold::NotALeave)),
            (LEAVE, PanelState { has_cart: false, ..READY }, PanelDecision::Hold(Hold::EmptyCart)),
            (LEAVE, PanelState { open_ms: 100, ..READY }, PanelDecision::Hold(Hold::TooEarly)),
            (LEAVE, PanelState { buy: 0.9, ..READY }, PanelDecision::Hold(Hold::LikelyToBuy)),
            (LEAVE, PanelState { shown_in_session: true, ..READY }, PanelDecision::Hold(Hold::AlreadyShown)),
            (
                LEAVE,
                PanelState { last_shown: Some(now.plus(-SECOND)), ..READY },
                PanelDecision::Hold(Hold::CoolingDown),
            ),
            (LEAVE, PanelState { allowed: false, ..READY }, PanelDecision::Hold(Hold::NotAllowed)),
        ];
        for (exit, state, expect) in cases {
            assert_eq!(exit_panel(now, exit, state, &rules), expect);
        }
    }
}
