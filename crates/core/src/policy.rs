//! A compiled policy: what the gate and the recovery obey. Written as TOML elsewhere
//! (comeback-policy parses and checks it); here it can no longer be malformed.
//!
//! A key that a policy does not use is not written in its canonical form, so a policy keeps its
//! version when the language grows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::consent::{Channel, Source};
use crate::jurisdiction::Pack;
use crate::recovery::Trigger;
use crate::time::{DAY, MINUTE, Millis, QuietHours};

mod condition;
mod experiment;
mod field;
mod offer;

pub use condition::{Expr, Op};
pub use experiment::{Arm, Experiment, Subject};
pub use field::{FIELDS, Facts, Field, FieldSpec, Kind, Known, Value};
pub use offer::{Learner, Offer, OfferKind};

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
    /// Other ways in which a cart counts as left.
    #[serde(default, skip_serializing_if = "is_default")]
    pub triggers: Triggers,
    /// When looking without buying counts as left; never if absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub browse: Option<Browse>,
    /// Named conditions, usable in other conditions and kept with the person as tags.
    pub segments: Vec<Segment>,
    /// Offers that steps may carry.
    pub offers: Vec<Offer>,
    /// Choices between offers that are learned.
    #[serde(default, skip_serializing_if = "is_default")]
    pub learners: Vec<Learner>,
    /// Sequences; the first whose trigger and audience match is followed.
    pub sequences: Vec<Sequence>,
    /// Experiments that run.
    #[serde(default, skip_serializing_if = "is_default")]
    pub experiments: Vec<Experiment>,
    /// Frequency caps.
    pub caps: Caps,
    /// Rest after messages that brought nothing; none if absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fatigue: Option<Fatigue>,
    /// Which consent each channel asks for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub consent: ConsentRules,
    /// How the channel of a step is chosen.
    #[serde(default, skip_serializing_if = "is_default")]
    pub channels: ChannelRules,
    /// When nobody is written to, in the recipient's local time.
    pub quiet_hours: Option<QuietHours>,
    /// Zone for people whose zone is unknown.
    pub default_zone: String,
    /// What the law of the recipient's place adds. Part of the policy, so that its version says which
    /// text of the law a decision was taken under.
    #[serde(default, skip_serializing_if = "is_default")]
    pub jurisdictions: Vec<Pack>,
    /// Country of people of whom no place is known, ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "is_default")]
    pub default_country: Option<String>,
    /// Percent of persons who are never contacted, so that the effect can be known.
    pub holdout_percent: u8,
    /// To how many it applies while it is tried out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rollout: Rollout,
    /// What one unit of another currency is worth in the shop's, by ISO 4217 code.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rates: BTreeMap<String, f64>,
    /// Value from which shipping is free, major units of the shop's currency.
    #[serde(default, skip_serializing_if = "is_default")]
    pub free_shipping_from: Option<f64>,
    /// When panels of the page show, where that is not as usual.
    #[serde(default, skip_serializing_if = "is_default")]
    pub panels: Vec<PanelRules>,
    /// What counts as leaving a page, where that is not as usual.
    #[serde(default, skip_serializing_if = "is_default")]
    pub leaving: LeavingRules,
    /// A paid order this long after a click counts as recovered.
    pub attribution_click_ms: Millis,
    /// How long a resume link lives.
    pub link_ttl_ms: Millis,
    /// How long a cart is kept after its last sign of life.
    pub cart_retention_ms: Millis,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What counts as leaving a page. What is absent is as usual ([`crate::onsite::LeaveRules`]).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LeavingRules {
    /// A session at most this likely to buy is about to be left, whatever the shopper does.
    #[serde(skip_serializing_if = "is_default")]
    pub act_below: Option<f64>,
    /// A pointer leaves at least this fast, CSS pixels per second.
    #[serde(skip_serializing_if = "is_default")]
    pub min_velocity_px_s: Option<f64>,
    /// On a phone, a page is thrown up at least this fast, CSS pixels per second.
    #[serde(skip_serializing_if = "is_default")]
    pub min_scroll_px_s: Option<f64>,
    /// On a phone, a page looked at again was out of sight at least this long.
    #[serde(skip_serializing_if = "is_default")]
    pub away_ms: Option<Millis>,
    /// On a phone, nothing was touched for at least this long.
    #[serde(skip_serializing_if = "is_default")]
    pub idle_ms: Option<Millis>,
}

/// When one panel of the page shows. What is absent is as usual ([`crate::onsite::Rules::usual`]).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PanelRules {
    /// Which, by its name ([`crate::onsite::Panel::as_str`]).
    pub panel: String,
    /// Never.
    #[serde(skip_serializing_if = "is_default")]
    pub off: bool,
    /// Not for a session more likely than this to buy without help.
    #[serde(skip_serializing_if = "is_default")]
    pub max_buy: Option<f64>,
    /// The page must have been open this long.
    #[serde(skip_serializing_if = "is_default")]
    pub dwell_ms: Option<Millis>,
    /// Not within this span after any panel that came of itself.
    #[serde(skip_serializing_if = "is_default")]
    pub cooldown_ms: Option<Millis>,
    /// Not within this span after the same panel.
    #[serde(skip_serializing_if = "is_default")]
    pub again_ms: Option<Millis>,
    /// The cart must be worth this, major units of the shop's currency.
    #[serde(skip_serializing_if = "is_default")]
    pub min_cart: Option<f64>,
    /// So many pages must have been looked at in the session.
    #[serde(skip_serializing_if = "is_default")]
    pub min_pages: Option<u32>,
    /// An offer that it names, for everybody.
    #[serde(skip_serializing_if = "is_default")]
    pub offer: Option<String>,
}

/// Ways besides idling in which a filled cart counts as left. Absent is off.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Triggers {
    /// Idle time by product class, for goods that are thought about longer. With several classes in
    /// the cart the longest counts.
    #[serde(skip_serializing_if = "is_default")]
    pub idle_by_class: BTreeMap<String, Millis>,
    /// So long after the page was left without a word from another.
    #[serde(skip_serializing_if = "is_default")]
    pub page_exit_ms: Option<Millis>,
    /// So long after checkout refused something and nothing followed.
    #[serde(skip_serializing_if = "is_default")]
    pub checkout_error_ms: Option<Millis>,
    /// So long after the platform said that the session is over.
    #[serde(skip_serializing_if = "is_default")]
    pub platform_end_ms: Option<Millis>,
    /// So long after a checkout that fell silent without being left (a crash, a dead battery).
    #[serde(skip_serializing_if = "is_default")]
    pub abrupt_end_ms: Option<Millis>,
}

/// When looking at a product without a cart counts as left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Browse {
    /// Time on one product from which on it counts.
    pub dwell_ms: Millis,
    /// The same by product class.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dwell_by_class: BTreeMap<String, Millis>,
    /// Idle time after which the visit is over.
    pub idle_ms: Millis,
    /// Browse messages to a person in any 7 days.
    pub per_week: u32,
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

/// Who had so many messages in a row and followed none is left alone for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fatigue {
    /// Messages in a row without a click, an order or a yes between them.
    pub unanswered: u32,
    /// How long to rest after the last of them.
    pub rest_ms: Millis,
}

/// The least that a yes must rest on, per channel. [`Source::Page`]: somebody ticked a box;
/// [`Source::Signed`]: the shop says so; [`Source::Person`]: confirmed from the address itself
/// (double opt-in).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConsentRules {
    /// Channels that ask for more than a page's word.
    #[serde(skip_serializing_if = "is_default")]
    pub least: BTreeMap<Channel, Source>,
    /// A customer (an order within 24 months, no opt-out) may be written to by email without a
    /// recorded yes, where the law of the recipient's place lets that be ("soft opt-in").
    #[serde(skip_serializing_if = "is_default")]
    pub soft_opt_in: bool,
}

/// How a step's channel is chosen among those that may be used. Without any of this: the step's order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelRules {
    /// Tried first for people whose last session was on a phone.
    #[serde(skip_serializing_if = "is_default")]
    pub mobile_first: Vec<Channel>,
    /// The channel a person asked for goes before the step's order.
    #[serde(skip_serializing_if = "is_default")]
    pub by_preference: bool,
    /// The channel that people of this shop follow most often goes before the step's order, once
    /// each has been used often enough to tell.
    #[serde(skip_serializing_if = "is_default")]
    pub by_performance: bool,
}

/// To how many a policy applies while it is tried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rollout {
    /// Percent of persons, by hash of the person: raising it keeps those who were in.
    pub percent: u8,
    /// Messages of the shop in any hour; more are put off. No bound if absent.
    pub per_hour: Option<u32>,
}

impl Default for Rollout {
    fn default() -> Self {
        Self { percent: 100, per_hour: None }
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

/// A planned series of contacts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sequence {
    /// Its name.
    pub name: String,
    /// What it answers; empty is every trigger but [`Trigger::Browse`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub on: Vec<Trigger>,
    /// For whom; `None` is everyone.
    pub audience: Option<Expr>,
    /// In the order of `at_ms`.
    pub steps: Vec<Step>,
}

impl Sequence {
    /// Whether it answers this trigger.
    #[must_use]
    pub fn answers(&self, trigger: Trigger) -> bool {
        if self.on.is_empty() { trigger != Trigger::Browse } else { self.on.contains(&trigger) }
    }
}

/// One planned contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// When, counted from the abandonment.
    pub at_ms: Millis,
    /// It may be put off so long to meet the hour at which the person reads.
    #[serde(default, skip_serializing_if = "is_default")]
    pub window_ms: Millis,
    /// Channels in order of preference; the first that consent and capability allow is used.
    pub channels: Vec<Channel>,
    /// Template of the message.
    pub template: String,
    /// Offer, or learner that chooses one, that it may carry.
    pub offer: Option<String>,
    /// Only if this holds when it is claimed; the step is skipped otherwise.
    #[serde(default, skip_serializing_if = "is_default")]
    pub when: Option<Expr>,
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
    /// A policy of these sequences and nothing else: defaults, no quiet hours, nobody held out. For
    /// tests and for building policies in code; it has no version until it is compiled.
    #[must_use]
    pub fn plain(name: &str, sequences: Vec<Sequence>) -> Self {
        Self {
            name: name.to_owned(),
            version: String::new(),
            description: String::new(),
            idle_ms: DEFAULT_IDLE,
            triggers: Triggers::default(),
            browse: None,
            segments: vec![],
            offers: vec![],
            learners: vec![],
            sequences,
            experiments: vec![],
            caps: Caps::default(),
            fatigue: None,
            consent: ConsentRules::default(),
            channels: ChannelRules::default(),
            quiet_hours: None,
            default_zone: "UTC".to_owned(),
            jurisdictions: vec![],
            default_country: None,
            holdout_percent: 0,
            rollout: Rollout::default(),
            rates: BTreeMap::new(),
            panels: vec![],
            leaving: LeavingRules::default(),
            free_shipping_from: None,
            attribution_click_ms: DEFAULT_ATTRIBUTION,
            link_ttl_ms: DEFAULT_LINK_TTL,
            cart_retention_ms: DEFAULT_RETENTION,
        }
    }

    /// A sequence by name.
    #[must_use]
    pub fn sequence(&self, name: &str) -> Option<&Sequence> {
        self.sequences.iter().find(|s| s.name == name)
    }

    /// The sequence that a cart and person follow: the first that answers the trigger and whose
    /// audience matches.
    #[must_use]
    pub fn sequence_for(&self, trigger: Trigger, facts: &Facts) -> Option<&Sequence> {
        self.sequences
            .iter()
            .find(|s| s.answers(trigger) && s.audience.as_ref().is_none_or(|e| self.holds(e, facts)))
    }

    /// An offer by name.
    #[must_use]
    pub fn offer(&self, name: &str) -> Option<&Offer> {
        self.offers.iter().find(|o| o.name == name)
    }

    /// A learner by name.
    #[must_use]
    pub fn learner(&self, name: &str) -> Option<&Learner> {
        self.learners.iter().find(|l| l.name == name)
    }

    /// Whether a condition holds. A comparison with something unknown does not hold.
    #[must_use]
    pub fn holds(&self, expr: &Expr, facts: &Facts) -> bool {
        condition::eval(self, expr, facts, 0)
    }

    /// The segments that a cart and person belong to, by name.
    #[must_use]
    pub fn segments_of(&self, facts: &Facts) -> Vec<String> {
        self.segments.iter().filter(|s| self.holds(&s.when, facts)).map(|s| s.name.clone()).collect()
    }
}
