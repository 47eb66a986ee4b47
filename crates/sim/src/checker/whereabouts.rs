//! Where a recipient may be, by the rule of the documentation read a second time. The law is that of the profile's place,
//! else of the last session's, else of their number's country, else of the shop's, else every law there is; for a text
//! message that of the number besides. The clock is the profile's, else the last session's, else that of the country, in
//! all of whose zones it must be day, else the shop's.
//!
//! What is under way may be known or not, so there may be several answers. A message is wrong only if it is wrong by
//! each of them: what holds in all of them forbids, what holds in any of them allows.

use std::collections::BTreeSet;

use super::fact::{Entry, Fact, Instant, Spot, Way};
use super::people::People;
use super::rules::{Rules, Sheet};
use super::{LEAVE_IS_GOOD_FOR, zones};

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
    /// Addresses that surely are somebody's to be written to.
    held: BTreeSet<u16>,
}

/// Where somebody is, by one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place<'r> {
    /// A country, and a region or none.
    At(&'r str, &'r str),
    /// A number names this country, and perhaps this region: not every state has prefixes that are known for its own.
    Dialled(&'r str, &'r str),
    /// Nothing is known.
    Anywhere,
}

impl Place<'_> {
    const fn country(&self) -> &str {
        match self {
            Self::At(country, _) | Self::Dialled(country, _) => country,
            Self::Anywhere => "",
        }
    }

    /// Whether a law surely holds there.
    fn surely(&self, sheet: &Sheet) -> bool {
        match self {
            Self::At(country, region) => sheet.covers(country, region),
            // Without a region it would be every region's.
            Self::Dialled(country, "") => sheet.regions.is_empty() && sheet.covers(country, ""),
            Self::Dialled(country, region) => sheet.covers(country, region),
            Self::Anywhere => true,
        }
    }

    /// Whether it may hold there.
    fn perhaps(&self, sheet: &Sheet) -> bool {
        match self {
            Self::Dialled(country, _) => sheet.covers(country, ""),
            _ => self.surely(sheet),
        }
    }
}

/// The possible answers for one message.
#[derive(Debug, Default)]
pub(super) struct Whereabouts<'r> {
    /// Zones in which it must be day; one of these answers is right, and there always is one.
    pub(super) clocks: Vec<Vec<&'r str>>,
    /// The law that holds by every answer.
    pub(super) surely: Vec<&'r Sheet>,
    /// The law that holds by any.
    pub(super) perhaps: Vec<&'r Sheet>,
    places: Vec<Place<'r>>,
    number: Option<Place<'r>>,
}

impl Whereabouts<'_> {
    /// For how long after an order a customer needs no recorded yes, at most: in every country that counts a law must say
    /// so, and the shortest time holds. Never where nothing is known of a place.
    pub(super) fn soft_opt_in(&self, rules: &Rules, way: Way) -> Option<i64> {
        let grants = |sheet: &Sheet| {
            let spans = sheet.soft_opt_in.iter().filter(|(w, _)| *w == way).map(|(_, span)| *span);
            spans.min()
        };
        let by = |place: &Place<'_>| {
            let laws = rules.laws.iter().filter(|sheet| place.perhaps(sheet));
            laws.filter_map(grants).min().filter(|_| *place != Place::Anywhere)
        };
        let spans = self.places.iter().filter_map(|place| match &self.number {
            Some(number) => Some(by(place)?.min(by(number)?)),
            None => by(place),
        });
        spans.max()
    }
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
            Fact::Vouched { addresses, .. } | Fact::Agreed { addresses } if is_known => {
                self.held.extend(addresses);
            }
            Fact::Typed { email: None, phone: Some(phone), .. } if is_known => {
                self.held.insert(*phone);
            }
            _ => {}
        }
    }

    /// The sessions of which one was the last to tell something, as a cart may have it; nothing where perhaps none was.
    fn last(&self, cart: u16, at: Instant, told: impl Fn(&Session) -> bool) -> Vec<Option<Spot>> {
        let of_cart = || self.sessions.iter().filter(|s| s.cart == cart && told(s));
        let settled = |s: &&Session| s.known.is_some_and(|known| known < at - FRESH);
        let last = of_cart().filter(settled).max_by_key(|s| s.known);
        let open = of_cart().filter(|s| !settled(s));
        // Calls that overlapped may have been written in either order.
        let beside = of_cart().filter(settled).filter(|s| last.is_some_and(|l| s.known >= Some(l.heard)));
        let mut spots: Vec<Option<Spot>> = open.chain(beside).map(|s| Some(s.spot)).collect();
        if last.is_none() {
            spots.push(None);
        }
        spots
    }

    /// What profiles told that may be theirs, and whether one surely is.
    fn profiles(&self, people: &People, address: u16, told: impl Fn(&Profile) -> bool) -> (Vec<Spot>, bool) {
        let all = || self.profiles.iter().filter(|p| told(p));
        let perhaps = all().filter(|p| people.may_be_one(p.address, address)).map(|p| p.spot).collect();
        (perhaps, all().any(|p| p.known && people.are_one(p.address, address)))
    }

    /// Places whose law may count.
    fn places<'r>(
        &self,
        people: &People,
        rules: &'r Rules,
        at: Instant,
        (cart, address): (u16, u16),
    ) -> Vec<Place<'r>> {
        // A new browser tells where it is even where that is unknown.
        let sessions = self.last(cart, at, |s| s.is_new);
        let (profiles, is_known) = self.profiles(people, address, |p| p.place);
        let mut places = vec![];
        for spot in profiles {
            let finer = |session: &Option<Spot>| session.filter(|s| s.country == spot.country);
            let regions = sessions.iter().map(|s| match spot.region {
                // A profile that names no region takes the session's of the same country.
                "" => finer(s).map_or("", |s| s.region),
                region => region,
            });
            places.extend(regions.map(|region| Place::At(spot.country, region)));
        }
        if is_known {
            return places;
        }
        let told = |s: &&Option<Spot>| s.is_some_and(|s| !s.country.is_empty());
        places.extend(sessions.iter().filter(told).flatten().map(|s| Place::At(s.country, s.region)));
        if sessions.iter().any(|s| !told(&s)) {
            let numbers = people.all_by(Way::Text);
            places.extend(
                numbers
                    .clone()
                    .filter(|(number, _)| people.may_be_one(*number, address))
                    .map(|(_, owner)| Place::Dialled(owner.home.country, owner.home.region)),
            );
            let is_held = |number: u16| self.held.contains(&number) && people.are_one(number, address);
            if !numbers.into_iter().any(|(number, _)| is_held(number)) {
                places.push(match &rules.default_country {
                    Some(country) => Place::At(country, ""),
                    None => Place::Anywhere,
                });
            }
        }
        places.dedup();
        places
    }

    /// Where whoever gets a message may be.
    pub(super) fn find<'r>(
        &self,
        people: &People,
        rules: &'r Rules,
        at: Instant,
        (cart, way, address): (u16, Way, u16),
    ) -> Whereabouts<'r> {
        let places = self.places(people, rules, at, (cart, address));
        let number = people.owner(address).filter(|_| way == Way::Text);
        let number = number.map(|o| Place::Dialled(o.home.country, o.home.region));
        let by_country = |place: &Place<'r>| {
            let countries = [Some(*place), number.filter(|n| n.country() != place.country())];
            let all: Vec<&'r str> =
                countries.iter().flatten().flat_map(|place| zones::of(place.country())).collect();
            if all.is_empty() { vec![rules.default_zone.as_str()] } else { all }
        };
        let (profiles, is_known) = self.profiles(people, address, |p| !p.spot.zone.is_empty());
        let mut clocks: Vec<Vec<&'r str>> = profiles.iter().map(|spot| vec![spot.zone]).collect();
        if !is_known {
            for session in self.last(cart, at, |s| !s.spot.zone.is_empty()) {
                match session {
                    Some(spot) => clocks.push(vec![spot.zone]),
                    None => clocks.extend(places.iter().map(by_country)),
                }
            }
        }
        clocks.sort_unstable();
        clocks.dedup();
        let by_number =
            |holds: fn(&Place<'r>, &Sheet) -> bool, s: &Sheet| number.is_some_and(|n| holds(&n, s));
        let surely = |s: &&Sheet| places.iter().all(|p| p.surely(s)) || by_number(Place::surely, s);
        let perhaps = |s: &&Sheet| places.iter().any(|p| p.perhaps(s)) || by_number(Place::perhaps, s);
        Whereabouts {
            clocks,
            surely: rules.laws.iter().filter(surely).collect(),
            perhaps: rules.laws.iter().filter(perhaps).collect(),
            number,
            places,
        }
    }
}
