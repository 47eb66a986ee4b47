//! Which panel may show on a page, and why not: the rules, fed by a browser shell with what it
//! measured. Knows no DOM and holds no copy; the arms of experiments are [`crate::experiment`]'s.
//!
//! | moment | panels, the first that may is shown |
//! |---|---|
//! | the page is about to be left ([`Gesture`], or the score says so) | `exit`, `survey` |
//! | the edge has told how the shopper stands | `banner`, `saved_cart`, `returning` |
//! | something was put in or taken out | `shipping_progress`, then `push` |
//!
//! Those are *proactive* but for `shipping_progress`, which answers what the shopper just did: at most one of
//! them in a session, and none while the shop's or the visitor's patience is not over. *Help* answers a
//! trouble that the shopper has: it asks for nothing but that it was not given for the same already.

use serde::{Deserialize, Serialize};

use crate::cause::{self, Cause};
use crate::signal::CheckoutError;
use crate::time::{DAY, Millis, SECOND, Timestamp};

/// On-site rules of the exit panel as a shop's document gives them.
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

/// A panel, by its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Panel {
    /// The shopper is leaving with something in the cart.
    Exit,
    /// What stopped you? Asked of whoever leaves.
    Survey,
    /// The cart is part of a sequence that wrote to the shopper.
    Banner,
    /// An earlier visit left a cart.
    SavedCart,
    /// An earlier visit left none.
    Returning,
    /// How far it is to free shipping.
    ShippingProgress,
    /// May we tell you by push?
    Push,
    /// The card was declined.
    Declined,
    /// Something was sold out.
    SoldOut,
    /// A form would not take an entry.
    Validation,
    /// Shipping costs more than was thought.
    ShippingCost,
    /// What is in the cart is not to be had so any more.
    CartCheck,
}

impl Panel {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Exit,
        Self::Survey,
        Self::Banner,
        Self::SavedCart,
        Self::Returning,
        Self::ShippingProgress,
        Self::Push,
        Self::Declined,
        Self::SoldOut,
        Self::Validation,
        Self::ShippingCost,
        Self::CartCheck,
    ];

    /// Its name in policies, copy and events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Survey => "survey",
            Self::Banner => "banner",
            Self::SavedCart => "saved_cart",
            Self::Returning => "returning",
            Self::ShippingProgress => "shipping_progress",
            Self::Push => "push",
            Self::Declined => "declined",
            Self::SoldOut => "sold_out",
            Self::Validation => "validation",
            Self::ShippingCost => "shipping_cost",
            Self::CartCheck => "cart_check",
        }
    }

    /// Whether it comes of itself, and so has to share the one place in a session with its like.
    #[must_use]
    pub const fn is_proactive(self) -> bool {
        matches!(
            self,
            Self::Exit | Self::Survey | Self::Banner | Self::SavedCart | Self::Returning | Self::Push
        )
    }

    /// Whether it says something about what is in the cart. What checkout refused is helped with even where
    /// the page never told of a cart: who pays has one.
    const fn needs_cart(self) -> bool {
        !matches!(self, Self::Returning | Self::Push | Self::Declined | Self::Validation)
    }
}

/// The help against what checkout refused.
#[must_use]
pub fn help_for(error: &CheckoutError) -> Panel {
    match cause::of_refusal(error).0 {
        Cause::OutOfStock => Panel::SoldOut,
        Cause::ShippingCost => Panel::ShippingCost,
        Cause::DeclinedCard => Panel::Declined,
        _ => Panel::Validation,
    }
}

/// Shipping from this share of the goods' value is a shock, where more goods would make it free.
const SHOCK: (i64, i64) = (1, 10);

/// Whether a price of shipping drives people away: both in minor units of one currency.
#[must_use]
pub fn is_shock(shipping_minor: i64, cart_minor: i64) -> bool {
    let (part, of) = SHOCK;
    cart_minor > 0 && shipping_minor.saturating_mul(of) >= cart_minor.saturating_mul(part)
}

/// When panels are considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A gesture of leaving.
    Leaving,
    /// The edge has told how the shopper stands.
    Arriving,
    /// The cart changed.
    Filling,
}

impl Moment {
    /// The panels that are asked, in their order.
    #[must_use]
    pub const fn panels(self) -> &'static [Panel] {
        match self {
            Self::Leaving => &[Panel::Exit, Panel::Survey],
            Self::Arriving => &[Panel::Banner, Panel::SavedCart, Panel::Returning],
            Self::Filling => &[Panel::ShippingProgress, Panel::Push],
        }
    }
}

/// What may be a gesture of leaving, as a shell measured it. A mouse leaves by the top edge; a phone has none
/// that could leave, so there four other signs are read. `engaged` says that the shopper was busy with something:
/// a button was down, a form field had the focus or a native menu was open, two fingers were on the glass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gesture {
    /// The pointer left the viewport.
    Pointer {
        /// It left by the top edge.
        top: bool,
        /// Upward speed over the last moves, CSS pixels per second.
        velocity_px_s: f64,
        /// See above.
        engaged: bool,
    },
    /// A finger threw the page back up, towards the address bar.
    ScrollUp {
        /// How far, CSS pixels.
        distance_px: f64,
        /// Mean speed over that way, CSS pixels per second.
        velocity_px_s: f64,
        /// See above.
        engaged: bool,
    },
    /// The page was out of sight for so long and is looked at again.
    Return(Millis),
    /// The shopper went back in the history of the shop.
    Back,
    /// The page was in sight and nothing was touched for so long.
    Idle(Millis),
}

/// What is thrown up less far is reading; a quarter of a small phone's height.
const MIN_SCROLL_PX: f64 = 200.0;
/// Who was away longer than this comes back to the shop; that is not this visit's leaving any more.
const MAX_AWAY: Millis = 30 * crate::time::MINUTE;

impl Gesture {
    /// Its name in events.
    #[must_use]
    pub const fn trigger(self) -> &'static str {
        match self {
            Self::Pointer { .. } => "pointer_top",
            Self::ScrollUp { .. } => "scroll_up",
            Self::Return(_) => "tab_return",
            Self::Back => "back",
            Self::Idle(_) => "idle",
        }
    }

    /// Whether the shopper made it, which counts in the score. To be away or still is told otherwise.
    #[must_use]
    pub const fn is_act(self) -> bool {
        !matches!(self, Self::Return(_) | Self::Idle(_))
    }

    /// Whether it is a gesture of leaving, by these thresholds. What a phone's signs are is no sign with a mouse:
    /// tabs are switched and histories walked there for many other reasons.
    #[must_use]
    pub fn is_leave(self, rules: &LeaveRules, mobile: bool) -> bool {
        match self {
            Self::Pointer { top, velocity_px_s, engaged } => {
                top && !engaged && velocity_px_s >= rules.min_velocity_px_s
            }
            Self::ScrollUp { distance_px, velocity_px_s, engaged } => {
                mobile && !engaged && distance_px >= MIN_SCROLL_PX && velocity_px_s >= rules.min_scroll_px_s
            }
            Self::Return(ms) => mobile && ms >= rules.away_ms && ms <= MAX_AWAY,
            Self::Back => mobile,
            Self::Idle(ms) => mobile && ms >= rules.idle_ms,
        }
    }
}

/// From when a gesture is one of leaving, and from when none is waited for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeaveRules {
    /// A pointer that leaves more slowly does not leave, CSS pixels per second.
    pub min_velocity_px_s: f64,
    /// A page that is thrown up more slowly is read, CSS pixels per second.
    pub min_scroll_px_s: f64,
    /// On a phone: out of sight at least this long.
    pub away_ms: Millis,
    /// On a phone: nothing touched for at least this long.
    pub idle_ms: Millis,
    /// A session at most this likely to buy is about to be left, whatever the shopper does. NaN: wait for a gesture.
    pub act_below: f64,
}

impl Default for LeaveRules {
    fn default() -> Self {
        Self {
            min_velocity_px_s: ExitRules::default().min_velocity_px_s,
            min_scroll_px_s: 1_500.0,
            away_ms: 5 * SECOND,
            idle_ms: 30 * SECOND,
            act_below: f64::NAN,
        }
    }
}

impl LeaveRules {
    /// Whether somebody this likely to buy is about to leave.
    #[must_use]
    pub fn foresees(&self, buy: f64) -> bool {
        buy <= self.act_below
    }
}

/// The rules of one panel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// The shop has words for it, and did not switch it off.
    pub on: bool,
    /// No panel for a session more likely than this to buy without help.
    pub max_buy: f64,
    /// The page must have been open this long.
    pub dwell_ms: Millis,
    /// Not within this span after any proactive panel.
    pub cooldown_ms: Millis,
    /// Not within this span after the same panel.
    pub again_ms: Millis,
    /// The cart must be worth this, minor units of its currency.
    pub min_cart_minor: i64,
    /// So many pages must have been looked at in this session.
    pub min_pages: u32,
}

impl Rules {
    /// What holds where neither policy nor document says otherwise.
    #[must_use]
    pub fn usual(panel: Panel) -> Self {
        let exit = ExitRules::default();
        let (max_buy, dwell_ms, again_ms, min_pages) = match panel {
            Panel::Exit => (exit.max_buy, exit.dwell_ms, 0, 0),
            // Asked rarely: an answer a month is an answer, two are a nuisance.
            Panel::Survey => (exit.max_buy, exit.dwell_ms, 30 * DAY, 0),
            // Never on arrival: only of somebody who has looked around and put something in.
            Panel::Push => (1.0, 10 * SECOND, 90 * DAY, 3),
            _ => (1.0, 0, 0, 0),
        };
        Self {
            on: false,
            max_buy,
            dwell_ms,
            cooldown_ms: exit.cooldown_s * SECOND,
            again_ms,
            min_cart_minor: 0,
            min_pages,
        }
    }
}

/// What a decision depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PanelState {
    /// What is in the cart, minor units of its currency; `None` if nothing.
    pub cart_minor: Option<i64>,
    /// What is missing to free shipping, in the same; `None` if that is not known or reached.
    pub shipping_gap_minor: Option<i64>,
    /// Probability of buying without help.
    pub buy: f64,
    /// Time since the page was opened.
    pub open_ms: Millis,
    /// Pages looked at in this session.
    pub pages: u32,
    /// There was an earlier visit.
    pub returning: bool,
    /// The cart is part of a sequence that its shopper came back from.
    pub in_sequence: bool,
    /// The browser could be asked for push and was not yet.
    pub may_ask_push: bool,
    /// This is the page of the cart.
    pub at_cart: bool,
    /// A proactive panel was shown in this session.
    pub shown_in_session: bool,
    /// When a proactive panel was last shown in this browser.
    pub last_shown: Option<Timestamp>,
    /// When this one was.
    pub last_same: Option<Timestamp>,
    /// This help was given for the same trouble in this session, or this panel was closed.
    pub given: bool,
    /// The edge allows panels for this visitor.
    pub allowed: bool,
}

/// Whether a panel shows.
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
    /// The shop has no words for it, or switched it off.
    Off,
    /// The edge said no, or has not said anything yet.
    NotAllowed,
    /// There is nothing in the cart, or less than it asks for.
    EmptyCart,
    /// There is a cart, which another panel speaks of.
    HasCart,
    /// It is a first visit.
    FirstVisit,
    /// The cart is part of no sequence.
    NoSequence,
    /// The cart is before the shopper's eyes.
    AtCart,
    /// Shipping is free already, or never.
    NothingMissing,
    /// The browser was asked for push, or cannot be.
    NotAskable,
    /// Shown or closed before in this session, for the same.
    Given,
    /// One proactive panel per session.
    AlreadyShown,
    /// Shown not long ago.
    CoolingDown,
    /// The page was just opened, or too few were looked at.
    TooEarly,
    /// The shopper will likely buy anyway.
    LikelyToBuy,
}

impl Hold {
    /// The word used in events and the debug view.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::NotAllowed => "not_allowed",
            Self::EmptyCart => "empty_cart",
            Self::HasCart => "has_cart",
            Self::FirstVisit => "first_visit",
            Self::NoSequence => "no_sequence",
            Self::AtCart => "at_cart",
            Self::NothingMissing => "nothing_missing",
            Self::NotAskable => "not_askable",
            Self::Given => "given",
            Self::AlreadyShown => "already_shown",
            Self::CoolingDown => "cooling_down",
            Self::TooEarly => "too_early",
            Self::LikelyToBuy => "likely_to_buy",
        }
    }
}

/// Decides on a panel at its moment.
#[must_use]
pub fn decide(now: Timestamp, panel: Panel, state: &PanelState, rules: &Rules) -> PanelDecision {
    let within = |then: Option<Timestamp>, span: Millis| then.is_some_and(|t| now.since(t) < span);
    let proactive = panel.is_proactive();
    let held = if !rules.on {
        Hold::Off
    } else if proactive && !state.allowed {
        Hold::NotAllowed
    } else if panel.needs_cart() && state.cart_minor.is_none_or(|minor| minor < rules.min_cart_minor) {
        Hold::EmptyCart
    } else if panel == Panel::Returning && state.cart_minor.is_some() {
        Hold::HasCart
    } else if matches!(panel, Panel::Returning | Panel::SavedCart) && !state.returning {
        Hold::FirstVisit
    } else if panel == Panel::Banner && !state.in_sequence {
        Hold::NoSequence
    } else if matches!(panel, Panel::Banner | Panel::SavedCart) && state.at_cart {
        Hold::AtCart
    } else if panel == Panel::ShippingProgress && state.shipping_gap_minor.is_none() {
        Hold::NothingMissing
    } else if panel == Panel::Push && !state.may_ask_push {
        Hold::NotAskable
    } else if state.given {
        Hold::Given
    } else if proactive && state.shown_in_session {
        Hold::AlreadyShown
    } else if (proactive && within(state.last_shown, rules.cooldown_ms))
        || within(state.last_same, rules.again_ms)
    {
        Hold::CoolingDown
    } else if state.open_ms < rules.dwell_ms || state.pages < rules.min_pages {
        Hold::TooEarly
    } else if state.buy > rules.max_buy {
        Hold::LikelyToBuy
    } else {
        return PanelDecision::Show;
    };
    PanelDecision::Hold(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: PanelState = PanelState {
        cart_minor: Some(2_000),
        shipping_gap_minor: Some(500),
        buy: 0.2,
        open_ms: 60_000,
        pages: 5,
        returning: true,
        in_sequence: true,
        may_ask_push: true,
        at_cart: false,
        shown_in_session: false,
        last_shown: None,
        last_same: None,
        given: false,
        allowed: true,
    };

    fn now() -> Timestamp {
        Timestamp::from_millis(100 * DAY)
    }

    fn on(panel: Panel) -> Rules {
        Rules { on: true, ..Rules::usual(panel) }
    }

    #[test]
    fn only_a_fast_exit_by_the_top_of_somebody_idle_is_a_leave() {
        let rules = LeaveRules::default();
        let pointer = |top, velocity_px_s, engaged| {
            Gesture::Pointer { top, velocity_px_s, engaged }.is_leave(&rules, false)
        };
        assert!(pointer(true, 900.0, false));
        assert!(!pointer(false, 900.0, false) && !pointer(true, 900.0, true) && !pointer(true, 20.0, false));
    }

    #[test]
    fn a_phone_has_its_own_signs_and_a_mouse_has_none_of_them() {
        let rules = LeaveRules::default();
        let up =
            |distance_px, velocity_px_s, engaged| Gesture::ScrollUp { distance_px, velocity_px_s, engaged };
        let leaves =
            [up(600.0, 2_000.0, false), Gesture::Return(8_000), Gesture::Back, Gesture::Idle(30_000)];
        for gesture in leaves {
            assert!(gesture.is_leave(&rules, true), "{gesture:?}");
            assert!(!gesture.is_leave(&rules, false), "{gesture:?}");
        }
        let none = [
            up(600.0, 900.0, false),
            up(100.0, 2_000.0, false),
            up(600.0, 2_000.0, true),
            Gesture::Return(1_000),
            Gesture::Return(MAX_AWAY + 1),
            Gesture::Idle(10_000),
        ];
        for gesture in none {
            assert!(!gesture.is_leave(&rules, true), "{gesture:?}");
        }
    }

    #[test]
    fn a_low_score_is_a_leave_only_where_the_policy_names_how_low() {
        assert!(!LeaveRules::default().foresees(0.0));
        let rules = LeaveRules { act_below: 0.2, ..LeaveRules::default() };
        assert!(rules.foresees(0.2) && !rules.foresees(0.21));
    }

    #[test]
    fn each_panel_shows_and_each_reason_to_hold_is_reached() {
        for panel in Panel::ALL {
            let state = PanelState { cart_minor: (panel != Panel::Returning).then_some(2_000), ..READY };
            assert_eq!(decide(now(), panel, &state, &on(panel)), PanelDecision::Show, "{panel:?}");
            let off = Rules { on: false, ..on(panel) };
            assert_eq!(decide(now(), panel, &state, &off), PanelDecision::Hold(Hold::Off), "{panel:?}");
        }
        let shown = Some(now().plus(-SECOND));
        let cases = [
            (Panel::Exit, PanelState { allowed: false, ..READY }, Hold::NotAllowed),
            (Panel::Exit, PanelState { cart_minor: None, ..READY }, Hold::EmptyCart),
            (Panel::Returning, READY, Hold::HasCart),
            (Panel::SavedCart, PanelState { returning: false, ..READY }, Hold::FirstVisit),
            (Panel::Banner, PanelState { in_sequence: false, ..READY }, Hold::NoSequence),
            (Panel::ShippingProgress, PanelState { shipping_gap_minor: None, ..READY }, Hold::NothingMissing),
            (Panel::SavedCart, PanelState { at_cart: true, ..READY }, Hold::AtCart),
            (Panel::Push, PanelState { may_ask_push: false, ..READY }, Hold::NotAskable),
            (Panel::Declined, PanelState { given: true, ..READY }, Hold::Given),
            (Panel::Exit, PanelState { shown_in_session: true, ..READY }, Hold::AlreadyShown),
            (Panel::Exit, PanelState { last_shown: shown, ..READY }, Hold::CoolingDown),
            (Panel::Survey, PanelState { last_same: shown, ..READY }, Hold::CoolingDown),
            (Panel::Exit, PanelState { open_ms: 100, ..READY }, Hold::TooEarly),
            (Panel::Push, PanelState { pages: 1, ..READY }, Hold::TooEarly),
            (Panel::Exit, PanelState { buy: 0.9, ..READY }, Hold::LikelyToBuy),
        ];
        for (panel, state, why) in cases {
            assert_eq!(decide(now(), panel, &state, &on(panel)), PanelDecision::Hold(why), "{panel:?}");
        }
        let dear = Rules { min_cart_minor: 5_000, ..on(Panel::Exit) };
        assert_eq!(decide(now(), Panel::Exit, &READY, &dear), PanelDecision::Hold(Hold::EmptyCart));
    }

    #[test]
    fn help_is_not_kept_back_by_what_came_of_itself() {
        let annoyed = PanelState {
            shown_in_session: true,
            last_shown: Some(now()),
            allowed: false,
            buy: 0.99,
            open_ms: 0,
            pages: 0,
            ..READY
        };
        for panel in Panel::ALL.into_iter().filter(|p| !p.is_proactive()) {
            assert_eq!(decide(now(), panel, &annoyed, &on(panel)), PanelDecision::Show, "{panel:?}");
        }
    }

    #[test]
    fn a_refusal_gets_the_help_of_its_cause() {
        let error = |step: &str, code: &str| CheckoutError {
            step: step.to_owned(),
            code: code.to_owned(),
            method: String::new(),
        };
        for (step, code, panel) in [
            ("payment", "card_declined", Panel::Declined),
            ("payment", "DO_NOT_HONOR", Panel::Declined),
            ("payment", "card_number_missing", Panel::Validation),
            ("payment", "validation_payment", Panel::Validation),
            ("payment", "out_of_stock", Panel::SoldOut),
            ("shipping", "postcode_invalid", Panel::Validation),
            ("shipping", "no_shipping_rates", Panel::ShippingCost),
            ("contact", "something_else", Panel::Validation),
        ] {
            assert_eq!(help_for(&error(step, code)), panel, "{step} {code}");
        }
    }

    #[test]
    fn shipping_is_a_shock_from_a_tenth_of_the_goods() {
        assert!(is_shock(590, 5_900) && is_shock(590, 2_400));
        assert!(!is_shock(590, 6_000) && !is_shock(590, 0));
    }
}
