//! Two replays told apart: what each sends, puts off and leaves out, and which messages one has that
//! the other has not. Holds the carts of a part of the log at a time; then they are counted and let go.

use std::collections::{BTreeMap, BTreeSet};

use comeback_core::consent::Channel;
use comeback_core::decision::{Decision, Why};
use comeback_core::experiment::Exposure;
use comeback_core::id::{CartId, SendKey};
use comeback_core::money::Currency;
use comeback_core::signal::SignalKind;
use comeback_core::time::{HOUR, MINUTE, Millis, Timestamp, Zone};
use comeback_sim::journal::Capture;
use comeback_sim::shell::Decided;
use serde::Serialize;

/// Two messages of one episode this close together are the same contact at another time.
const NEAR: Millis = 12 * HOUR;
/// Changed carts that are listed.
const MOST_LISTED: usize = 200;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Which {
    /// `--policy`.
    A,
    /// `--against`.
    B,
}

/// How often an offer was given.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Given {
    /// Times.
    pub(crate) times: u64,
    /// What it gives away at most, minor units by currency.
    pub(crate) at_most_minor: BTreeMap<Currency, i64>,
}

/// What one policy amounts to.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Side {
    /// Messages.
    pub(crate) sends: u64,
    /// By channel.
    pub(crate) by_channel: BTreeMap<Channel, u64>,
    /// By `sequence / step`.
    pub(crate) by_step: BTreeMap<String, u64>,
    /// By segment of the policy; a message counts in each of its segments.
    pub(crate) by_segment: BTreeMap<String, u64>,
    /// By day in the recipients' own time.
    pub(crate) by_day: BTreeMap<String, u64>,
    /// By hour of their day.
    pub(crate) by_hour: [u64; 24],
    /// Times a step was put off, by reason.
    pub(crate) deferred: BTreeMap<String, u64>,
    /// Steps left out, by reason.
    pub(crate) skipped: BTreeMap<String, u64>,
    /// Offers given.
    pub(crate) offers: BTreeMap<String, Given>,
    /// What the messages cost, by channel.
    pub(crate) cost: BTreeMap<Channel, f64>,
    /// Carts that got at least one message.
    pub(crate) carts: u64,
}

impl Side {
    /// Costs follow from the numbers: a sum of many small prices would depend on their order.
    #[expect(clippy::cast_precision_loss, reason = "numbers of messages, far below 2^52")]
    fn price(&mut self, rates: &BTreeMap<Channel, f64>) {
        let cost = |(channel, sends): (&Channel, &u64)| Some((*channel, rates.get(channel)? * *sends as f64));
        self.cost = self.by_channel.iter().filter_map(cost).collect();
    }

    /// All costs together.
    pub(crate) fn total_cost(&self) -> f64 {
        // Not `sum`: that of nothing is -0.0, and would be shown so.
        self.cost.values().fold(0.0, |all, one| all + one)
    }

    /// Offers of all names.
    pub(crate) fn offers_given(&self) -> u64 {
        self.offers.values().map(|given| given.times).sum()
    }

    /// Sums of a table of reasons.
    pub(crate) fn total(of: &BTreeMap<String, u64>) -> u64 {
        of.values().sum()
    }
}

/// How messages differ, for all or for one channel, segment or step.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Delta {
    /// In both, alike.
    pub(crate) same: u64,
    /// In both, at another time, by another channel or with another offer.
    pub(crate) moved: u64,
    /// In both, alike but for its template or the arm of an experiment.
    pub(crate) reworded: u64,
    /// In B only.
    pub(crate) added: u64,
    /// In A only.
    pub(crate) removed: u64,
}

impl Delta {
    fn count(&mut self, kind: Kind) {
        match kind {
            Kind::Same => self.same += 1,
            Kind::Moved => self.moved += 1,
            Kind::Reworded => self.reworded += 1,
            Kind::Added => self.added += 1,
            Kind::Removed => self.removed += 1,
        }
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// In both, alike.
    Same,
    /// In both, at another time, by another channel or with another offer.
    Moved,
    /// In both, in other words, or as part of another arm of an experiment.
    Reworded,
    /// In B only.
    Added,
    /// In A only.
    Removed,
}

/// A message of a replay.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Message {
    /// Its key.
    pub(crate) key: SendKey,
    /// When.
    pub(crate) at: Timestamp,
    /// Episode of the cart.
    pub(crate) abandonment: u32,
    /// `sequence / step`.
    pub(crate) step: String,
    /// By which channel.
    pub(crate) channel: Channel,
    /// With which offer.
    pub(crate) offer: Option<String>,
    /// In which words.
    pub(crate) template: String,
    /// As part of which experiments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) exposures: Vec<Exposure>,
    segments: Vec<String>,
}

/// A difference of one cart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Change {
    /// What became of it.
    pub(crate) kind: Kind,
    /// Under A.
    pub(crate) a: Option<Message>,
    /// Under B.
    pub(crate) b: Option<Message>,
}

/// A cart that gets other messages.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ChangedCart {
    /// Which.
    pub(crate) cart: CartId,
    /// Its value, minor units of its currency.
    pub(crate) value_minor: i64,
    /// Its currency.
    pub(crate) currency: Currency,
    /// What differs.
    pub(crate) changes: Vec<Change>,
}

/// What a capture tells of its cart beside its signals.
pub(crate) struct Seen {
    cart: CartId,
    zone: Option<String>,
    /// Of a cart that is born with it.
    born_in: Currency,
    /// The last that a change named.
    changed_to: Option<Currency>,
}

impl Seen {
    /// Reads it.
    pub(crate) fn of(capture: &Capture) -> Self {
        let changed_to = capture.signals.iter().rev().find_map(|signal| match signal.kind {
            SignalKind::Cart { currency, .. } => Some(currency),
            _ => None,
        });
        let (cart, zone) = (capture.cart.clone(), capture.zone.clone());
        Self { cart, zone, born_in: capture.currency, changed_to }
    }

    /// The cart's currency after it.
    pub(crate) fn currency_after(&self, before: Option<Currency>) -> Currency {
        self.changed_to.or(before).unwrap_or(self.born_in)
    }
}

#[derive(Default)]
struct Held {
    a: Vec<Message>,
    b: Vec<Message>,
    value_minor: i64,
    currency: Option<Currency>,
    zone: Option<String>,
}

/// The comparison under way, and then its result.
pub(crate) struct Tally {
    /// Of `--policy`.
    pub(crate) a: Side,
    /// Of `--against`.
    pub(crate) b: Side,
    /// Over all.
    pub(crate) all: Delta,
    /// By channel: of a message that moved, the channel under B.
    pub(crate) by_channel: BTreeMap<String, Delta>,
    /// By segment.
    pub(crate) by_segment: BTreeMap<String, Delta>,
    /// By step.
    pub(crate) by_step: BTreeMap<String, Delta>,
    /// Carts with a difference.
    pub(crate) changed_carts: u64,
    /// Those with most of it.
    pub(crate) listed: Vec<ChangedCart>,
    rates: BTreeMap<Channel, f64>,
    zones: BTreeMap<String, Option<Zone>>,
    carts: BTreeMap<CartId, Held>,
}

impl Tally {
    /// Nothing yet.
    pub(crate) fn new(rates: BTreeMap<Channel, f64>) -> Self {
        Self {
            a: Side::default(),
            b: Side::default(),
            all: Delta::default(),
            by_channel: BTreeMap::new(),
            by_segment: BTreeMap::new(),
            by_step: BTreeMap::new(),
            changed_carts: 0,
            listed: vec![],
            rates,
            zones: BTreeMap::new(),
            carts: BTreeMap::new(),
        }
    }

    /// A session of a cart: in which zone it was, and what its amounts are in.
    pub(crate) fn seen(&mut self, capture: &Seen) {
        let held = self.carts.entry(capture.cart.clone()).or_default();
        held.currency = Some(capture.currency_after(held.currency));
        if capture.zone.is_some() && held.zone != capture.zone {
            held.zone.clone_from(&capture.zone);
        }
    }

    /// An answer of the gate in one of the replays.
    pub(crate) fn decided(&mut self, which: Which, decided: &Decided) {
        let held = self.carts.entry(decided.cart.clone()).or_default();
        held.value_minor = decided.value_minor;
        let (zone, currency) = (held.zone.clone(), held.currency.unwrap_or(Currency::NONE));
        let side = match which {
            Which::A => &mut self.a,
            Which::B => &mut self.b,
        };
        let clearance = match &decided.record.decision {
            Decision::Defer { why, .. } => return note(&mut side.deferred, *why),
            Decision::Skip { why } => return note(&mut side.skipped, *why),
            Decision::Send(clearance) => clearance,
        };
        let message = Message {
            key: decided.record.key.clone(),
            at: decided.record.at,
            abandonment: decided.abandonment,
            step: format!("{} / {}", decided.sequence, decided.step),
            channel: clearance.channel(),
            offer: clearance.offer().map(str::to_owned),
            template: clearance.template().to_owned(),
            exposures: clearance.exposures().to_vec(),
            segments: decided.record.segments.clone(),
        };
        side.sends += 1;
        *side.by_channel.entry(message.channel).or_default() += 1;
        *side.by_step.entry(message.step.clone()).or_default() += 1;
        for segment in segments(&message) {
            *side.by_segment.entry(segment).or_default() += 1;
        }
        if let Some(grant) = clearance.grant() {
            let given = side.offers.entry(grant.offer.clone()).or_default();
            given.times += 1;
            // A replay takes a cart's currency for the shop's.
            if let Some(cost) = grant.cost_minor.filter(|_| !grant.again) {
                *given.at_most_minor.entry(currency).or_default() += cost;
            }
        }
        let (day, hour) = local(&mut self.zones, zone.as_deref(), message.at);
        *side.by_day.entry(day).or_default() += 1;
        if let Some(count) = side.by_hour.get_mut(hour) {
            *count += 1;
        }
        let list = match which {
            Which::A => &mut held.a,
            Which::B => &mut held.b,
        };
        if list.is_empty() {
            side.carts += 1;
        }
        list.push(message);
    }

    /// The log is over.
    pub(crate) fn finish(&mut self) {
        self.settle();
        self.listed.sort_by(|x, y| rank(y).cmp(&rank(x)));
        self.listed.truncate(MOST_LISTED);
        for side in [&mut self.a, &mut self.b] {
            side.price(&self.rates);
        }
    }

    /// Nobody so far has anything to do with what comes: their carts are counted and let go.
    pub(crate) fn settle(&mut self) {
        for (cart, held) in std::mem::take(&mut self.carts) {
            let changes = pair(held.a, held.b);
            for change in &changes {
                self.count(change);
            }
            let changes: Vec<Change> = changes.into_iter().filter(|c| c.kind != Kind::Same).collect();
            if changes.is_empty() {
                continue;
            }
            self.changed_carts += 1;
            let currency = held.currency.unwrap_or(Currency::NONE);
            self.listed.push(ChangedCart { cart, value_minor: held.value_minor, currency, changes });
            if self.listed.len() >= 2 * MOST_LISTED {
                self.listed.sort_by(|x, y| rank(y).cmp(&rank(x)));
                self.listed.truncate(MOST_LISTED);
            }
        }
    }

    fn count(&mut self, change: &Change) {
        let Some(message) = change.b.as_ref().or(change.a.as_ref()) else { return };
        self.all.count(change.kind);
        self.by_channel.entry(message.channel.to_string()).or_default().count(change.kind);
        self.by_step.entry(message.step.clone()).or_default().count(change.kind);
        for segment in segments(message) {
            self.by_segment.entry(segment).or_default().count(change.kind);
        }
    }
}

fn rank(cart: &ChangedCart) -> (usize, i64, std::cmp::Reverse<&CartId>) {
    (cart.changes.len(), cart.value_minor, std::cmp::Reverse(&cart.cart))
}

fn note(of: &mut BTreeMap<String, u64>, why: Why) {
    *of.entry(why.story().to_owned()).or_default() += 1;
}

fn segments(message: &Message) -> BTreeSet<String> {
    if message.segments.is_empty() {
        return BTreeSet::from(["(no segment)".to_owned()]);
    }
    message.segments.iter().cloned().collect()
}

/// Day and hour where the recipient is; in UTC where that is not known.
fn local(zones: &mut BTreeMap<String, Option<Zone>>, zone: Option<&str>, at: Timestamp) -> (String, usize) {
    let name = zone.unwrap_or("UTC");
    if !zones.contains_key(name) {
        zones.insert(name.to_owned(), Zone::parse(name));
    }
    let offset = zones.get(name).and_then(Option::as_ref).map_or(0, |z| z.offset_minutes(at));
    let there = at.plus(i64::from(offset) * MINUTE);
    let hour = there.millis().div_euclid(HOUR).rem_euclid(24);
    let day = there.to_rfc3339();
    (day.split('T').next().unwrap_or_default().to_owned(), usize::try_from(hour).unwrap_or(0))
}

/// Puts the messages of one cart side by side: first those of the same name, then those that are near.
fn pair(a: Vec<Message>, b: Vec<Message>) -> Vec<Change> {
    let mut changes = vec![];
    let mut left = b;
    let mut alone = vec![];
    let name = |m: &Message| m.step.rsplit(" / ").next().unwrap_or_default().to_owned();
    for message in a {
        let alike =
            left.iter().position(|m| m.abandonment == message.abandonment && name(m) == name(&message));
        match alike {
            Some(index) => changes.push(both(message, left.remove(index))),
            None => alone.push(message),
        }
    }
    for message in alone {
        let near = left
            .iter()
            .enumerate()
            .filter(|(_, m)| m.abandonment == message.abandonment)
            .map(|(index, m)| (m.at.since(message.at).abs(), index))
            .filter(|(apart, _)| *apart <= NEAR)
            .min();
        changes.push(match near {
            Some((_, index)) => both(message, left.remove(index)),
            None => Change { kind: Kind::Removed, a: Some(message), b: None },
        });
    }
    changes.extend(left.into_iter().map(|m| Change { kind: Kind::Added, a: None, b: Some(m) }));
    changes.sort_by_key(|c| c.b.as_ref().or(c.a.as_ref()).map(|m| m.at));
    changes
}

fn both(a: Message, b: Message) -> Change {
    let moved = a.at.since(b.at).abs() >= MINUTE || a.channel != b.channel || a.offer != b.offer;
    let reworded = a.template != b.template || a.exposures != b.exposures;
    let kind = match (moved, reworded) {
        (true, _) => Kind::Moved,
        (false, true) => Kind::Reworded,
        (false, false) => Kind::Same,
    };
    Change { kind, a: Some(a), b: Some(b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(step: &str, hour: i64, channel: Channel) -> Message {
        Message {
            key: SendKey::parse("snd_1").unwrap(),
            at: Timestamp::from_millis(hour * HOUR),
            abandonment: 1,
            step: format!("standard / {step}"),
            channel,
            offer: None,
            template: "reminder".to_owned(),
            exposures: vec![],
            segments: vec![],
        }
    }

    #[test]
    fn messages_are_paired_by_name_then_by_nearness() {
        let (email, sms) = (Channel::Email, Channel::Sms);
        let kinds = |a: Vec<Message>, b: Vec<Message>| -> Vec<Kind> {
            pair(a, b).into_iter().map(|c| c.kind).collect()
        };
        let one = || message("reminder", 24, email);
        assert_eq!(kinds(vec![one()], vec![one()]), [Kind::Same]);
        assert_eq!(kinds(vec![one()], vec![message("reminder", 1, email)]), [Kind::Moved], "another time");
        assert_eq!(kinds(vec![one()], vec![message("reminder", 24, sms)]), [Kind::Moved], "another channel");
        assert_eq!(kinds(vec![one()], vec![message("hello", 20, email)]), [Kind::Moved], "near");
        assert_eq!(kinds(vec![one()], vec![message("hello", 1, email)]), [Kind::Added, Kind::Removed], "far");
        assert_eq!(kinds(vec![], vec![one()]), [Kind::Added]);
        let worded = |hour| Message { template: "help".to_owned(), ..message("reminder", hour, email) };
        assert_eq!(kinds(vec![one()], vec![worded(24)]), [Kind::Reworded], "at the same time");
        assert_eq!(kinds(vec![one()], vec![worded(1)]), [Kind::Moved], "and at another time");
        let arm = Exposure { experiment: "words".to_owned(), arm: "short".to_owned() };
        let tried = Message { exposures: vec![arm], ..one() };
        assert_eq!(kinds(vec![one()], vec![tried]), [Kind::Reworded], "as part of an experiment");
        let b = vec![message("text", 5, sms), one(), message("last", 72, email)];
        assert_eq!(kinds(vec![one()], b), [Kind::Added, Kind::Same, Kind::Added]);
    }

    #[test]
    fn days_and_hours_are_the_recipients() {
        let mut zones = BTreeMap::new();
        let at = Timestamp::parse_rfc3339("2026-06-01T23:30:00Z").unwrap();
        assert_eq!(local(&mut zones, Some("Europe/Berlin"), at), ("2026-06-02".to_owned(), 1));
        assert_eq!(local(&mut zones, None, at), ("2026-06-01".to_owned(), 23));
        assert_eq!(local(&mut zones, Some("nowhere"), at), ("2026-06-01".to_owned(), 23));
    }
}
