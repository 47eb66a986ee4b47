//! What happened, in order, as seen from outside the core: what was said and acknowledged, what
//! the provider took, and how the carts told their story. Subjects are the scenario's own names
//! (`ada`, `ada/phone`), so that a judge needs no table of the system it judges.

use comeback_core::cause::Likely;
use comeback_core::consent::{Channel, Source};
use comeback_core::decision::Why;
use comeback_core::id::SendKey;
use comeback_core::policy::Facts;
use comeback_core::recovery::{Phase, Trigger};
use comeback_core::time::Timestamp;

use crate::fixture::told;

/// A planned contact in words that need no key: which cart, which episode, which step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Planned {
    /// The cart.
    pub subject: String,
    /// The episode.
    pub episode: u32,
    /// The step's name.
    pub step: String,
}

/// One thing on the timeline.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A shopper touched this cart, at that time by their own clock.
    Touched {
        /// When it happened, not when it arrived.
        at: Timestamp,
    },
    /// The shopper said yes or no; when they said it, whether or not it has arrived.
    Said {
        /// About this channel.
        channel: Channel,
        /// Yes or no.
        granted: bool,
        /// Who reports it.
        source: Source,
    },
    /// An address was brought; when, whether or not it has arrived.
    Brought {
        /// Channel.
        channel: Channel,
        /// Address.
        address: String,
        /// Who vouches.
        source: Source,
    },
    /// The shopper followed a link to this address.
    Proved {
        /// Address.
        address: String,
    },
    /// The sender of an address heard that it was taken: from now on the system knows that this
    /// browser and this address are one human's.
    Identified {
        /// The address.
        address: String,
    },
    /// The sender of an order heard that it was taken.
    OrderAcknowledged {
        /// When it was placed.
        at: Timestamp,
    },
    /// The person heard that their opt-out was taken.
    OptOutAcknowledged {
        /// Of this channel, or of everything.
        channel: Option<Channel>,
    },
    /// The shop heard that all sends are stopped.
    Stopped,
    /// The shop allowed sends again.
    Resumed,
    /// The gate let a send through.
    Claimed {
        /// Key.
        key: SendKey,
        /// Which contact.
        planned: Planned,
        /// By which channel.
        channel: Channel,
    },
    /// The provider took a message.
    Accepted {
        /// Key.
        key: SendKey,
        /// Which contact.
        planned: Planned,
        /// By which channel.
        channel: Channel,
        /// To where.
        address: String,
    },
    /// The gate wants a step later.
    Waits {
        /// The step's name.
        step: String,
        /// Until then.
        until: Timestamp,
        /// Why.
        why: Why,
    },
    /// A step was settled without being sent.
    Dropped {
        /// The step's name.
        step: String,
        /// As the cart's log has it.
        how: String,
    },
    /// The cart was left.
    Left {
        /// How.
        trigger: Trigger,
        /// Why, probably.
        likely: Likely,
        /// The sequence that follows, if any.
        sequence: Option<String>,
        /// What was known.
        facts: Facts,
    },
    /// The cart's state changed.
    Moved {
        /// To this.
        to: Phase,
    },
    /// The cart was deleted.
    Forgotten,
    /// The process died.
    Crashed,
}

/// A fact with its time and subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When it came to be known.
    pub at: Timestamp,
    /// Whose cart.
    pub subject: String,
    /// What.
    pub fact: Fact,
}

/// All of it, in order.
pub type Timeline = Vec<Entry>;

/// The story that a reader of the merchant's console would be told: states, messages, refusals.
/// What the scenario itself says is left out.
#[must_use]
pub fn story(timeline: &[Entry]) -> String {
    timeline.iter().filter_map(sentence).collect::<Vec<_>>().join("\n")
}

fn sentence(entry: &Entry) -> Option<String> {
    let what = match &entry.fact {
        Fact::Accepted { planned, channel, .. } => format!("gets {channel} {:?}", planned.step),
        Fact::Waits { step, until, why } => format!("{step:?} waits until {}: {why}", told(*until)),
        Fact::Dropped { step, how } => format!("{step:?} {how}"),
        Fact::Moved { to } => format!("is {}", word(*to)),
        Fact::Forgotten => "is forgotten".to_owned(),
        Fact::Crashed => "crash".to_owned(),
        _ => return None,
    };
    Some(format!("{} {} {what}", told(entry.at), entry.subject))
}

/// The word that is stored for a phase.
fn word(phase: Phase) -> String {
    serde_json::to_string(&phase).map_or_else(|_| String::new(), |t| t.trim_matches('"').to_owned())
}
