//! The tables that bound and attend what is sent.

use comeback_core::release::MOST_PER_HOUR;
use comeback_core::time::{DAY, HOUR, MINUTE, SECOND};

use super::{CHANNELS, Form, SOURCES, Table, may, must};

pub(super) const CAPS: Table = Table {
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

pub(super) const PER_PERSON: Table = Table {
    title: "[caps] per_person",
    keys: &[
        may("day", Form::Whole(0, 100), "1", "In any 24 hours."),
        may("week", Form::Whole(0, 100), "3", "In any 7 days."),
    ],
};

pub(super) const FATIGUE: Table = Table {
    title: "[fatigue]",
    keys: &[
        must("unanswered", Form::Whole(1, 50), "After so many messages in a row that were not followed…"),
        must("rest", Form::Span(DAY, 365 * DAY), "…a person is left alone for so long after the last."),
    ],
};

pub(super) const CONSENT: Table = Table {
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

pub(super) const CHANNEL_RULES: Table = Table {
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

pub(super) const QUIET_HOURS: Table = Table {
    title: "[quiet_hours]",
    keys: &[
        may("from", Form::TimeOfDay, "21:00", "First quiet minute, in the recipient's zone."),
        may("to", Form::TimeOfDay, "09:00", "First minute that is no longer quiet; equal ends mean none."),
        may("default_zone", Form::Zone, "UTC", "For people whose zone is unknown."),
    ],
};

pub(super) const JURISDICTION: Table = Table {
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

pub(super) const ROLLOUT: Table = Table {
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

pub(super) const CURRENCY: Table = Table {
    title: "[currency]",
    keys: &[may(
        "rates",
        Form::Rates,
        "none",
        "What one unit of another currency is worth in the shop's. A cart in a currency without a rate has no known value.",
    )],
};

pub(super) const SHIPPING: Table = Table {
    title: "[shipping]",
    keys: &[may(
        "free_from",
        Form::Number(0.0, 1_000_000.0),
        "unknown",
        "Value from which shipping is free, major units of the shop's currency.",
    )],
};

pub(super) const LEAVING: Table = Table {
    title: "[leaving]",
    keys: &[
        may(
            "act_below",
            Form::Number(0.0, 1.0),
            "wait for a gesture",
            "A session at most this likely to buy is about to be left, whatever the shopper does.",
        ),
        may(
            "min_speed",
            Form::Number(0.0, 10_000.0),
            "300",
            "A mouse leaves by the top at least this fast, CSS pixels per second.",
        ),
        may(
            "min_scroll",
            Form::Number(0.0, 20_000.0),
            "1500",
            "On a phone, a page is thrown up at least this fast, CSS pixels per second.",
        ),
        may(
            "away",
            Form::Span(0, HOUR),
            "5s",
            "On a phone, a tab looked at again was out of sight at least this long, and at most 30 minutes.",
        ),
        may(
            "idle",
            Form::Span(SECOND, HOUR),
            "30s",
            "On a phone, nothing was touched for at least this long.",
        ),
    ],
};

pub(super) const HOLDOUT: Table = Table {
    title: "[holdout]",
    keys: &[may("percent", Form::Whole(0, 100), "10", "Share of persons who are never contacted.")],
};

pub(super) const ATTRIBUTION: Table = Table {
    title: "[attribution]",
    keys: &[may(
        "click",
        Form::Span(HOUR, 30 * DAY),
        "5d",
        "A paid order so long after a click counts as recovered.",
    )],
};

pub(super) const LINK: Table = Table {
    title: "[link]",
    keys: &[may(
        "valid_for",
        Form::Span(HOUR, 90 * DAY),
        "14d",
        "Life of a resume link, from its message on.",
    )],
};

pub(super) const RETENTION: Table = Table {
    title: "[retention]",
    keys: &[may(
        "cart",
        Form::Span(DAY, 730 * DAY),
        "90d",
        "After the last sign of life so long a cart is kept.",
    )],
};
