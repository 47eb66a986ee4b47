//! What only shows when all messages are seen together: repetitions, caps, rest, one sequence at a time, who is never
//! written to.

use std::collections::{BTreeMap, BTreeSet};

use super::chance;
use super::fact::{Contact, Entry, Fact, Instant, Reason, Way};
use super::people::People;
use super::rules::Rules;
use super::verdict::Asked;
use super::{Breach, DAY, Kind};

/// All messages that reached somebody.
#[derive(Debug)]
pub(super) struct Ledger<'r> {
    rules: &'r Rules,
    messages: Vec<Asked>,
    /// Answers that arrived, as late as they may count: a click, an order, a yes, and whose.
    answers: Vec<(Instant, BTreeSet<u16>)>,
    /// Who was told apart by lot, and when in the story.
    held_out: Vec<(usize, Vec<u16>)>,
    /// Everybody for whom leave was given: where in the story, the id, the address.
    cleared: Vec<(usize, String, u16)>,
}

impl<'r> Ledger<'r> {
    pub(super) fn new(rules: &'r Rules) -> Self {
        Self { rules, messages: vec![], answers: vec![], held_out: vec![], cleared: vec![] }
    }

    /// Takes in what happened.
    pub(super) fn learn(&mut self, place: usize, entry: &Entry) {
        match &entry.fact {
            Fact::Heard(fact) => {
                if let Fact::Ordered { addresses, cart, visitor, .. } = &**fact {
                    // One whose buyer is found out by cart or browser may be anybody's.
                    let anybody = cart.is_some() || visitor.is_some();
                    self.answers.push((
                        entry.at,
                        if anybody { BTreeSet::new() } else { addresses.iter().copied().collect() },
                    ));
                }
            }
            Fact::Said { address, granted: true, said, .. } => {
                self.answers.push((entry.at.max(*said), BTreeSet::from([*address])));
            }
            Fact::Clicked { address, .. } => self.answers.push((entry.at, BTreeSet::from([*address]))),
            Fact::Refused { addresses, why: Reason::Holdout, .. } => {
                self.held_out.push((place, addresses.clone()));
            }
            Fact::Leave(message) | Fact::Stored(message) => {
                self.cleared.push((place, message.person.clone(), message.address));
            }
            _ => {}
        }
    }

    pub(super) fn add(&mut self, message: Asked) {
        self.messages.push(message);
    }

    /// Messages as they first reached somebody.
    pub(super) fn firsts(&self) -> Vec<&Asked> {
        let mut seen = BTreeSet::new();
        self.messages.iter().filter(|m| seen.insert(m.message.contact)).collect()
    }

    /// What only shows when all messages are seen together.
    pub(super) fn breaches(&self, people: &People) -> Vec<Breach> {
        let mut found = vec![];
        for (n, message) in self.messages.iter().enumerate() {
            let again = self.messages.iter().take(n).any(|m| m.message.contact == message.message.contact);
            if again {
                found.push(message.breach(Kind::Duplicate, "reached them before"));
            }
            // A message that reached them twice is one breach, not two.
            if !again {
                self.caps(message, &mut found);
                self.patience(people, message, &mut found);
                self.lots(people, message, &mut found);
            }
        }
        found
    }

    /// Messages to the same person for which leave was given before, this one included.
    fn before<'m>(&'m self, message: &'m Asked) -> impl Iterator<Item = &'m Asked> {
        self.messages
            .iter()
            .filter(|m| m.place <= message.place && message.person.contains(&m.message.address))
    }

    fn caps(&self, message: &Asked, found: &mut Vec<Breach>) {
        let rules = self.rules;
        let mut most = |count: usize, cap: usize, what: &str| {
            if count > cap {
                found.push(message.breach(Kind::Cap, &format!("{count} {what}, {cap} allowed")));
            }
        };
        let recent = |span: i64| self.before(message).filter(move |m| message.at - m.at < span);
        let same_episode = |m: &&Asked| {
            let (one, other) = (m.message.contact, message.message.contact);
            (one.cart, one.episode) == (other.cart, other.episode)
        };
        most(recent(DAY).count(), rules.per_day, "messages in a day");
        most(recent(7 * DAY).count(), rules.per_week, "messages in a week");
        if message.message.way == Way::Text {
            let texts =
                self.before(message).filter(same_episode).filter(|m| m.message.way == Way::Text).count();
            most(texts, rules.texts_per_abandonment, "text messages for one abandonment");
        }
        if let (true, Some(cap)) = (message.message.browse, rules.browse_per_week) {
            most(
                recent(7 * DAY).filter(|m| m.message.browse).count(),
                cap,
                "messages about something looked at",
            );
        }
        if !message.proved {
            // An abandonment counts from its first message.
            let mut begun: BTreeMap<(u16, u32), Instant> = BTreeMap::new();
            for m in self.before(message).filter(|m| m.message.address == message.message.address) {
                let first = begun.entry((m.message.contact.cart, m.message.contact.episode)).or_insert(m.at);
                *first = m.at.min(*first);
            }
            let this = (message.message.contact.cart, message.message.contact.episode);
            begun.retain(|about, at| *about == this || message.at - *at < rules.unverified_ms);
            most(begun.len(), 1, "abandonments at an address that nobody proved");
        }
        let first = self.before(message).find(|m| {
            let gives_way = message.message.browse && !m.message.browse;
            // What was only looked at gives way to a cart that was left within a week of it, and no cart to it.
            let goes_first = match (m.began, message.began) {
                (Some(other), Some(this)) if gives_way => other > this || this - other < 7 * DAY,
                (Some(other), Some(this)) => other > this && (message.message.browse || !m.message.browse),
                _ => false,
            };
            m.message.contact.cart != message.message.contact.cart && goes_first
        });
        if let Some(first) = first {
            most(2, 1, &format!("sequences at a time: cart {} goes first", first.message.contact.cart));
        }
        for (cap, in_abandonment) in message.most.iter().copied() {
            let way = message.message.way;
            if in_abandonment {
                let count =
                    self.before(message).filter(same_episode).filter(|m| m.message.way == way).count();
                most(count, cap, "messages that the law allows for one abandonment");
            } else {
                let count = recent(DAY).filter(|m| m.message.way == way).count();
                most(count, cap, "messages that the law allows a day");
            }
        }
    }

    /// Nothing said twice in one abandonment, and nothing to who followed none of the last messages.
    fn patience(&self, people: &People, message: &Asked, found: &mut Vec<Breach>) {
        let this = message.message.contact;
        let earlier = || self.before(message).filter(|m| m.message.contact != this);
        let repeated = earlier().any(|m| {
            let other = m.message.contact;
            (other.cart, other.episode) == (this.cart, this.episode) && m.message.text == message.message.text
        });
        if repeated {
            found.push(message.breach(Kind::Cap, &format!("{} had gone out before", message.message.text)));
        }
        let Some((most, rest)) = self.rules.fatigue else { return };
        let theirs = |of: &BTreeSet<u16>| {
            of.is_empty() || of.iter().any(|a| people.may_be_one(*a, message.message.address))
        };
        let answered =
            self.answers.iter().filter(|(at, of)| *at <= message.at && theirs(of)).map(|(at, _)| *at);
        let answered = answered.max().unwrap_or(Instant::MIN);
        let unanswered: BTreeMap<Contact, Instant> =
            earlier().filter(|m| m.at > answered).map(|m| (m.message.contact, m.at)).collect();
        let last = unanswered.values().max();
        if unanswered.len() >= most && last.is_some_and(|last| message.at - last < rest) {
            let what = format!("{} messages in a row were not followed", unanswered.len());
            found.push(message.breach(Kind::Cap, &what));
        }
    }

    /// Who is not to be written to so that the effect can be known: whoever was told apart once, and whoever's ticket
    /// says so, unless they were written to before it was known that they are that person.
    fn lots(&self, people: &People, message: &Asked, found: &mut Vec<Breach>) {
        let out = chance::upto(self.rules.holdout_percent);
        let told_apart = self.held_out.iter().any(|(place, addresses)| {
            *place < message.place && addresses.iter().any(|a| message.person.contains(a))
        });
        let ticket = |person: &str| chance::bucket(&self.rules.shop, "holdout", person);
        let was_in = || {
            self.cleared.iter().any(|(place, person, address)| {
                *place < message.place
                    && people.may_be_one(*address, message.message.address)
                    && ticket(person) >= out
            })
        };
        if told_apart || (ticket(&message.message.person) < out && !was_in()) {
            found.push(message.breach(Kind::Other, "they are held out"));
        }
    }
}
