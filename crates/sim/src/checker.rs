//! The checker: reads what truly happened and says what should not have. It recomputes everything for itself, from
//! plain data and plain numbers, and knows nothing of the core: not its gate, not its persons, not its time zones
//! (a test reads these files and sees to that). What it believes of people is what the edge had acknowledged.
//!
//! A message is judged by the moment at which leave was given for it: an order that comes in while the message is on
//! its way to the provider cannot call it back. A leave is good for [`LEAVE_IS_GOOD_FOR`], no longer.

mod arms;
mod chance;
mod civil;
mod conditions;
mod fact;
mod gifts;
mod hours;
mod law;
mod ledger;
mod people;
mod reasons;
mod rules;
mod steps;
mod verdict;
mod whereabouts;
mod zones;

use std::collections::BTreeMap;

pub use civil::{Local, easter, is_easter_plus, local};
pub use fact::{Contact, End, Entry, Fact, Gift, Instant, Message, Owner, Reason, Spot, Story, Voice, Way};
pub use rules::{Arm, Counted, Deal, Gives, Holiday, Lot, Night, Plan, Rules, Sheet, When};

use arms::Arms;
use conditions::Counts;
use gifts::Gifts;
use ledger::Ledger;
use people::People;
use reasons::{Heard, Refusal};
use verdict::{Asked, Scene};
use whereabouts::Atlas;

/// How long after leave was given a message may be handed over.
pub const LEAVE_IS_GOOD_FOR: i64 = 5 * 60 * 1_000;
/// Twenty-four hours.
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// What kind of promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One planned contact reached somebody twice.
    Duplicate,
    /// A due step ended in nothing, or for a reason that is none.
    Lost,
    /// Written to after an order.
    AfterPurchase,
    /// Written to after a no, or in a pause.
    AfterOptOut,
    /// More messages than promised.
    Cap,
    /// At a quiet hour, or on a day on which the law keeps quiet.
    Quiet,
    /// Anything else: without a yes, with the shop stopped, to a program, against another law, to who is held out or not
    /// reached yet, about a cart from before, with an offer that was not to be given.
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
    let mut people = People::new(&story.owners, rules.browse_per_week.is_some());
    let mut atlas = Atlas::default();
    let mut heard = Heard::default();
    let mut arms = Arms::new(rules, story.shadow);
    let mut counts = Counts::default();
    // Every leave, not the last alone: whoever got the first may still be at work when a second is given.
    let mut asked: BTreeMap<Contact, Vec<Asked>> = BTreeMap::new();
    let mut ledger = Ledger::new(rules);
    let mut gifts = Gifts::new(rules, story);
    for (place, entry) in story.facts.iter().enumerate() {
        let at = entry.at;
        people.learn(entry);
        atlas.learn(entry);
        heard.learn(entry);
        ledger.learn(place, entry);
        gifts.learn(place, entry);
        let scene = Scene { people: &people, atlas: &atlas, arms: &arms, counts: &counts, rules, story };
        let judged = |message| verdict::of(&scene, at, place, message);
        match &entry.fact {
            Fact::Leave(message) => {
                asked.entry(message.contact).or_default().push(judged(message));
            }
            Fact::Delivered(message) => {
                let given = asked.get(&message.contact).map(Vec::as_slice).unwrap_or_default();
                let is_its = |a: &&Asked| a.message == *message && at - a.at <= LEAVE_IS_GOOD_FOR;
                let leave = given.iter().rev().find(is_its);
                // Where nobody gave leave, or too long ago, it is judged by the moment it went out.
                let message = leave.cloned().unwrap_or_else(|| judged(message));
                breaches.extend(message.breaches.iter().cloned());
                ledger.add(message);
            }
            Fact::Refused { contact, person, addresses, why } => {
                let refusal = Refusal { at, contact: *contact, person, addresses, why: *why };
                let what = heard.refused(&scene, &refusal);
                breaches.extend(what.map(|what| lost(at, *contact, &what)));
            }
            Fact::Ended { contact, how: End::Skipped(why) } => {
                let what = heard.ended(&scene, at, *contact, *why);
                breaches.extend(what.map(|what| lost(at, *contact, &what)));
            }
            _ => {}
        }
        arms.learn(&people, entry);
        counts.learn(entry);
    }
    breaches.extend(ledger.breaches(&people));
    breaches.extend(gifts.breaches(&ledger.firsts()));
    breaches.extend(steps::lost(story, &people, &arms));
    breaches
}

/// A step that ended for a reason that is none.
fn lost(at: Instant, contact: Contact, what: &str) -> Breach {
    let Contact { cart, episode, step } = contact;
    Breach { kind: Kind::Lost, at, what: format!("cart {cart}, episode {episode}, step {step}: {what}") }
}
