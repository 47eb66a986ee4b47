//! Where a recipient may be, by the rule of the documentation read a second time: the clock of the profile, else of the
//! last session; the law of the profile, else of the last session, and for a text message that of the number besides.
//!
//! What is under way may be known or not, so there may be several answers. A message is wrong only if it is wrong by
//! each of them: what holds in all of them forbids, what holds in any of them allows.

use super::LEAVE_IS_GOOD_FOR;
use super::fact::{Entry, Fact, Instant, Spot, Way};
use super::people::People;
use super::rules::{Rules, Sheet};

/// A consumer asks the cart first and for leave later.
const FRESH: i64 = 2 * LEAVE_IS_GOOD_FOR;

#[derive(Debug, Clone, Copy)]
struct Session {
    cart: u16,
    call: usize,
    spot: Spot,
    is_new: bool,
    heard: Instant,
    known: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Profile {
    address: u16,
    spot: Spot,
    place: bool,
    known: bool,
}

/// What sessions and profiles told so far.
#[derive(Debug, Default)]
pub(super) struct Atlas {
    sessions: Vec<Session>,
    profiles: Vec<Profile>,
}

/// The possible answers for one message.
#[derive(Debug, Default)]
pub(super) struct Whereabouts<'r> {
    /// Zones; one of them is right.
    pub(super) zones: Vec<&'static str>,
    /// The law that holds by every answer.
    pub(super) surely: Vec<&'r Sheet>,
    /// The law that holds by any.
    pub(super) perhaps: Vec<&'r Sheet>,
}

impl Atlas {
    /// Takes in what was told.
    pub(super) fn learn(&mut self, entry: &Entry) {
        let (fact, is_known) = match &entry.fact {
            Fact::Heard(fact) => (&**fact, false),
            fact => (fact, true),
        };
        match fact {
            Fact::Session { cart, call, spot, is_new } if !is_known => self.sessions.push(Session {
                cart: *cart,
                call: *call,
                spot: *spot,
                is_new: *is_new,
                heard: entry.at,
                known: None,
            }),
            Fact::Session { call, .. } => {
                for held in self.sessions.iter_mut().filter(|s| s.call == *call) {
                    held.known.get_or_insert(entry.at);
                }
            }
            Fact::Lives { address, spot, place } => {
                self.profiles.push(Profile {
                    address: *address,
                    spot: *spot,
                    place: *place,
                    known: is_known,
                });
            }
            _ => {}
        }
    }

    /// The sessions of which one was the last, as a cart may have told it.
    fn last(&self, cart: u16, at: Instant, told: impl Fn(&Session) -> bool) -> Vec<Spot> {
        let of_cart = || self.sessions.iter().filter(|s| s.cart == cart && told(s));
        let settled = |s: &&Session| s.known.is_some_and(|known| known < at - FRESH);
        let last = of_cart().filter(settled).max_by_key(|s| s.known);
        let open = of_cart().filter(|s| !settled(s));
        // Calls that overlapped may have been written in either order.
        let beside = of_cart().filter(settled).filter(|s| last.is_some_and(|l| s.known >= Some(l.heard)));
        open.chain(beside).map(|s| s.spot).collect()
    }

    /// Where whoever gets a message may be.
    pub(super) fn find<'r>(
        &self,
        people: &People,
        rules: &'r Rules,
        at: Instant,
        (cart, way, address): (u16, Way, u16),
    ) -> Whereabouts<'r> {
        let known = |p: &&Profile| p.known && people.are_one(p.address, address);
        let perhaps = |p: &&Profile| people.may_be_one(p.address, address);
        let spots = |place: bool| {
            let told = |p: &&Profile| p.place || !place;
            let mut spots: Vec<Spot> =
                self.profiles.iter().filter(told).filter(perhaps).map(|p| p.spot).collect();
            if !self.profiles.iter().filter(told).any(|p| known(&p)) {
                spots.extend(self.last(cart, at, |s| s.is_new || !place));
            }
            spots
        };
        let mut zones: Vec<&'static str> = spots(false).iter().map(|s| s.zone).collect();
        zones.sort_unstable();
        zones.dedup();
        let places = spots(true);
        let number = people.owner(address).filter(|_| way == Way::Text).map(|o| o.home);
        let by_number = |s: &&Sheet| number.is_some_and(|n| s.covers(n.country, n.region));
        let all = |s: &&Sheet| !places.is_empty() && places.iter().all(|p| s.covers(p.country, p.region));
        let any = |s: &&Sheet| places.is_empty() || places.iter().any(|p| s.covers(p.country, p.region));
        Whereabouts {
            zones,
            surely: rules.laws.iter().filter(|s| all(s) || by_number(s)).collect(),
            perhaps: rules.laws.iter().filter(|s| any(s) || by_number(s)).collect(),
        }
    }
}
