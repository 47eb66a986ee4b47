//! The tables of a policy and of a jurisdiction pack as data: every key with its form, its bounds, what
//! holds without it and what it is. The reader takes its bounds from here, the JSON Schema and the
//! reference are made of it, so the three cannot drift apart. Reads nothing itself.

use comeback_core::policy::MIN_IDLE;
use comeback_core::release::MOST_PER_HOUR;
use comeback_core::time::{DAY, HOUR, MINUTE, Millis, SECOND};

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
        may("caps", Form::Table(&CAPS), "", "How much at most."),
        may("fatigue", Form::Table(&FATIGUE), "no rest", "Rest for people who follow nothing."),
        may("consent", Form::Table(&CONSENT), "", "What a yes must rest on."),
        may("channels", Form::Table(&CHANNEL_RULES), "", "How the channel of a step is chosen."),
        may("quiet_hours", Form::Table(&QUIET_HOURS), "", "When nobody is written to."),
        may("jurisdiction", Form::Table(&JURISDICTION), "", "What the law of the recipient's place adds."),
        may("rollout", Form::Table(&ROLLOUT), "", "To how many it applies while it is tried out."),
        may("currency", Form::Table(&CURRENCY), "", "Other currencies."),
        may("shipping", Form::Table(&SHIPPING), "", "The shop's shipping."),
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

const ABANDONMENT: Table = Table {
    title: "[abandonment]",
    keys: &[
        may(
            "idle",
            Form::Span(MIN_IDLE, 7 * DAY),
            "15m",
            "Without a sign of life this long, a filled cart counts as left.",
        ),
        may(
            "idle_by_class",
            Form::SpansByClass(MIN_IDLE, 7 * DAY),
            "none",
            "The same for goods that are thought about longer, by product class; of several classes the longest counts.",
        ),
        may(
            "page_exit",
            Form::SpanOrOff(SECOND, DAY),
            "off",
            "So long after the page was left without a word from another.",
        ),
        may(
            "checkout_error",
            Form::SpanOrOff(SECOND, DAY),
            "off",
            "So long after checkout refused something and nothing followed.",
        ),
        may(
            "platform_end",
            Form::SpanOrOff(0, DAY),
            "off",
            "So long after the platform said that the session is over.",
        ),
        may(
            "abrupt_end",
            Form::SpanOrOff(SECOND, DAY),
            "off",
            "So long after a checkout that fell silent without being left.",
        ),
    ],
};

const BROWSE: Table = Table {
    title: "[browse]",
    keys: &[
        must("dwell", Form::Span(5 * SECOND, HOUR), "Time on one product from which on it counts."),
        may("dwell_by_class", Form::SpansByClass(5 * SECOND, HOUR), "none", "The same by product class."),
        may(
            "idle",
            Form::Span(MINUTE, 7 * DAY),
            "30m",
            "Without a sign of life this long, the visit is over.",
        ),
        may("per_week", Form::Whole(0, 7), "1", "Browse messages to a person in any 7 days."),
    ],
};

const SEGMENT: Table = Table {
    title: "[[segment]]",
    keys: &[
        must("name", Form::Name, "Its name, a word in other conditions."),
        must("when", Form::Condition, "Who belongs to it."),
    ],
};

const OFFER: Table = Table {
    title: "[[offer]]",
    keys: &[
        must("name", Form::Name, "Its name; bound into the link."),
        must("kind", Form::Word(KINDS), "What it gives."),
        may("percent", Form::Whole(1, 100), "needed by `percent`", "Percent off."),
        may(
            "amount",
            Form::Number(0.01, 100_000.0),
            "needed by `amount`",
            "Amount off, major units of the shop's currency.",
        ),
        must("valid_for", Form::Span(MINUTE, 90 * DAY), "How long it is honoured."),
        may("when", Form::Condition, "everyone", "To whom it may go."),
        may(
            "min_margin",
            Form::Number(0.0, 1.0),
            "no bound",
            "Share of the value that must be left after it. Withheld where a unit cost is unknown.",
        ),
        may("not_for", Form::Classes, "none", "Product classes: a cart with one of them does not get it."),
        may(
            "per_90d",
            Form::Whole(0, 100),
            "no bound",
            "Not to a person who had any offer in so many other abandonments in 90 days.",
        ),
        may(
            "budget_day",
            Form::Number(0.0, 10_000_000.0),
            "no bound",
            "What all of them may give away in a day (UTC), major units of the shop's currency.",
        ),
        may(
            "first_message",
            Form::Flag,
            "false",
            "It may go along with the first message of an abandonment; otherwise it is withheld there.",
        ),
        may(
            "approval",
            Form::Flag,
            "false",
            "A person must have approved it for this version of the policy.",
        ),
        may(
            "honour_price",
            Form::Span(HOUR, 90 * DAY),
            "not at all",
            "The prices of the message are honoured for so long.",
        ),
    ],
};

const LEARNER: Table = Table {
    title: "[[learner]]",
    keys: &[
        must("name", Form::Name, "Its name; a step names it as its `offer`."),
        must("arms", Form::Names(2, 8), "Names of offers, or `none` for no offer."),
        may(
            "least_share",
            Form::Number(0.0, 0.5),
            "0.1",
            "Each arm keeps at least this share of the choices.",
        ),
        may(
            "cohorts",
            Form::Names(0, 8),
            "none",
            "Segments whose outcomes are learned apart; the first that matches.",
        ),
        may(
            "cost",
            Form::SharesByName,
            "the percent off",
            "What a recovered order is worth less by each arm, share of its value.",
        ),
    ],
};

const SEQUENCE: Table = Table {
    title: "[[sequence]]",
    keys: &[
        must("name", Form::Name, "Its name."),
        may("on", Form::Words(TRIGGERS), "all but `browse`", "What it answers."),
        may(
            "for",
            Form::Condition,
            "everyone",
            "For whom; the first sequence that matches is followed, and none if none does.",
        ),
        must("steps", Form::Tables(&STEP, 1, 16), "In the order of `at`."),
    ],
};

const STEP: Table = Table {
    title: "a step",
    keys: &[
        must("name", Form::Name, "Its name."),
        must("at", Form::Span(0, 60 * DAY), "When, counted from the abandonment."),
        may(
            "window",
            Form::Span(MINUTE, 2 * DAY),
            "none",
            "It may be put off so long to meet the hour at which the person reads.",
        ),
        must(
            "channel",
            Form::Words(CHANNELS),
            "In order of preference; the first that address, consent and caps allow.",
        ),
        must("template", Form::Name, "Which message: `reminder`, `incentive`, `last_call`, `sms_reminder`."),
        may(
            "offer",
            Form::Name,
            "none",
            "Name of an offer or of a learner. If it is withheld, the message goes without.",
        ),
        may(
            "when",
            Form::Condition,
            "always",
            "Asked when it is claimed; the step is skipped if it does not hold.",
        ),
    ],
};

const EXPERIMENT: Table = Table {
    title: "[[experiment]]",
    keys: &[
        must("name", Form::Name, "Its name: the seed of the assignment."),
        must("hypothesis", Form::Text(500), "What is tested, and why."),
        may("sequence", Form::Name, "with `step`", "The sequence of the step it is on."),
        may("step", Form::Name, "with `sequence`", "The step it is on."),
        may("panel", Form::Name, "instead of a step", "The panel of the page that it is on."),
        must("arms", Form::Tables(&ARM, 2, 8), "The first is the control."),
    ],
};

const ARM: Table = Table {
    title: "an arm",
    keys: &[
        must("name", Form::Name, "Its name."),
        may("weight", Form::Whole(1, 1_000), "1", "Its share among the weights of all arms."),
        may("at", Form::Span(0, 60 * DAY), "the step's", "Another time."),
        may("channel", Form::Words(CHANNELS), "the step's", "Other channels."),
        may("template", Form::Name, "the step's", "Another template."),
        may("offer", Form::Name, "the step's", "Another offer or learner; `none` takes it away."),
        may("silent", Form::Flag, "false", "Nothing is sent or shown: what the contact itself is worth."),
    ],
};

const CAPS: Table = Table {
    title: "[caps]",
    keys: &[
        may("per_person", Form::Table(&PER_PERSON), "", "Messages to a person, over all carts and channels."),
        may("sms_per_abandonment", Form::Whole(0, 2), "1", "Text messages for one abandonment."),
        may(
            "unverified",
            Form::Span(MINUTE, 365 * DAY),
            "30d",
            "An address that only a page or a relayed checkout brought gets one recovery in it, until its owner follows a link or the shop vouches for it.",
        ),
    ],
};

const PER_PERSON: Table = Table {
    title: "[caps] per_person",
    keys: &[
        may("day", Form::Whole(0, 100), "1", "In any 24 hours."),
        may("week", Form::Whole(0, 100), "3", "In any 7 days."),
    ],
};

const FATIGUE: Table = Table {
    title: "[fatigue]",
    keys: &[
        must("unanswered", Form::Whole(1, 50), "After so many messages in a row that were not followed…"),
        must("rest", Form::Span(DAY, 365 * DAY), "…a person is left alone for so long after the last."),
    ],
};

const CONSENT: Table = Table {
    title: "[consent]",
    keys: &[
        may(
            "email",
            Form::Word(SOURCES),
            "page",
            "A yes to email rests on at least this: `page` (a box was ticked), `signed` (the shop says so), `confirmed` (from the address itself: double opt-in).",
        ),
        may("sms", Form::Word(SOURCES), "page", "The same for text messages."),
        may("push", Form::Word(SOURCES), "page", "The same for push."),
        may(
            "soft_opt_in",
            Form::Flag,
            "false",
            "Customers may get email without a recorded yes, where a pack of their place lets that be.",
        ),
    ],
};

const CHANNEL_RULES: Table = Table {
    title: "[channels]",
    keys: &[
        may(
            "mobile_first",
            Form::Words(CHANNELS),
            "none",
            "Tried first for people whose last session was on a phone.",
        ),
        may(
            "by_preference",
            Form::Flag,
            "false",
            "The channel a person asked for goes before the step's order.",
        ),
        may(
            "by_performance",
            Form::Flag,
            "false",
            "The channel that people of this shop follow most often goes before the step's order, once each was used often enough to tell.",
        ),
    ],
};

const QUIET_HOURS: Table = Table {
    title: "[quiet_hours]",
    keys: &[
        may("from", Form::TimeOfDay, "21:00", "First quiet minute, in the recipient's zone."),
        may("to", Form::TimeOfDay, "09:00", "First minute that is no longer quiet; equal ends mean none."),
        may("default_zone", Form::Zone, "UTC", "For people whose zone is unknown."),
    ],
};

const JURISDICTION: Table = Table {
    title: "[jurisdiction]",
    keys: &[
        may(
            "packs",
            Form::Packs,
            "all",
            "Which packs apply: all that ship, or these with their regions, or `[]`.",
        ),
        may("default_country", Form::Country, "none", "Country of people of whom no place is known."),
    ],
};

const ROLLOUT: Table = Table {
    title: "[rollout]",
    keys: &[
        may(
            "percent",
            Form::Whole(0, 100),
            "100",
            "Share of persons, by hash: raising it keeps those who were in.",
        ),
        may(
            "per_hour",
            Form::Whole(1, MOST_PER_HOUR as i64),
            "no bound",
            "Messages of the shop in any hour; more are put off.",
        ),
    ],
};

const CURRENCY: Table = Table {
    title: "[currency]",
    keys: &[may(
        "rates",
        Form::Rates,
        "none",
        "What one unit of another currency is worth in the shop's. A cart in a currency without a rate has no known value.",
    )],
};

const SHIPPING: Table = Table {
    title: "[shipping]",
    keys: &[may(
        "free_from",
        Form::Number(0.0, 1_000_000.0),
        "unknown",
        "Value from which shipping is free, major units of the shop's currency.",
    )],
};

const HOLDOUT: Table = Table {
    title: "[holdout]",
    keys: &[may("percent", Form::Whole(0, 100), "10", "Share of persons who are never contacted.")],
};

const ATTRIBUTION: Table = Table {
    title: "[attribution]",
    keys: &[may(
        "click",
        Form::Span(HOUR, 30 * DAY),
        "5d",
        "A paid order so long after a click counts as recovered.",
    )],
};

const LINK: Table = Table {
    title: "[link]",
    keys: &[may(
        "valid_for",
        Form::Span(HOUR, 90 * DAY),
        "14d",
        "Life of a resume link, from its message on.",
    )],
};

const RETENTION: Table = Table {
    title: "[retention]",
    keys: &[may(
        "cart",
        Form::Span(DAY, 730 * DAY),
        "90d",
        "After the last sign of life so long a cart is kept.",
    )],
};

/// A jurisdiction pack.
pub(crate) const PACK: Table = Table {
    title: "the pack",
    keys: &[
        must("code", Form::Text(10), "Lower-case country code, `us-fl` for a region, `eu` for a union."),
        must("name", Form::Text(80), "In plain words."),
        must("countries", Form::Countries, "For which countries."),
        may(
            "regions",
            Form::Regions,
            "all",
            "For which of their regions, ISO 3166-2 codes without the country.",
        ),
        must("as_of", Form::Day, "When the sources were read."),
        may("holidays", Form::Holidays, "none", "Public holidays: `12-25`, `easter+39`."),
        must("rule", Form::Tables(&RULE, 1, 32), "What the law says."),
    ],
};

const RULE: Table = Table {
    title: "[[rule]]",
    keys: &[
        must("id", Form::Name, "Its name within the pack."),
        must("source", Form::Text(400), "Where it is written."),
        must("law", Form::Word(LAWS), "What it says; the other keys depend on it."),
        may("channels", Form::Words(CHANNELS), "", "By which channels."),
        may("channel", Form::Word(CHANNELS), "", "By which channel."),
        may("from", Form::TimeOfDay, "", "First minute, local time."),
        may("to", Form::TimeOfDay, "", "First minute after."),
        may("days", Form::Words(DAYS), "every day", "Only where the window begins on one of these."),
        may("sundays", Form::Flag, "false", "On Sundays."),
        may("holidays", Form::Flag, "false", "On the pack's holidays."),
        may("most", Form::Whole(0, 100), "", "How many."),
        may("span", Form::Span(HOUR, 3_660 * DAY), "", "How long."),
        may("consent", Form::Word(SOURCES), "", "What a yes rests on."),
    ],
};
