//! The checker: reads what truly happened and says what should not have. It recomputes everything for itself, from
//! plain data and plain numbers, and knows nothing of the core: not its gate, not its persons, not its time zones
//! (a test reads these files and sees to that). What it believes of people is what the edge had acknowledged.
//!
//! A message is judged by the moment at which leave was given for it: an order that comes in while the message is on
//! its way to the provider cannot call it back. A leave is good for [`LEAVE_IS_GOOD_FOR`], no longer.

mod civil;
mod fact;
mod people;
mod rules;
mod steps;
mod verdict;

use std::collections::BTreeMap;

pub use civil::{Local, easter, is_easter_plus, local};
pub use fact::{Contact, End, Entry, Fact, Instant, Owner, Story, Voice, Way};
pub use rules::{Holiday, Night, Rules, Sheet};

use people::People;
use verdict::{Asked, Ledger};

/// How long after leave was given a message may be handed over.
pub const LEAVE_IS_GOOD_FOR: i64 = 5 * 60 * 1_000;
/// Twenty-four hours.
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// What kind of promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One planned contact reached somebody twice.
    Duplicate,
    /// A due step ended in nothing.
    Lost,
    /// Written to after an order.
    AfterPurchase,
    /// Written to after a no, or in a pause.
    AfterOptOut,
    /// More messages than promised.
    Cap,
    /// At a quiet hour, or on a day on which the law keeps quiet.
    Quiet,
    /// Anything else: without a yes, with the shop stopped, to a program, against another law.
    Other,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Duplicate,
        Self::Lost,
        Self::AfterPurchase,
        Self::AfterOptOut,
        Self::Cap,
        Self::Quiet,
        Self::Other,
    ];

    /// Its name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicates",
            Self::Lost => "lost",
            Self::AfterPurchase => "after_purchase",
            Self::AfterOptOut => "after_opt_out",
            Self::Cap => "cap_breaches",
            Self::Quiet => "quiet_breaches",
            Self::Other => "other_breaches",
        }
    }
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub kind: Kind,
    /// When.
    pub at: Instant,
    /// In plain words.
    pub what: String,
}

/// Everything in a story that should not have happened; empty is good.
#[must_use]
pub fn check(story: &Story, rules: &Rules) -> Vec<Breach> {
    let mut breaches = vec![];
    let mut people = People::new(&story.owners);
    let mut asked: BTreeMap<Contact, Asked> = BTreeMap::new();
    let mut ledger = Ledger::new(rules);
    for (place, entry) in story.facts.iter().enumerate() {
        people.learn(entry);
        match &entry.fact {
            Fact::Leave { contact, way, address, browse } => {
                let leave = verdict::of(&people, rules, entry.at, place, (*contact, *way, *address, *browse));
                asked.insert(*contact, leave);
            }
            Fact::Delivered { contact, way, address, browse } => {
                let leave = asked.get(contact).filter(|a| {
                    a.address == *address && a.way == *way && entry.at - a.at <= LEAVE_IS_GOOD_FOR
                });
                let message = match leave {
                    Some(leave) => leave.clone(),
                    // Nobody gave leave, or too long ago: it is judged by the moment it went out.
                    None => verdict::of(&people, rules, entry.at, place, (*contact, *way, *address, *browse)),
                };
                breaches.extend(message.breaches.iter().cloned());
                ledger.add(message);
            }
            _ => {}
        }
    }
    breaches.extend(ledger.breaches(&people));
    breaches.extend(steps::lost(story, &people));
    breaches
}
