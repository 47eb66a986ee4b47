//! Consent and opt-out, per channel. Absence of consent is no consent; an opt-out always wins.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A way to reach a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Email.
    Email,
    /// Text message.
    Sms,
    /// Web push.
    Push,
}

impl Channel {
    /// The name used in policies and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who reported a consent or a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A browser holding the public key. Anyone.
    Page,
    /// The shop's server or platform, by signature.
    Signed,
    /// The person, by something that only they hold: a link in their inbox, their own browser's yes to push.
    Person,
}

/// One recorded yes or no for cart reminders on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// For which channel.
    pub channel: Channel,
    /// Yes or no.
    pub granted: bool,
    /// Version of the wording that was shown.
    pub wording: String,
    /// When it was given.
    pub at: Timestamp,
    /// Who reported it.
    pub source: Source,
}

/// The standing consent for a channel: the newest record, and of two at the same instant the no.
#[must_use]
pub fn standing(records: &[Consent], channel: Channel) -> Option<&Consent> {
    records.iter().filter(|c| c.channel == channel).max_by_key(|c| (c.at, !c.granted))
}
