//! The tables of a policy and of a jurisdiction pack as data: every key with its form, its bounds, what
//! holds without it and what it is. The reader takes its bounds from here, the JSON Schema and the
//! reference are made of it, so the three cannot drift apart. Reads nothing itself.

use comeback_core::onsite::Panel;
use comeback_core::time::Millis;

mod bounds;
mod pack;
mod plan;

use bounds::{
    ATTRIBUTION, CAPS, CHANNEL_RULES, CONSENT, CURRENCY, FATIGUE, HOLDOUT, JURISDICTION, LEAVING, LINK,
    QUIET_HOURS, RETENTION, ROLLOUT, SHIPPING,
};
pub(crate) use pack::PACK;
use plan::{ABANDONMENT, BROWSE, EXPERIMENT, LEARNER, OFFER, PANEL, SEGMENT, SEQUENCE};

/// A table of the document.
#[derive(Debug)]
pub(crate) struct Table {
    /// How messages call it: `[caps]`.
    pub(crate) title: &'static str,
    /// The keys that it may hold.
    pub(crate) keys: &'static [Key],
}

/// A key of a table.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    pub(crate) without: Without,
    /// What it is, for the reference and the JSON Schema.
    pub(crate) about: &'static str,
}

/// What holds where a key is not written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Without {
    /// The policy is refused.
    Error,
    /// This value, as it would be written.
    Is(&'static str),
}

/// How a value is written.
#[derive(Debug)]
pub(crate) enum Form {
    /// A lower-case letter, then lower-case letters, digits and `_`.
    Name,
    /// The same, and `-`.
    PolicyName,
    /// Free text of so many characters.
    Text(usize),
    /// A span of time, within bounds.
    Span(Millis, Millis),
    /// The same, or `"off"`.
    SpanOrOff(Millis, Millis),
    /// A whole number, within bounds.
    Whole(i64, i64),
    /// A number of at most 15 digits, 6 of them after the point, within bounds.
    Number(f64, f64),
    /// `true` or `false`.
    Flag,
    /// A condition.
    Condition,
    /// `"21:00"`.
    TimeOfDay,
    /// An IANA zone.
    Zone,
    /// An ISO 3166-1 code.
    Country,
    /// A list of them.
    Countries,
    /// One word of a closed list.
    Word(&'static [&'static str]),
    /// A list of such words, each once.
    Words(&'static [&'static str]),
    /// A list of names of other parts, at least and at most so many.
    Names(usize, usize),
    /// A list of free words, such as product classes.
    Classes,
    /// `"all"` or a list of codes.
    Packs,
    /// A table of spans by product class.
    SpansByClass(Millis, Millis),
    /// A table of shares from 0 to 1 by the name of an offer.
    SharesByName,
    /// A table of numbers by currency.
    Rates,
    /// A table.
    Table(&'static Table),
    /// A list of tables, at least and at most so many.
    Tables(&'static Table, usize, usize),
    /// A list of holidays of a pack.
    Holidays,
    /// A list of regions of a pack.
    Regions,
    /// A day, `"2026-11-21"`.
    Day,
}

impl Table {
    /// A key by its name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

const fn key(name: &'static str, form: Form, without: Without, about: &'static str) -> Key {
    Key { name, form, without, about }
}

/// A key that must be there.
const fn must(name: &'static str, form: Form, about: &'static str) -> Key {
    key(name, form, Without::Error, about)
}

/// A key that need not be there.
const fn may(name: &'static str, form: Form, without: &'static str, about: &'static str) -> Key {
    key(name, form, Without::Is(without), about)
}

/// Newest language that this build reads.
pub(crate) const LANGUAGE: i64 = 1;
/// Longest name, in characters.
pub(crate) const MAX_NAME: usize = 40;
/// Longest product class or tag, in characters.
pub(crate) const MAX_CLASS: usize = 64;
/// Most entries in a list or table of free words.
pub(crate) const MAX_CLASSES: usize = 64;

/// Names of the channels.
pub(crate) const CHANNELS: &[&str] = &["email", "sms", "push"];
/// Names of the triggers.
pub(crate) const TRIGGERS: &[&str] =
    &["idle", "page_exit", "checkout_error", "platform_end", "abrupt_end", "browse"];
/// Names of the panels.
pub(crate) const PANELS: &[&str] = &{
    let mut names = [""; Panel::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = Panel::ALL[at].as_str();
        at += 1;
    }
    names
};
/// Kinds of offers.
pub(crate) const KINDS: &[&str] = &["percent", "amount", "free_shipping"];
/// What a yes may rest on.
pub(crate) const SOURCES: &[&str] = &["page", "signed", "confirmed"];
/// Days of the week.
pub(crate) const DAYS: &[&str] =
    &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// Laws of packs.
pub(crate) const LAWS: &[&str] =
    &["quiet", "no_days", "per_abandonment", "per_day", "within", "least_consent", "soft_opt_in"];

/// The whole document.
pub(crate) const ROOT: Table = Table {
    title: "the policy",
    keys: &[
        must("policy", Form::Table(&POLICY), "What it is called."),
        may("abandonment", Form::Table(&ABANDONMENT), "", "When a cart counts as left."),
        may("browse", Form::Table(&BROWSE), "never", "When looking without buying counts as left."),
        may("segment", Form::Tables(&SEGMENT, 0, 32), "none", "Named conditions."),
        may("offer", Form::Tables(&OFFER, 0, 32), "none", "What steps may give."),
        may(
            "learner",
            Form::Tables(&LEARNER, 0, 8),
            "none",
            "Choices between offers that are learned from what they bring.",
        ),
        must("sequence", Form::Tables(&SEQUENCE, 1, 16), "Who is written to, when and how."),
        may("experiment", Form::Tables(&EXPERIMENT, 0, 16), "none", "What is being tried, on whom."),
        may("panel", Form::Tables(&PANEL, 0, 16), "as usual", "When a panel of the page shows."),
        may("caps", Form::Table(&CAPS), "", "How much at most."),
        may("fatigue", Form::Table(&FATIGUE), "no rest", "Rest for people who follow nothing."),
        may("consent", Form::Table(&CONSENT), "", "What a yes must rest on."),
        may("channels", Form::Table(&CHANNEL_RULES), "", "How the channel of a step is chosen."),
        may("quiet_hours", Form::Table(&QUIET_HOURS), "", "When nobody is written to."),
        may("jurisdiction", Form::Table(&JURISDICTION), "", "What the law of the recipient's place adds."),
        may("rollout", Form::Table(&ROLLOUT), "", "To how many it applies while it is tried out."),
        may("currency", Form::Table(&CURRENCY), "", "Other currencies."),
        may("shipping", Form::Table(&SHIPPING), "", "The shop's shipping."),
        may("leaving", Form::Table(&LEAVING), "", "What counts as leaving a page."),
        may("holdout", Form::Table(&HOLDOUT), "", "Who is never contacted, so that the effect can be known."),
        may("attribution", Form::Table(&ATTRIBUTION), "", "What counts as recovered."),
        may("link", Form::Table(&LINK), "", "Resume links."),
        may("retention", Form::Table(&RETENTION), "", "How long things are kept."),
    ],
};

const POLICY: Table = Table {
    title: "[policy]",
    keys: &[
        must("name", Form::PolicyName, "Its name."),
        may("description", Form::Text(500), "empty", "For whom it is."),
        may(
            "language",
            Form::Whole(1, LANGUAGE),
            "1",
            "Language that it is written in. A newer one than the build knows is refused.",
        ),
    ],
};
