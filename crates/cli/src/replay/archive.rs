//! The edge's archive (ledger objects of R2, JSON lines) as events. It holds what was decided and why,
//! not what came in: what a cart's value was when it was left, who agreed to what, orders and clicks
//! stand in it, the articles and the visits do not. What is derived is said in the head, and what cannot be.

mod derive;
mod told;

use std::collections::BTreeMap;

use comeback_core::effect::Entry;
use comeback_core::id::{CartId, ShopId};
use comeback_core::money::Currency;
use comeback_sim::journal::Event;
use serde::Deserialize;

use super::source::{self, Broken, Head, Lines};
use crate::failure::Failure;

/// An archive is put in order in memory, so it is bounded; a longer one is a question for months apart.
const MOST: usize = 5_000_000;

/// A line of the archive.
#[derive(Deserialize)]
pub(crate) struct Archived {
    /// Whose.
    pub(crate) shop: ShopId,
    /// Of which cart.
    pub(crate) cart: CartId,
    /// Number within the cart's log.
    pub(crate) seq: u64,
    /// What happened.
    pub(crate) entry: Entry,
}

/// Whether a line is an archive's.
pub(super) fn is_entry(line: &str) -> bool {
    serde_json::from_str::<Archived>(line).is_ok()
}

/// What the amounts of an archive are in, if somebody says so: it does not.
pub(crate) fn currency(assume: Option<&str>) -> Result<Option<Currency>, Failure> {
    match assume.map(|a| a.split_once('=')) {
        None => Ok(None),
        Some(Some(("currency", code))) => {
            Currency::parse(code).map(Some).map_err(|e| Failure::Usage(format!("--assume currency: {e}")))
        }
        _ => Err(Failure::Usage("--assume: for an archive only currency=… is taken".to_owned())),
    }
}

/// Reads an archive and derives events.
pub(super) fn load(
    file: &str,
    assume: Option<&str>,
    broken: &mut Broken,
) -> Result<(Head, Vec<Event>), Failure> {
    let currency = currency(assume)?.unwrap_or(Currency::parse("EUR").unwrap_or(Currency::NONE));
    let mut lines = Lines::open(file)?;
    let mut carts: BTreeMap<CartId, BTreeMap<u64, Entry>> = BTreeMap::new();
    let (mut shop, mut count) = (None::<ShopId>, 0_usize);
    while let Some(line) = lines.next()? {
        let (number, text) = match line {
            source::Line::Text(number, text) => (number, text),
            source::Line::Unreadable(number, why) => {
                broken.note(number, why);
                continue;
            }
        };
        let Ok(archived) = serde_json::from_str::<Archived>(text) else {
            broken.note(number, "not an entry of an archive that this version knows");
            continue;
        };
        if shop.get_or_insert_with(|| archived.shop.clone()) != &archived.shop {
            broken.note(number, "an entry of another shop");
            continue;
        }
        count += 1;
        if count > MOST {
            return Err(Failure::Found(format!("{file}: more than {MOST} entries; take a shorter span")));
        }
        // A queue delivers at least once: the same number is the same entry.
        carts.entry(archived.cart).or_default().insert(archived.seq, archived.entry);
    }
    let shop = shop.ok_or_else(|| Failure::Found(format!("{file}: no entries")))?;
    let times = || carts.values().flat_map(BTreeMap::values).map(|e| e.at);
    let (from, to) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
    let (mut events, mut gaps) = (vec![], Gaps::default());
    for (cart, log) in carts {
        let derived = derive::derive(&cart, log, currency);
        gaps.looked += derived.looked;
        gaps.unvalued += derived.unvalued;
        gaps.forgotten += u64::from(derived.forgotten);
        events.extend(derived.events);
    }
    events.sort_by_key(|e| e.at);
    let head = Head {
        file: file.to_owned(),
        form: "archive",
        source: "the edge's archive of what was decided".to_owned(),
        shop,
        from,
        to,
        assumed: vec![
            "a cart is one article at its value when it was left".to_owned(),
            format!("amounts are {}", currency.code()),
            "the last sign of life was 15 minutes before a cart counted as left".to_owned(),
        ],
        unknown: gaps.told(),
    };
    Ok((head, events))
}

/// What the entries do not tell, counted where it can be.
#[derive(Default)]
struct Gaps {
    looked: u64,
    unvalued: u64,
    forgotten: u64,
}

impl Gaps {
    fn told(&self) -> Vec<String> {
        let mut told = vec![
            "articles, classes and visits".to_owned(),
            "addresses and consents but those that a message could rest on".to_owned(),
            "a no, a pause or an order elsewhere that no decision met, and since when there was a pause or a no to one \
             channel: it counts from the first decision that met it"
                .to_owned(),
            "which persons turned out to be one, and when the shop had stopped all sends".to_owned(),
            "recipients' zones and places".to_owned(),
        ];
        for (number, what) in [
            (self.looked, "what was looked at and for how long (episodes of looking that are left out: "),
            (
                self.unvalued,
                "what some carts were worth when they were left (taken as before, or as nothing: ",
            ),
            (self.forgotten, "what was in carts that their shoppers wanted forgotten (left out: "),
        ] {
            if number > 0 {
                told.push(format!("{what}{number})"));
            }
        }
        told
    }
}
