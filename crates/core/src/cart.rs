//! The cart as an order-independent log: the same set of changes gives the same cart, however
//! often, late or out of order they arrive. Does not know prices better than its sources do: what
//! a message may show is decided where the catalogue is.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::EventId;
use crate::money::{Currency, Money};
use crate::time::Timestamp;

/// Most lines a cart holds; more are dropped from the end. Far above any real cart, far below
/// what would strain an object's 2 MB row.
pub const MAX_LINES: usize = 100;
/// Highest quantity of a line.
pub const MAX_QUANTITY: u32 = 9_999;
/// Changes kept apart before the oldest are folded into the base. A late change older than the
/// fold is ignored, so this bounds how far out of order an event may come.
const MAX_CHANGES: usize = 16;

/// Who vouches for a line's title, price and image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Anyone with the public key; shown to nobody but that same browser.
    Page,
    /// The platform, by a signature that was verified.
    Signed,
}

/// One line of a cart. Identified by item and variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// GA4 `item_id`.
    pub item_id: String,
    /// GA4 `item_variant`, if the shop has variants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_variant: Option<String>,
    /// How many, 1..=[`MAX_QUANTITY`].
    pub quantity: u32,
    /// Price of one, in minor units of the cart's currency, as the source said.
    pub unit_price_minor: i64,
    /// Name as the source said.
    #[serde(default)]
    pub title: String,
    /// Picture, absolute or relative to the shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// Product page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_url: Option<String>,
    /// Product class, from the catalogue; never from a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Who vouches for title, price and image.
    pub trust: Trust,
}

impl Line {
    fn same_item(&self, other: &Self) -> bool {
        self.item_id == other.item_id && self.item_variant == other.item_variant
    }
}

/// What a change does to the lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// These quantities are added.
    Add(Vec<Line>),
    /// These quantities are taken away; a line at zero is gone.
    Remove(Vec<Line>),
    /// The cart is exactly this.
    Set(Vec<Line>),
}

/// A change with the time and id that order it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    at: Timestamp,
    id: EventId,
    change: Change,
}

impl Entry {
    fn order(&self) -> (Timestamp, &EventId) {
        (self.at, &self.id)
    }
}

/// A cart: a base, the changes since, and the lines they amount to. The lines are not stored: they
/// follow from the rest, and a cart is written with every batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredCart")]
pub struct Cart {
    /// The currency of all lines; the last source to name one wins.
    pub currency: Currency,
    /// Distinct changes seen, which is what `ETag`s are made of.
    pub version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_at: Option<(Timestamp, EventId)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    base: Vec<Line>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Entry>,
    #[serde(skip_serializing)]
    lines: Vec<Line>,
}

/// A cart as it is stored.
#[derive(Deserialize)]
struct StoredCart {
    currency: Currency,
    version: u64,
    #[serde(default)]
    base_at: Option<(Timestamp, EventId)>,
    #[serde(default)]
    base: Vec<Line>,
    #[serde(default)]
    changes: Vec<Entry>,
}

impl From<StoredCart> for Cart {
    fn from(stored: StoredCart) -> Self {
        let StoredCart { currency, version, base_at, base, changes } = stored;
        let lines = replay(&base, &changes);
        Self { currency, version, base_at, base, changes, lines }
    }
}

impl Cart {
    /// An empty cart.
    #[must_use]
    pub fn new(currency: Currency) -> Self {
        Self { currency, version: 0, base_at: None, base: vec![], changes: vec![], lines: vec![] }
    }

    /// The lines, in the order in which they were first added.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Product classes of the lines, each once, in alphabetical order.
    #[must_use]
    pub fn classes(&self) -> Vec<String> {
        let classes: BTreeSet<&String> = self.lines.iter().filter_map(|l| l.class.as_ref()).collect();
        classes.into_iter().cloned().collect()
    }

    /// The events that the lines rest on, the oldest first: the last that made them anew, and what
    /// was changed since. At most `most`, the newest.
    #[must_use]
    pub fn basis(&self, most: usize) -> Vec<EventId> {
        let base = self.base_at.iter().map(|(_, id)| id);
        let all: Vec<&EventId> = base.chain(self.changes.iter().map(|e| &e.id)).collect();
        all[all.len().saturating_sub(most)..].iter().map(|id| (*id).clone()).collect()
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Sum of all lines.
    #[must_use]
    pub fn total(&self) -> Money {
        let minor = self.lines.iter().fold(0_i64, |sum, l| {
            sum.saturating_add(l.unit_price_minor.saturating_mul(i64::from(l.quantity)))
        });
        Money { minor, currency: self.currency }
    }

    /// Number of pieces.
    #[must_use]
    pub fn pieces(&self) -> u32 {
        self.lines.iter().fold(0, |n, l| n.saturating_add(l.quantity))
    }

    /// What is in it, as a value that two equal carts share: ids, variants and quantities, not
    /// prices or names. Tells a changed cart from an old one.
    #[must_use]
    pub fn contents(&self) -> String {
        let mut keys: Vec<String> = self
            .lines
            .iter()
            .map(|l| {
                format!("{}\u{1f}{}\u{1f}{}", l.item_id, l.item_variant.as_deref().unwrap_or(""), l.quantity)
            })
            .collect();
        keys.sort_unstable();
        keys.join("\u{1e}")
    }

    /// Applies a change at its place in time. Returns whether the lines are different now.
    /// A change that is held already does nothing; one so old that it was folded away does nothing
    /// either, so no repetition can double a quantity.
    pub fn apply(&mut self, at: Timestamp, id: &EventId, change: Change) -> bool {
        if self.changes.iter().any(|e| e.id == *id) {
            return false;
        }
        self.version += 1;
        let entry = Entry { at, id: id.clone(), change };
        if self.base_at.as_ref().is_some_and(|(t, i)| entry.order() <= (*t, i)) {
            return false;
        }
        let place = self.changes.partition_point(|e| e.order() < entry.order());
        let differs = if place == self.changes.len() {
            // As a rule: it follows all that is known, so the lines are those of before and this.
            step(&mut self.lines, &entry.change)
        } else {
            let changes = self.changes[..place].iter().chain([&entry]).chain(&self.changes[place..]);
            let lines = replay(&self.base, changes);
            let differs = lines != self.lines;
            self.lines = lines;
            differs
        };
        self.changes.insert(place, entry);
        self.fold();
        differs
    }

    /// Moves what can no longer change into the base: everything up to the last `Set`, and the
    /// oldest changes beyond the bound.
    fn fold(&mut self) {
        let last_set =
            self.changes.iter().rposition(|e| matches!(e.change, Change::Set(_))).map_or(0, |i| i + 1);
        let surplus = self.changes.len().saturating_sub(MAX_CHANGES);
        let fold = last_set.max(surplus);
        if fold == 0 {
            return;
        }
        let folded: Vec<Entry> = self.changes.drain(..fold).collect();
        self.base = if self.changes.is_empty() { self.lines.clone() } else { replay(&self.base, &folded) };
        self.base_at = folded.last().map(|e| (e.at, e.id.clone()));
    }
}

fn replay<'e>(base: &[Line], changes: impl IntoIterator<Item = &'e Entry>) -> Vec<Line> {
    let mut lines = base.to_vec();
    for entry in changes {
        step(&mut lines, &entry.change);
    }
    lines
}

/// One change. Returns whether it changed anything.
fn step(lines: &mut Vec<Line>, change: &Change) -> bool {
    let mut differs = false;
    match change {
        Change::Add(added) => {
            for line in added {
                if let Some(held) = lines.iter_mut().find(|l| l.same_item(line)) {
                    let quantity = held.quantity.saturating_add(line.quantity).min(MAX_QUANTITY);
                    let line = Line { quantity, ..line.clone() };
                    differs |= *held != line;
                    *held = line;
                } else if lines.len() < MAX_LINES {
                    lines.push(line.clone());
                    differs = true;
                }
            }
        }
        Change::Remove(removed) => {
            for line in removed {
                if let Some(held) = lines.iter_mut().find(|l| l.same_item(line)) {
                    differs |= line.quantity > 0 && held.quantity > 0;
                    held.quantity = held.quantity.saturating_sub(line.quantity);
                }
            }
            let before = lines.len();
            lines.retain(|l| l.quantity > 0);
            differs |= lines.len() != before;
        }
        Change::Set(all) => {
            let before = core::mem::take(lines);
            for line in all.iter().filter(|l| l.quantity > 0) {
                if let Some(held) = lines.iter_mut().find(|l| l.same_item(line)) {
                    held.quantity = held.quantity.saturating_add(line.quantity).min(MAX_QUANTITY);
                } else if lines.len() < MAX_LINES {
                    lines.push(line.clone());
                }
            }
            differs = *lines != before;
        }
    }
    differs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(item: &str, quantity: u32) -> Line {
        Line {
            item_id: item.to_owned(),
            item_variant: None,
            quantity,
            unit_price_minor: 1000,
            title: item.to_owned(),
            image_url: None,
            item_url: None,
            class: None,
            trust: Trust::Page,
        }
    }

    fn run(order: &[usize]) -> Cart {
        let changes = [
            (10, Change::Add(vec![line("a", 1)])),
            (20, Change::Add(vec![line("b", 2)])),
            (30, Change::Remove(vec![line("a", 1)])),
            (40, Change::Add(vec![line("a", 3)])),
            (50, Change::Remove(vec![line("b", 1)])),
        ];
        let mut cart = Cart::new(Currency::parse("EUR").unwrap());
        for &i in order {
            let (at, change) = &changes[i];
            let id = EventId::parse(&format!("evt_{i}")).unwrap();
            cart.apply(Timestamp::from_millis(*at), &id, change.clone());
        }
        cart
    }

    #[test]
    fn any_order_of_the_same_changes_gives_the_same_cart() {
        let straight = run(&[0, 1, 2, 3, 4]);
        let pieces: Vec<_> = straight.lines().iter().map(|l| (l.item_id.as_str(), l.quantity)).collect();
        assert_eq!(pieces, [("b", 1), ("a", 3)]);
        for order in [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [1, 2, 3, 0, 4]] {
            assert_eq!(run(&order), straight, "{order:?}");
        }
    }

    #[test]
    fn what_comes_in_order_amounts_to_what_is_stored_and_read_again() {
        // The lines are carried on from change to change; a stored cart works them out anew.
        let mut cart = Cart::new(Currency::parse("EUR").unwrap());
        for n in 0..60_u32 {
            let item = ["a", "b", "c"][usize::try_from(n % 3).unwrap()];
            let change = match n % 7 {
                5 => Change::Remove(vec![line(item, 1), line("a", 2)]),
                6 if n % 4 == 0 => Change::Set(vec![line(item, 2), line("d", 1), line(item, 1)]),
                _ => Change::Add(vec![line(item, n % 3), line("e", 1)]),
            };
            let id = EventId::parse(&format!("evt_{n}")).unwrap();
            let before = cart.lines().to_vec();
            let differs = cart.apply(Timestamp::from_millis(i64::from(n)), &id, change);
            assert_eq!(differs, cart.lines() != before, "{n}");
            let stored = serde_json::to_string(&cart).unwrap();
            assert_eq!(serde_json::from_str::<Cart>(&stored).unwrap(), cart, "{n}");
        }
    }

    #[test]
    fn a_snapshot_outdates_what_came_before_it_even_when_that_arrives_later() {
        let mut cart = Cart::new(Currency::parse("EUR").unwrap());
        let id = |n: u32| EventId::parse(&format!("evt_{n}")).unwrap();
        cart.apply(Timestamp::from_millis(50), &id(2), Change::Set(vec![line("c", 1)]));
        assert!(!cart.apply(Timestamp::from_millis(10), &id(1), Change::Add(vec![line("a", 1)])));
        assert_eq!(cart.lines(), [line("c", 1)]);
    }

    #[test]
    fn quantities_and_lines_are_bounded() {
        let mut cart = Cart::new(Currency::parse("EUR").unwrap());
        for n in 0..300_u32 {
            let id = EventId::parse(&format!("evt_{n}")).unwrap();
            cart.apply(
                Timestamp::from_millis(i64::from(n)),
                &id,
                Change::Add(vec![line(&format!("i{n}"), u32::MAX)]),
            );
        }
        assert_eq!(cart.lines().len(), MAX_LINES);
        assert!(cart.changes.len() <= MAX_CHANGES);
    }
}
