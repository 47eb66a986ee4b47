//! What people do about a message that reached them. A function of the message, not of the order of things: leaving
//! out another act does not change it, so a failing story can be made shorter.

use comeback_core::time::{DAY, HOUR, MINUTE, Timestamp};

use super::{Act, Do, Planned, Status};
use crate::random::Random;

/// A message that reached somebody.
#[derive(Debug, Clone, Copy)]
pub struct Reached {
    /// The how-manieth of its group.
    pub message: usize,
    /// For which cart.
    pub cart: u16,
    /// In whose first browser it is read.
    pub visitor: u16,
    /// Where it went.
    pub address: u16,
    /// A number for an order that follows.
    pub order: u32,
}

/// What its reader does.
#[must_use]
pub fn react(seed: u64, at: Timestamp, reached: Reached) -> Vec<Planned> {
    let Reached { message, cart, visitor, address, order } = reached;
    let mut random = Random::of(seed, &[3, u64::from(order)]);
    let mut acts = vec![];
    let mut plan = |said: Timestamp, copies: &[i64], act| {
        let arrives = core::iter::once(0).chain(copies.iter().copied()).map(|d| said.plus(d)).collect();
        acts.push(Planned { said, arrives, act });
    };
    let read = at.plus(random.span(MINUTE, 20 * HOUR));
    match random.below(100) {
        0..=17 => {
            // Some programs follow a link twice.
            let copies: &[i64] = if random.percent(20) { &[30_000] } else { &[] };
            plan(read, copies, Act::Clicks { message });
            // People read their messages on the way, too.
            let abroad = random.percent(8);
            let browse = |deeds| Act::Batch { cart, visitor, deeds, mobile: false, automated: false, abroad };
            plan(read.plus(MINUTE), &[], browse(vec![(-20_000, Do::View), (0, Do::Look(20))]));
            if random.percent(40) {
                let bought = read.plus(random.span(5 * MINUTE, 3 * HOUR));
                plan(bought, &[], browse(vec![(0, Do::Bought(order))]));
                let paid = Act::Orders {
                    order,
                    cart: Some(cart),
                    addresses: vec![address],
                    status: Status::Paid,
                    placed: bought,
                    postal: None,
                };
                plan(bought.plus(2_000), &[7_000], paid);
            }
        }
        18..=23 => {
            plan(read, &[], Act::OptsOut { message, all: false });
            if random.percent(25) {
                plan(read.plus(random.span(HOUR, 4 * DAY)), &[], Act::Returns { message });
            }
        }
        24..=26 => plan(read, &[], Act::OptsOut { message, all: true }),
        27..=29 => plan(read, &[], Act::Pauses { message }),
        _ => {}
    }
    acts
}
