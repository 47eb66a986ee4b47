//! The tables that say who is written to, when and with what.

use comeback_core::policy::MIN_IDLE;
use comeback_core::time::{DAY, HOUR, MINUTE, SECOND};

use super::{CHANNELS, Form, KINDS, PANELS, TRIGGERS, Table, may, must};

pub(super) const ABANDONMENT: Table = Table {
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

pub(super) const BROWSE: Table = Table {
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

pub(super) const SEGMENT: Table = Table {
    title: "[[segment]]",
    keys: &[
        must("name", Form::Name, "Its name, a word in other conditions."),
        must("when", Form::Condition, "Who belongs to it."),
    ],
};

pub(super) const OFFER: Table = Table {
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

pub(super) const LEARNER: Table = Table {
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

pub(super) const SEQUENCE: Table = Table {
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

pub(super) const STEP: Table = Table {
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
        must(
            "template",
            Form::Name,
            "Which message: `reminder`, `incentive`, `last_call`, `follow_up`, `help` (checkout stopped them), `looked` (browsing), `nudge` (push), `sms_reminder`, `sms_follow_up`.",
        ),
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

pub(super) const EXPERIMENT: Table = Table {
    title: "[[experiment]]",
    keys: &[
        must("name", Form::Name, "Its name: the seed of the assignment."),
        must("hypothesis", Form::Text(500), "What is tested, and why."),
        may("sequence", Form::Name, "with `step`", "The sequence of the step it is on."),
        may("step", Form::Name, "with `sequence`", "The step it is on."),
        may(
            "panel",
            Form::Word(PANELS),
            "instead of a step",
            "The panel of the page that it is on, by its name.",
        ),
        must("arms", Form::Tables(&ARM, 2, 8), "The first is the control."),
    ],
};

pub(super) const ARM: Table = Table {
    title: "an arm",
    keys: &[
        must("name", Form::Name, "Its name."),
        may("weight", Form::Whole(1, 1_000), "1", "Its share among the weights of all arms."),
        may("at", Form::Span(0, 60 * DAY), "the step's", "Another time."),
        may("channel", Form::Words(CHANNELS), "the step's", "Other channels."),
        may("template", Form::Name, "the step's", "Another template."),
        may("offer", Form::Name, "the step's", "Another offer or learner; `none` takes it away."),
        may("silent", Form::Flag, "false", "Nothing is sent or shown: what the contact itself is worth."),
        may("copy", Form::Name, "the panel's", "Other words of a panel: a variant of the shop's copy."),
        may("dwell", Form::Span(0, HOUR), "the panel's", "Another `dwell` of a panel."),
        may("max_buy", Form::Number(0.0, 1.0), "the panel's", "Another `max_buy` of a panel."),
    ],
};

pub(super) const PANEL: Table = Table {
    title: "[[panel]]",
    keys: &[
        must("panel", Form::Word(PANELS), "Which."),
        may("off", Form::Flag, "false", "Never."),
        may(
            "max_buy",
            Form::Number(0.0, 1.0),
            "0.6 for `exit` and `survey`",
            "Not for a session that is likelier than this to buy without help.",
        ),
        may(
            "dwell",
            Form::Span(0, HOUR),
            "3s for `exit` and `survey`, 10s for `push`",
            "The page must have been open this long.",
        ),
        may("cooldown", Form::Span(0, 90 * DAY), "1d", "Not so soon after any panel that came of itself."),
        may(
            "again",
            Form::Span(0, 365 * DAY),
            "30d for `survey`, 90d for `push`",
            "Not so soon after the same panel.",
        ),
        may(
            "min_cart",
            Form::Number(0.0, 1_000_000.0),
            "0",
            "The cart must be worth this, major units of the shop's currency.",
        ),
        may(
            "min_pages",
            Form::Whole(0, 100),
            "3 for `push`",
            "So many pages must have been looked at in the session.",
        ),
        may(
            "offer",
            Form::Name,
            "none",
            "An offer that it names. Whoever loads the page can read its code, so it has no conditions.",
        ),
    ],
};
