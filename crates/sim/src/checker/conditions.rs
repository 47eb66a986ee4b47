//! Conditions of steps, as far as the checker can count for itself: what was sent and followed in an abandonment, and
//! which abandonment of its cart it is. What else a condition asks may be so or not.
//!
//! What is under way counts or not, so a count is a range. A message is wrong where its condition cannot hold, a
//! refusal where it cannot but hold.

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Contact, End, Entry, Fact};
use super::people::People;
use super::rules::{Counted, When};

/// What can be counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Messages for which leave was given, and to which address.
    leaves: BTreeMap<Contact, u16>,
    /// Those of which the cart says that they were sent: the person was told before.
    sent: BTreeSet<Contact>,
    /// Messages that perhaps were followed,
    perhaps_followed: BTreeSet<Contact>,
    /// and those that surely were, after they were known to be sent.
    followed: BTreeSet<Contact>,
    /// The same before it was acknowledged.
    heard: BTreeSet<Contact>,
}

/// What a condition may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) may_hold: bool,
    pub(super) may_fail: bool,
}

impl Counts {
    /// Takes in what happened.
    pub(super) fn learn(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::Leave(m) | Fact::Stored(m) => {
                self.leaves.insert(m.contact, m.address);
            }
            Fact::Ended { contact, how: End::Sent } => {
                self.sent.insert(*contact);
            }
            Fact::Clicked { contact, .. } => {
                self.perhaps_followed.insert(*contact);
                if self.sent.contains(contact) {
                    self.heard.insert(*contact);
                }
            }
            Fact::Followed { contact } if self.heard.contains(contact) => {
                self.followed.insert(*contact);
            }
            _ => {}
        }
    }

    /// What a condition says of somebody who has one of these addresses.
    pub(super) fn ask(&self, people: &People, when: &When, contact: Contact, addresses: &[u16]) -> Answer {
        match when {
            When::All(parts) => {
                let parts = || parts.iter().map(|p| self.ask(people, p, contact, addresses));
                Answer { may_hold: parts().all(|a| a.may_hold), may_fail: parts().any(|a| a.may_fail) }
            }
            When::Any(parts) => {
                let parts = || parts.iter().map(|p| self.ask(people, p, contact, addresses));
                Answer { may_hold: parts().any(|a| a.may_hold), may_fail: parts().all(|a| a.may_fail) }
            }
            When::Not(part) => {
                let Answer { may_hold, may_fail } = self.ask(people, part, contact, addresses);
                Answer { may_hold: may_fail, may_fail: may_hold }
            }
            When::Between(counted, least, most) => {
                let (low, high) = self.range(people, *counted, contact, addresses);
                Answer { may_hold: low <= *most && high >= *least, may_fail: low < *least || high > *most }
            }
            When::Unread => Answer { may_hold: true, may_fail: true },
        }
    }

    fn range(&self, people: &People, counted: Counted, contact: Contact, addresses: &[u16]) -> (i64, i64) {
        let of_this = |other: &&Contact| {
            (other.cart, other.episode) == (contact.cart, contact.episode) && **other != contact
        };
        let theirs = |other: &&Contact| {
            let to = self.leaves.get(other);
            to.is_some_and(|to| addresses.iter().any(|a| people.are_one(*a, *to)))
        };
        let count = |all: usize| i64::try_from(all).unwrap_or(i64::MAX);
        match counted {
            Counted::Sent => (
                count(self.sent.iter().filter(of_this).filter(theirs).count()),
                count(self.leaves.keys().filter(of_this).count()),
            ),
            Counted::Followed => (
                count(self.followed.iter().filter(of_this).filter(theirs).count()),
                count(self.perhaps_followed.iter().filter(of_this).count()),
            ),
            Counted::Abandonment => (i64::from(contact.episode), i64::from(contact.episode)),
        }
    }
}
