//! The tables of a jurisdiction pack.

use comeback_core::time::{DAY, HOUR};

use super::{CHANNELS, DAYS, Form, LAWS, SOURCES, Table, may, must};

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

pub(super) const RULE: Table = Table {
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
