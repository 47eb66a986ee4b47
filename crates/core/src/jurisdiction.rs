//! What the law of the recipient's place adds to a policy, as data: packs of rules, each with its
//! source. Applied by the gate; never loosens what the policy asks for, with one exception that a
//! policy must ask for itself ([`Law::SoftOptIn`]). Gives no legal advice and knows no case law.

use serde::{Deserialize, Serialize};

use crate::consent::{Channel, Source};
use crate::time::{Millis, QuietHours};

/// The rules of one country, or of some of its regions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    /// `us`, `us-fl`, `fr`.
    pub code: String,
    /// Its name in plain words.
    pub name: String,
    /// ISO 3166-1 alpha-2 codes of the countries it is for.
    pub countries: Vec<String>,
    /// ISO 3166-2 codes without the country (`FL`) of the regions it is for; empty is all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// Day on which the sources were read, `2026-11-21`.
    pub as_of: String,
    /// Public holidays, for rules that name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// One rule of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name within the pack, `night`.
    pub id: String,
    /// Where it is written.
    pub source: String,
    /// What it says.
    pub law: Law,
}

/// What a rule can say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    /// Nothing goes out by these channels in this window of local time.
    Quiet {
        /// Which channels.
        channels: Vec<Channel>,
        /// The window.
        window: QuietHours,
        /// Only where it begins on one of these days; empty is every day.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        days: Vec<Weekday>,
    },
    /// Nothing goes out by these channels on these days.
    NoDays {
        /// Which channels.
        channels: Vec<Channel>,
        /// On Sundays.
        sundays: bool,
        /// On the pack's holidays.
        holidays: bool,
    },
    /// At most so many messages for one abandonment.
    PerAbandonment {
        /// By this channel.
        channel: Channel,
        /// Most.
        most: u32,
    },
    /// At most so many messages in any 24 hours.
    PerDay {
        /// By this channel.
        channel: Channel,
        /// Most.
        most: u32,
    },
    /// Only so long after the abandonment.
    Within {
        /// By this channel.
        channel: Channel,
        /// How long.
        span_ms: Millis,
    },
    /// A yes must rest on at least this.
    LeastConsent {
        /// For this channel.
        channel: Channel,
        /// What.
        source: Source,
    },
    /// A customer may be written to without a recorded yes for so long after an order, if the policy
    /// wants it. Where no pack says so they may not.
    SoftOptIn {
        /// By this channel.
        channel: Channel,
        /// How long after the last order.
        span_ms: Millis,
    },
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

/// A public holiday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holiday {
    /// The same date every year.
    Fixed {
        /// 1 to 12.
        month: i8,
        /// 1 to 31.
        day: i8,
    },
    /// So many days after Easter Sunday (Gregorian), negative before.
    Easter {
        /// Days.
        offset: i16,
    },
}

/// Where a person is, for the law. Found by the rule of [`crate::gate`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// ISO 3166-2 without the country.
    pub region: Option<String>,
}
