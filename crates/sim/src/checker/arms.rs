//! What was planned for somebody: the step as the arms of experiments on it have it. Whose arm it is, is worked out from
//! the id alone, by the definition of the lots; whoever was written to under an arm stays in it, also where it turns out
//! later that two are one.
//!
//! What is under way may be known or not, so there may be several arms. A message is wrong only if it is by each of them.

use std::collections::BTreeMap;

use super::chance;
use super::fact::{Contact, End, Entry, Fact, Instant, Reason, Way};
use super::people::People;
use super::rules::{Arm, Lot, Plan, Rules};

/// A step as somebody's arms have it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variant<'r> {
    pub(super) after: i64,
    pub(super) ways: &'r [Way],
    pub(super) text: &'r str,
    pub(super) gifts: &'r [String],
    /// Nothing is sent.
    pub(super) silent: bool,
}

/// An episode, and what is planned for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Episode<'r> {
    pub(super) began: Instant,
    pub(super) browse: bool,
    pub(super) steps: &'r [Plan],
}

/// Somebody was dealt an arm, and may have noticed.
#[derive(Debug)]
struct Shown<'r> {
    contact: Contact,
    lot: &'r str,
    /// One of these, as bits.
    arms: u8,
    addresses: Vec<u16>,
    /// When leave was given.
    begun: Instant,
    /// Since when it surely counts.
    since: Option<Instant>,
}

/// What is planned, and who was shown what.
#[derive(Debug)]
pub(super) struct Arms<'r> {
    rules: &'r Rules,
    /// Nothing leaves a trace.
    shadow: bool,
    episodes: BTreeMap<(u16, u32), Episode<'r>>,
    /// As whom a cart knows its person.
    behind: BTreeMap<u16, String>,
    shown: Vec<Shown<'r>>,
}

impl<'r> Arms<'r> {
    pub(super) fn new(rules: &'r Rules, shadow: bool) -> Self {
        Self { rules, shadow, episodes: BTreeMap::new(), behind: BTreeMap::new(), shown: vec![] }
    }

    /// Takes in what happened, after it was judged.
    pub(super) fn learn(&mut self, people: &People, entry: &Entry) {
        match &entry.fact {
            Fact::Left { cart, episode, began, browse, sequence } => {
                let steps = self.rules.plans.get(sequence).map(Vec::as_slice).unwrap_or_default();
                self.episodes.insert((*cart, *episode), Episode { began: *began, browse: *browse, steps });
            }
            Fact::Behind { cart, person } => {
                self.behind.insert(*cart, person.clone());
            }
            Fact::Leave(m) | Fact::Stored(m) => {
                self.show(people, entry.at, m.contact, &m.person, &[m.address], None);
            }
            // Whoever is not written to for the sake of comparison counts from then on.
            Fact::Refused { contact, person, addresses, why: Reason::Silent } if !self.shadow => {
                self.show(people, entry.at, *contact, person, addresses, Some(entry.at));
            }
            // The person is told before the cart is.
            Fact::Ended { contact, how: End::Sent } => {
                for shown in self.shown.iter_mut().filter(|s| s.contact == *contact) {
                    shown.since.get_or_insert(entry.at);
                }
            }
            _ => {}
        }
    }

    fn show(
        &mut self,
        people: &People,
        begun: Instant,
        contact: Contact,
        person: &str,
        addresses: &[u16],
        since: Option<Instant>,
    ) {
        for lot in self.step(contact).map(|s| s.lots.as_slice()).unwrap_or_default() {
            let arms = self.dealt(people, lot, person, addresses);
            let addresses = addresses.to_vec();
            self.shown.push(Shown { contact, lot: &lot.name, arms, addresses, begun, since });
        }
    }

    /// An episode that was told of.
    pub(super) fn episode(&self, contact: Contact) -> Option<Episode<'r>> {
        self.episodes.get(&(contact.cart, contact.episode)).copied()
    }

    /// A step as it is without experiments.
    pub(super) fn step(&self, contact: Contact) -> Option<&'r Plan> {
        self.episode(contact)?.steps.get(usize::try_from(contact.step).ok()?)
    }

    /// The step as the arms have it in which whoever has this id and these addresses may be.
    pub(super) fn variants(
        &self,
        people: &People,
        contact: Contact,
        person: &str,
        addresses: &[u16],
    ) -> Vec<Variant<'r>> {
        let Some(step) = self.step(contact) else { return vec![] };
        let mut variants = vec![plain(step)];
        for lot in &step.lots {
            let dealt = self.dealt(people, lot, person, addresses);
            let arms = || (0_u32..).zip(&lot.arms).filter(|(n, _)| dealt & bit(*n) != 0);
            variants =
                variants.iter().flat_map(|held| arms().map(move |(_, arm)| arm.change(*held))).collect();
        }
        variants
    }

    /// When a step falls due by what its cart knows: by the id of whoever is behind it, for a cart is not told what
    /// they were shown.
    pub(super) fn due(&self, contact: Contact) -> Option<Instant> {
        let step = self.step(contact)?;
        let mut due = plain(step);
        if let Some(person) = self.behind.get(&contact.cart) {
            let arm = |lot: &'r Lot| lot.arms.get(self.own(lot, person)?);
            due = step.lots.iter().filter_map(arm).fold(due, |held, arm| arm.change(held));
        }
        Some(self.episode(contact)?.began + due.after)
    }

    /// Whether it is too early for a step as somebody's arms have it, whatever its cart took them for.
    pub(super) fn is_early(&self, contact: Contact, plan: &Variant<'_>, at: Instant) -> bool {
        self.episode(contact).is_some_and(|episode| at < episode.began + plan.after)
    }

    /// The arm that an id is dealt.
    fn own(&self, lot: &Lot, person: &str) -> Option<usize> {
        let ticket = chance::bucket(&self.rules.shop, &format!("experiment:{}", lot.name), person);
        chance::share(lot.arms.iter().map(|arm| arm.weight), ticket)
    }

    /// The arms in which somebody may be, as bits: the one shown first, or else that of their id.
    fn dealt(&self, people: &People, lot: &Lot, person: &str, addresses: &[u16]) -> u8 {
        let of_lot = || self.shown.iter().filter(|s| s.lot == lot.name);
        let any = |shown: &Shown<'_>, same: &dyn Fn(u16, u16) -> bool| {
            shown.addresses.iter().any(|one| addresses.iter().any(|other| same(*one, *other)))
        };
        let surely = of_lot().filter(|s| any(s, &|one, other| people.are_one(one, other)));
        let first = surely.filter_map(|s| s.since).min();
        let perhaps = of_lot().filter(|s| any(s, &|one, other| people.may_be_one(one, other)));
        let shown = perhaps.filter(|s| first.is_none_or(|first| s.begun <= first));
        let own = self.own(lot, person).and_then(|arm| u32::try_from(arm).ok()).map_or(0, bit);
        shown.fold(if first.is_none() { own } else { 0 }, |arms, shown| arms | shown.arms)
    }
}

fn plain(step: &Plan) -> Variant<'_> {
    Variant { after: step.after, ways: &step.ways, text: &step.text, gifts: &step.gifts, silent: false }
}

/// A policy has at most eight arms.
const fn bit(arm: u32) -> u8 {
    match 1_u8.checked_shl(arm) {
        Some(bit) => bit,
        None => 0,
    }
}

impl Arm {
    /// A step as this arm has it; what it does not name stays.
    fn change<'r>(&'r self, step: Variant<'r>) -> Variant<'r> {
        Variant {
            after: self.after.unwrap_or(step.after),
            ways: self.ways.as_deref().unwrap_or(step.ways),
            text: self.text.as_deref().unwrap_or(step.text),
            gifts: self.gifts.as_deref().unwrap_or(step.gifts),
            silent: step.silent || self.silent,
        }
    }
}
