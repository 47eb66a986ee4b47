//! A compiled policy: what the gate and the recovery obey. Written as TOML elsewhere
//! (comeback-policy parses and checks it); here it can no longer be malformed.

use serde::{Deserialize, Serialize};

use crate::consent::Channel;
use crate::time::{DAY, MINUTE, Millis, QuietHours};

/// A whole policy. `version` is the hash of its canonical form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Short name, `classic`.
    pub name: String,
    /// Hash of the canonical form; every decision names it.
    pub version: String,
    /// For whom it is.
    pub description: String,
    /// Idle time after which a filled cart counts as abandoned.
    pub idle_ms: Millis,
    /// Named conditions, usable in other conditions.
    pub segments: Vec<Segment>,
    /// Offers that steps may carry.
    pub offers: Vec<Offer>,
    /// Sequences; the first whose audience matches is followed.
    pub sequences: Vec<Sequence>,
    /// Frequency caps.
    pub caps: Caps,
    /// When nobody is written to, in the recipient's local time.
    pub quiet_hours: Option<QuietHours>,
    /// Zone for people whose zone is unknown.
    pub default_zone: String,
    /// Percent of persons who are never contacted, so that the effect can be known.
    pub holdout_percent: u8,
    /// A paid order this long after a click counts as recovered.
    pub attribution_click_ms: Millis,
    /// How long a resume link lives.
    pub link_ttl_ms: Millis,
    /// How long a cart is kept after its last sign of life.
    pub cart_retention_ms: Millis,
}

/// Caps over all channels, carts and merged identities of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// Messages in any 24 hours.
    pub day: u32,
    /// Messages in any 7 days.
    pub week: u32,
    /// Text messages per abandonment.
    pub sms_per_abandonment: u32,
    /// An address that only a browser vouched for gets one recovery in this span.
    pub unverified_ms: Millis,
}

impl Default for Caps {
    fn default() -> Self {
        Self { day: 1, week: 3, sms_per_abandonment: 1, unverified_ms: 30 * DAY }
    }
}

/// A named condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// When a person and cart belong to it.
    pub when: Expr,
}

/// Something given to bring a cart back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// Its name, bound into the link as `ofr`.
    pub name: String,
    /// Percent off.
    pub percent: u8,
    /// How long it is honoured.
    pub valid_ms: Millis,
    /// To whom it may go.
    pub when: Option<Expr>,
}

/// A planned series of contacts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sequence {
    /// Its name.
    pub name: String,
    /// For whom; `None` is everyone.
    pub audience: Option<Expr>,
    /// In the order of `at_ms`.
    pub steps: Vec<Step>,
}

/// One planned contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// When, counted from the abandonment.
    pub at_ms: Millis,
    /// Channels in order of preference; the first that consent and capability allow is used.
    pub channels: Vec<Channel>,
    /// Template of the message.
    pub template: String,
    /// Offer it may carry.
    pub offer: Option<String>,
}

/// Shortest idle time a policy may set; below it, every page load would be an abandonment.
pub const MIN_IDLE: Millis = 5_000;
/// Idle time by default.
pub const DEFAULT_IDLE: Millis = 15 * MINUTE;
/// Resume link lifetime by default.
pub const DEFAULT_LINK_TTL: Millis = 14 * DAY;
/// Cart retention by default.
pub const DEFAULT_RETENTION: Millis = 90 * DAY;
/// Attribution window after a click by default.
pub const DEFAULT_ATTRIBUTION: Millis = 5 * DAY;

impl Policy {
    /// A sequence by name.
    #[must_use]
    pub fn sequence(&self, name: &str) -> Option<&Sequence> {
        self.sequences.iter().find(|s| s.name == name)
    }

    /// The sequence that a cart and person follow: the first whose audience matches.
    #[must_use]
    pub fn sequence_for(&self, facts: &Facts) -> Option<&Sequence> {
        self.sequences.iter().find(|s| s.audience.as_ref().is_none_or(|e| self.holds(e, facts)))
    }

    /// An offer by name.
    #[must_use]
    pub fn offer(&self, name: &str) -> Option<&Offer> {
        self.offers.iter().find(|o| o.name == name)
    }

    /// Whether a condition holds. A comparison with something unknown does not hold.
    #[must_use]
    pub fn holds(&self, expr: &Expr, facts: &Facts) -> bool {
        self.eval(expr, facts, 0)
    }

    fn eval(&self, expr: &Expr, facts: &Facts, depth: u8) -> bool {
        // The parser refuses deep nesting and segment cycles; a bound here keeps a policy that was
        // stored by another version from overflowing the stack.
        if depth > 64 {
            return false;
        }
        match expr {
            Expr::And(all) => all.iter().all(|e| self.eval(e, facts, depth + 1)),
            Expr::Or(any) => any.iter().any(|e| self.eval(e, facts, depth + 1)),
            Expr::Not(inner) => !self.eval(inner, facts, depth + 1),
            Expr::Segment(name) => self
                .segments
                .iter()
                .find(|s| s.name == *name)
                .is_some_and(|s| self.eval(&s.when, facts, depth + 1)),
            Expr::Compare { field, op, value } => {
                facts.get(*field).is_some_and(|held| op.holds(held, *value))
            }
        }
    }
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// All of them.
    And(Vec<Expr>),
    /// Any of them.
    Or(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// A named segment.
    Segment(String),
    /// A field against a number; a flag is 1 or 0.
    Compare {
        /// Which field.
        field: Field,
        /// How.
        op: Op,
        /// Against what.
        value: f64,
    },
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `==`
    Eq,
    /// `!=`
    Ne,
}

impl Op {
    fn holds(self, a: f64, b: f64) -> bool {
        #[expect(clippy::float_cmp, reason = "the policy's author wrote ==")]
        match self {
            Self::Lt => a < b,
            Self::Le => a <= b,
            Self::Gt => a > b,
            Self::Ge => a >= b,
            Self::Eq => a == b,
            Self::Ne => a != b,
        }
    }
}

/// What a condition may ask about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// `cart.value`: major units of the shop's currency.
    CartValue,
    /// `cart.items`: pieces.
    CartItems,
    /// `cart.margin`: share of the value, 0..1; unknown without unit costs.
    CartMargin,
    /// `person.orders`: orders ever.
    PersonOrders,
    /// `person.lifetime_value`: major units.
    PersonLifetimeValue,
    /// `person.offers_90d`: offers received in 90 days.
    PersonOffers90d,
    /// `session.mobile`: a flag.
    SessionMobile,
    /// `session.checkout_error`: a flag.
    SessionCheckoutError,
    /// `score.buy`: probability of buying without help, 0..1.
    ScoreBuy,
}

impl Field {
    /// Every field with the name it has in a policy text.
    pub const ALL: [(&'static str, Self); 9] = [
        ("cart.value", Self::CartValue),
        ("cart.items", Self::CartItems),
        ("cart.margin", Self::CartMargin),
        ("person.orders", Self::PersonOrders),
        ("person.lifetime_value", Self::PersonLifetimeValue),
        ("person.offers_90d", Self::PersonOffers90d),
        ("session.mobile", Self::SessionMobile),
        ("session.checkout_error", Self::SessionCheckoutError),
        ("score.buy", Self::ScoreBuy),
    ];
}

/// What is known of a cart and its person when a condition is asked. `None` is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// See [`Field::CartValue`].
    pub cart_value: Option<f64>,
    /// See [`Field::CartItems`].
    pub cart_items: Option<f64>,
    /// See [`Field::CartMargin`].
    pub cart_margin: Option<f64>,
    /// See [`Field::PersonOrders`].
    pub person_orders: Option<f64>,
    /// See [`Field::PersonLifetimeValue`].
    pub person_lifetime_value: Option<f64>,
    /// See [`Field::PersonOffers90d`].
    pub person_offers_90d: Option<f64>,
    /// See [`Field::SessionMobile`].
    pub session_mobile: Option<f64>,
    /// See [`Field::SessionCheckoutError`].
    pub session_checkout_error: Option<f64>,
    /// See [`Field::ScoreBuy`].
    pub score_buy: Option<f64>,
}

impl Facts {
    fn get(&self, field: Field) -> Option<f64> {
        match field {
            Field::CartValue => self.cart_value,
            Field::CartItems => self.cart_items,
            Field::CartMargin => self.cart_margin,
            Field::PersonOrders => self.person_orders,
            Field::PersonLifetimeValue => self.person_lifetime_value,
            Field::PersonOffers90d => self.person_offers_90d,
            Field::SessionMobile => self.session_mobile,
            Field::SessionCheckoutError => self.session_checkout_error,
            Field::ScoreBuy => self.score_buy,
        }
    }
}
