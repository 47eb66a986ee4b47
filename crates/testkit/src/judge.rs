//! The judge: reads a timeline and the rules in plain numbers, and says what should not have
//! happened. It uses none of the code it judges: not the gate, not the policy, not its time zones.

use std::collections::{BTreeMap, BTreeSet};

use comeback_core::consent::{Channel, Source};
use comeback_core::id::SendKey;
use comeback_core::time::{DAY, HOUR, MINUTE, Millis, Timestamp};

use crate::timeline::{Entry, Fact, Planned};
use crate::world::{human, visitor};

/// What was promised.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Messages per person in any 24 hours.
    pub per_day: usize,
    /// Messages per person in any 7 days.
    pub per_week: usize,
    /// Text messages per episode.
    pub texts_per_episode: usize,
    /// Episodes per unverified address in 30 days.
    pub episodes_per_unverified: usize,
    /// Local hours from which and to which nobody is written to.
    pub quiet: Option<(i64, i64)>,
    /// Minutes that a human's clock is ahead of UTC; 0 if not named.
    pub ahead_minutes: BTreeMap<String, Millis>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            per_day: 1,
            per_week: 3,
            texts_per_episode: 1,
            episodes_per_unverified: 1,
            quiet: None,
            ahead_minutes: BTreeMap::new(),
        }
    }
}

/// A message that the provider took, with when it was asked for.
struct Message<'t> {
    /// Place on the timeline at which leave was given; of the acceptance, if none was.
    asked: usize,
    planned: &'t Planned,
    channel: Channel,
    address: &'t str,
}

/// Everything on the timeline that breaks a rule, in words; empty is good.
#[must_use]
pub fn judge(timeline: &[Entry], rules: &Rules) -> Vec<String> {
    let mut wrong = vec![];
    let mut messages: Vec<Message<'_>> = vec![];
    let mut keys: BTreeMap<&SendKey, u32> = BTreeMap::new();
    let mut contacts: BTreeMap<&Planned, u32> = BTreeMap::new();
    for (place, entry) in timeline.iter().enumerate() {
        match &entry.fact {
            Fact::Claimed { planned, channel, .. } => {
                wrong.extend(forbidden(timeline, place, planned, *channel, rules));
            }
            Fact::Accepted { key, planned, channel, address } => {
                *keys.entry(key).or_default() += 1;
                *contacts.entry(planned).or_default() += 1;
                let claim = claim_before(timeline, place, key);
                if claim.is_none() {
                    wrong.push(format!("{planned:?} was sent without leave"));
                    wrong.extend(forbidden(timeline, place, planned, *channel, rules));
                }
                messages.push(Message { asked: claim.unwrap_or(place), planned, channel: *channel, address });
            }
            _ => {}
        }
    }
    for (key, times) in keys {
        if times > 1 {
            wrong.push(format!("{key} was taken {times} times"));
        }
    }
    for (planned, times) in contacts {
        if times > 1 {
            wrong.push(format!("{planned:?} went out {times} times"));
        }
    }
    wrong.extend(caps(timeline, &messages, rules));
    wrong
}

fn claim_before(timeline: &[Entry], place: usize, key: &SendKey) -> Option<usize> {
    timeline[..place].iter().rposition(|e| matches!(&e.fact, Fact::Claimed { key: k, .. } if k == key))
}

/// Why nothing should have been let through at this place.
fn forbidden(
    timeline: &[Entry],
    place: usize,
    planned: &Planned,
    channel: Channel,
    rules: &Rules,
) -> Vec<String> {
    let subject = planned.subject.as_str();
    let before = &timeline[..place];
    let now = timeline[place].at;
    let mut wrong = vec![];
    let mut say = |what: String| wrong.push(format!("{planned:?} at {now:?}: {what}"));
    let touched = |e: &Entry| match e.fact {
        Fact::Touched { at } if e.subject == subject => Some(at),
        _ => None,
    };
    let born = before.iter().filter_map(touched).min();
    let mut said_yes = false;
    let mut opted_out = false;
    let mut stopped = false;
    for e in before {
        match &e.fact {
            Fact::Stopped => stopped = true,
            Fact::Resumed => stopped = false,
            Fact::OrderAcknowledged { at }
                if known_as_one(before, &e.subject, subject) && born.is_none_or(|b| b <= *at) =>
            {
                say(format!("an order was acknowledged at {:?}", e.at));
            }
            Fact::OptOutAcknowledged { channel: gone }
                if known_as_one(before, &e.subject, subject) && gone.is_none_or(|c| c == channel) =>
            {
                opted_out = true;
                // Nothing lifts an opt-out of everything.
                if gone.is_none() {
                    say("opted out of everything".to_owned());
                }
            }
            Fact::Said { channel: about, granted, source }
                if human(&e.subject) == human(subject) && *about == channel =>
            {
                said_yes = *granted || said_yes;
                if *granted && *source != Source::Page {
                    opted_out = false;
                }
            }
            _ => {}
        }
    }
    if !said_yes {
        say(format!("never said yes to {channel}"));
    }
    if opted_out {
        say(format!("opted out of {channel}"));
    }
    if stopped {
        say("the shop had stopped all sends".to_owned());
    }
    if let Some((from, to)) = rules.quiet {
        let ahead = rules.ahead_minutes.get(human(subject)).copied().unwrap_or(0);
        let hour = now.plus(ahead * MINUTE).millis().rem_euclid(DAY) / HOUR;
        if hour >= from || hour < to {
            say(format!("it was {hour} o'clock there"));
        }
    }
    wrong
}

/// Whether the system had been told, and had confirmed, that two carts are one human's: their
/// browsers are joined by addresses that were left or ordered with in them.
fn known_as_one(before: &[Entry], one: &str, other: &str) -> bool {
    let (one, other) = (visitor(one), visitor(other));
    let mut browsers = BTreeSet::from([one]);
    let mut addresses: BTreeSet<&str> = BTreeSet::new();
    loop {
        let known = (browsers.len(), addresses.len());
        for e in before {
            if let Fact::Identified { address } = &e.fact
                && (browsers.contains(visitor(&e.subject)) || addresses.contains(address.as_str()))
            {
                browsers.insert(visitor(&e.subject));
                addresses.insert(address);
            }
        }
        if browsers.contains(other) {
            return true;
        }
        if known == (browsers.len(), addresses.len()) {
            return false;
        }
    }
}

fn caps(timeline: &[Entry], messages: &[Message<'_>], rules: &Rules) -> Vec<String> {
    let mut wrong = vec![];
    let asked_at = |m: &Message<'_>| timeline[m.asked].at;
    for message in messages {
        let who = human(&message.planned.subject);
        let now = asked_at(message);
        let within = |span: Millis| {
            messages
                .iter()
                .filter(|m| human(&m.planned.subject) == who && m.asked <= message.asked)
                .filter(|m| {
                    known_as_one(&timeline[..message.asked], &m.planned.subject, &message.planned.subject)
                })
                .filter(|m| now.since(asked_at(m)) < span)
                .count()
        };
        for (span, most, name) in [(DAY, rules.per_day, "day"), (7 * DAY, rules.per_week, "week")] {
            let count = within(span);
            if count > most {
                wrong.push(format!("{:?}: {count} messages in a {name}", message.planned));
            }
        }
        let texts = messages
            .iter()
            .filter(|m| m.channel == Channel::Sms && same_episode(m.planned, message.planned))
            .count();
        if texts > rules.texts_per_episode {
            wrong.push(format!("{:?}: {texts} text messages in one episode", message.planned));
        }
        if !vouched_for(timeline, message) {
            let mut episodes: Vec<(&str, u32)> = messages
                .iter()
                .filter(|m| m.address == message.address && m.asked <= message.asked)
                .filter(|m| now.since(asked_at(m)) < 30 * DAY)
                .map(|m| (m.planned.subject.as_str(), m.planned.episode))
                .collect();
            episodes.sort_unstable();
            episodes.dedup();
            if episodes.len() > rules.episodes_per_unverified {
                wrong.push(format!(
                    "{:?}: an unverified address in {} episodes",
                    message.planned,
                    episodes.len()
                ));
            }
        }
    }
    wrong
}

fn same_episode(a: &Planned, b: &Planned) -> bool {
    a.subject == b.subject && a.episode == b.episode
}

/// Whether anyone but a page stood for the address before the message was let through.
fn vouched_for(timeline: &[Entry], message: &Message<'_>) -> bool {
    timeline[..message.asked].iter().any(|e| match &e.fact {
        Fact::Brought { address, source, .. } => address == message.address && *source != Source::Page,
        Fact::Proved { address } => address == message.address,
        _ => false,
    })
}

/// The contacts that went out, without their times: what must not depend on crashes.
#[must_use]
pub fn contacts(timeline: &[Entry]) -> Vec<Planned> {
    let mut all: Vec<Planned> = timeline
        .iter()
        .filter_map(|e| match &e.fact {
            Fact::Accepted { planned, .. } => Some(planned.clone()),
            _ => None,
        })
        .collect();
    all.sort_unstable();
    all
}

/// The contacts that went out, with their times: what must not depend on repetitions.
#[must_use]
pub fn contacts_in_time(timeline: &[Entry]) -> Vec<(Timestamp, Planned)> {
    timeline
        .iter()
        .filter_map(|e| match &e.fact {
            Fact::Accepted { planned, .. } => Some((e.at, planned.clone())),
            _ => None,
        })
        .collect()
}
