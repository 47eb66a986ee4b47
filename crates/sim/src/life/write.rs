//! Writes the life of a group: who they are, and what they do of themselves.

use comeback_core::time::{DAY, HOUR, MINUTE, Millis, SECOND, Timestamp};

use super::{ADDRESSES, Act, Do, Group, Planned, Status, Told};
use crate::checker::{Owner, Way};
use crate::place::{HOMES, NOWHERE};
use crate::random::Random;

/// 5 January 2026. In a year from here every clock change is met.
pub const BEGINNING: Timestamp = Timestamp::from_millis(1_767_571_200_000);

/// Somebody with browsers and addresses.
#[derive(Debug, Clone)]
struct Human {
    email: u16,
    /// A second address, for orders under another name.
    other: u16,
    phone: u16,
    /// A subscription is of one browser.
    push: [u16; 2],
    browsers: [u16; 2],
    agrees: bool,
}

struct Writer {
    /// Percent of visits that are made from abroad.
    travels: u64,
    random: Random,
    acts: Vec<Planned>,
    orders: u32,
}

impl Writer {
    /// Plans an act: mostly it arrives at once and once.
    fn plan(&mut self, said: Timestamp, act: Act) {
        let delay = match self.random.below(100) {
            0..=79 => self.random.span(0, 3 * SECOND),
            80..=94 => self.random.span(0, 5 * MINUTE),
            _ => self.random.span(0, 3 * HOUR),
        };
        let mut arrives = vec![said.plus(delay)];
        if self.random.percent(6) {
            arrives.push(said.plus(delay + self.random.span(0, 2 * HOUR)));
        }
        self.acts.push(Planned { said, arrives, act });
    }

    /// An act whose news is fresh: what somebody clicks is told at once.
    fn plan_now(&mut self, said: Timestamp, act: Act) {
        self.acts.push(Planned { said, arrives: vec![said], act });
    }

    fn visit(&mut self, at: Timestamp, cart: u16, visitor: u16, deeds: &[Do], mobile: bool) -> Timestamp {
        let mut after = 0;
        let abroad = self.random.percent(self.travels);
        let told = deeds
            .iter()
            .map(|deed| {
                let when = after;
                after += self.random.span(5 * SECOND, 90 * SECOND);
                (when, *deed)
            })
            .collect::<Vec<_>>();
        // A page flushes what it has, so a visit is a few batches.
        for batch in told.chunks(4) {
            let first = batch.first().map_or(0, |(t, _)| *t);
            let last = batch.last().map_or(0, |(t, _)| *t);
            let deeds = batch.iter().map(|(t, d)| (t - last, *d)).collect();
            let _ = first;
            let act = Act::Batch { cart, visitor, deeds, mobile, automated: false, abroad };
            self.plan(at.plus(last), act);
        }
        at.plus(after)
    }

    fn order(&mut self) -> u32 {
        self.orders += 1;
        self.orders
    }
}

/// The group with this number, with so many carts, which comes in one of so many days.
#[must_use]
pub fn group(seed: u64, number: u64, carts: u16, days: u32) -> Group {
    let mut random = Random::of(seed, &[1, number]);
    let somewhere = |random: &mut Random| random.pick(HOMES).copied().unwrap_or(NOWHERE);
    let home = somewhere(&mut random);
    let humans = if random.percent(75) { 1 } else { 2 };
    let apart = humans > 1 && random.percent(30);
    let homes = if apart { vec![home, somewhere(&mut random)] } else { vec![home; usize::from(humans)] };
    let abroad = somewhere(&mut random);
    // Most stay at home.
    let travels = if random.percent(20) { 40 } else { 0 };
    let mut owners = vec![];
    let mut address = |way| {
        let home = homes.get(owners.len() / usize::from(ADDRESSES)).copied().unwrap_or(home);
        owners.push(Owner { way, home: home.spot() });
        u16::try_from(owners.len() - 1).unwrap_or(u16::MAX)
    };
    let people: Vec<Human> = (0..humans)
        .map(|n| Human {
            email: address(Way::Email),
            other: address(Way::Email),
            phone: address(Way::Text),
            push: [address(Way::Push), address(Way::Push)],
            browsers: [2 * n, 2 * n + 1],
            agrees: random.percent(85),
        })
        .collect();
    let begins = BEGINNING.plus(random.span(0, i64::from(days.max(1)) * DAY));
    let texts_idempotent = random.percent(50);
    let trouble = if random.percent(60) { u32::try_from(random.below(14)).unwrap_or(0) } else { 0 };
    let through_text = random.percent(3);
    let in_force_since = random.percent(4).then(|| begins.plus(random.span(HOUR, 12 * DAY)));
    let mut writer = Writer { random, acts: vec![], orders: 0, travels };
    if writer.random.percent(2) {
        let from = begins.plus(writer.random.span(0, 6 * DAY));
        writer.plan_now(from, Act::Stops(true));
        let until = from.plus(writer.random.span(HOUR, 40 * HOUR));
        writer.plan_now(until, Act::Stops(false));
    }
    let mut at = begins;
    for cart in 0..carts {
        let who = usize::try_from(writer.random.below(people.len() as u64)).unwrap_or(0);
        let Some(human) = people.get(who) else { continue };
        let stranger = people.iter().find(|h| h.email != human.email);
        errand(&mut writer, at, cart, human, stranger);
        let pause = match writer.random.below(10) {
            0..=2 => writer.random.span(20 * MINUTE, 10 * HOUR),
            3..=5 => writer.random.span(10 * HOUR, 3 * DAY),
            _ => writer.random.span(3 * DAY, 16 * DAY),
        };
        at = at.plus(pause);
    }
    let mut shop = Random::of(seed, &[5, number]);
    let per_hour = shop.percent(6).then(|| u32::try_from(1 + shop.below(2)).unwrap_or(1));
    let elsewhere = shop.percent(50);
    let approved_since = match shop.below(4) {
        0 => None,
        1 => Some(begins.plus(shop.span(HOUR, 10 * DAY))),
        _ => Some(BEGINNING),
    };
    let shadow = shop.percent(2);
    if shop.percent(5) {
        forget(&mut shop, &mut writer.acts);
    }
    let told = (0..humans).map(|_| told(&mut shop)).collect();
    Group {
        number,
        told,
        seed: Random::of(seed, &[2, number]).draw(),
        homes,
        abroad,
        owners,
        visitors: humans * 2,
        carts,
        acts: writer.acts,
        texts_idempotent,
        trouble,
        through_text,
        per_hour,
        shadow,
        approved_since,
        elsewhere,
        in_force_since,
    }
}

/// Somebody wants one of the carts forgotten that they filled.
fn forget(shop: &mut Random, acts: &mut Vec<Planned>) {
    let filled: Vec<(Timestamp, u16, u16)> = acts
        .iter()
        .filter_map(|planned| match &planned.act {
            Act::Batch { cart, visitor, deeds, .. } if deeds.iter().any(|(_, d)| d.pieces() > 0) => {
                Some((planned.said, *cart, *visitor))
            }
            _ => None,
        })
        .collect();
    let Some((filled, cart, visitor)) = shop.pick(&filled).copied() else { return };
    let said = filled.plus(shop.span(5 * MINUTE, 30 * HOUR));
    let mut arrives = vec![said];
    if shop.percent(20) {
        arrives.push(said.plus(shop.span(0, 2 * HOUR)));
    }
    acts.push(Planned { said, arrives, act: Act::Forgets { visitor, cart } });
}

/// What is told of where somebody is: of most everything.
fn told(shop: &mut Random) -> Told {
    if shop.percent(70) {
        return Told::default();
    }
    Told {
        zone: shop.percent(40),
        country: shop.percent(50),
        region: shop.percent(50),
        profile: shop.percent(40),
    }
}

/// One cart from its first visit on, with all that its shopper does about it of themselves.
fn errand(w: &mut Writer, at: Timestamp, cart: u16, human: &Human, stranger: Option<&Human>) {
    let browser = usize::from(w.random.percent(35));
    let visitor = human.browsers.get(browser).copied().unwrap_or_default();
    let mobile = browser == 1;
    if w.random.percent(3) {
        let deeds = vec![(0, Do::View), (500, Do::Add(1)), (900, Do::Checkout)];
        w.plan(at, Act::Batch { cart, visitor, deeds, mobile, automated: true, abroad: false });
        if w.random.percent(50) {
            identify(w, at.plus(SECOND), cart, visitor, human, stranger);
        }
        return;
    }
    let before = w.random.percent(25);
    if before {
        identify(w, at, cart, visitor, human, stranger);
    }
    let mut deeds = vec![Do::View];
    let shape = w.random.below(100);
    for _ in 0..=w.random.below(3) {
        let seconds = u16::try_from(w.random.below(300)).unwrap_or(0);
        deeds.push(Do::Look(seconds));
    }
    if shape < 8 {
        // Somebody who only looks.
        deeds.push(Do::Look(400));
        w.visit(at, cart, visitor, &deeds, mobile);
        return;
    }
    deeds.push(Do::Add(1));
    if w.random.percent(40) {
        deeds.push(Do::Add(2));
    }
    if w.random.percent(15) {
        deeds.push(Do::Remove(1));
    }
    if w.random.percent(45) {
        deeds.push(Do::Checkout);
        if w.random.percent(50) {
            deeds.push(Do::Shipping);
        }
        if w.random.percent(25) {
            deeds.push(Do::Error(u8::try_from(w.random.below(3)).unwrap_or(0)));
        }
        if w.random.percent(15) {
            deeds.push(Do::Estimate);
        }
        if w.random.percent(15) {
            deeds.push(Do::Coupon(w.random.percent(50)));
        }
    }
    if w.random.percent(30) {
        deeds.push(Do::Exit);
    }
    if w.random.percent(60) {
        deeds.push(Do::Hide);
    }
    if w.random.percent(10) {
        deeds.push(Do::End);
    }
    let mut left = w.visit(at, cart, visitor, &deeds, mobile);
    if deeds.contains(&Do::Shipping) && w.random.percent(60) {
        w.plan(left, Act::Ships { address: human.email, postal: 0 });
    }
    if !before && w.random.percent(85) {
        let when = at.plus(w.random.span(MINUTE, 10 * MINUTE));
        if w.random.percent(5) {
            // They buy elsewhere first, and say only then whose cart this is.
            buy(w, when.plus(-20 * SECOND), None, None, &[human.email], true);
        }
        identify(w, when, cart, visitor, human, stranger);
        left = left.max(when);
    }
    if w.random.percent(2) {
        haunt(w, left, cart, visitor);
    }
    afterwards(w, left, cart, visitor, human, mobile);
}

/// How a shopper makes themselves known.
fn identify(w: &mut Writer, at: Timestamp, cart: u16, visitor: u16, human: &Human, stranger: Option<&Human>) {
    let agrees = human.agrees && w.random.percent(95);
    let cart = Some(cart);
    match w.random.below(100) {
        0..=39 => {
            let mut addresses = vec![human.email];
            if w.random.percent(50) {
                addresses.push(human.phone);
            }
            w.plan(at, Act::SignsIn { cart, addresses, agrees });
        }
        40..=69 => {
            let phone = w.random.percent(40).then_some(human.phone);
            w.plan(at, Act::Types { visitor, cart, email: Some(human.email), phone, agrees });
        }
        70..=76 => w.plan(at, Act::Types { visitor, cart, email: None, phone: Some(human.phone), agrees }),
        77..=84 => w.plan(at, Act::Types { visitor, cart, email: Some(human.other), phone: None, agrees }),
        85..=89 => {
            // Somebody types somebody else's address, or a household shares one.
            let email = stranger.map_or(human.email, |s| s.email);
            w.plan(at, Act::Types { visitor, cart, email: Some(email), phone: None, agrees });
        }
        90..=93 => {
            // The shop learns that two addresses are one person.
            let addresses = vec![human.other, human.email, human.phone];
            w.plan(at, Act::SignsIn { cart, addresses, agrees });
        }
        _ => w.plan(at, Act::SignsIn { cart, addresses: vec![human.phone], agrees }),
    }
    if w.random.percent(12) {
        let address = human.push.get(usize::from(visitor % 2)).copied().unwrap_or_default();
        w.plan(at.plus(10 * SECOND), Act::Subscribes { visitor, cart, address });
    }
}

/// A program comes upon the cart after it was left, and does nothing a shopper would do.
fn haunt(w: &mut Writer, left: Timestamp, cart: u16, visitor: u16) {
    let at = left.plus(w.random.span(30 * MINUTE, 6 * HOUR));
    let deeds = vec![(0, Do::Hide)];
    w.plan(at, Act::Batch { cart, visitor, deeds, mobile: false, automated: true, abroad: false });
}

/// What follows: nothing, a return, an order of one kind or another, a word about messages.
fn afterwards(w: &mut Writer, left: Timestamp, cart: u16, visitor: u16, human: &Human, mobile: bool) {
    let later = |w: &mut Writer| left.plus(span_of_days(w));
    if w.random.percent(22) {
        let back = left.plus(w.random.span(10 * MINUTE, 60 * HOUR));
        let deeds = if w.random.percent(40) {
            vec![Do::View, Do::Add(3), Do::Hide]
        } else {
            vec![Do::View, Do::Hide]
        };
        w.visit(back, cart, visitor, &deeds, mobile);
    }
    match w.random.below(100) {
        0..=9 => {
            // In one go, told by page and platform.
            let bought = left.plus(w.random.span(MINUTE, 30 * MINUTE));
            buy(w, bought, Some(cart), Some(visitor), &[human.email], true);
        }
        10..=15 => {
            let bought = later(w);
            buy(w, bought, Some(cart), None, &[human.email], true);
        }
        16..=19 => {
            // Only the page says so.
            let bought = later(w);
            let order = w.order();
            let act = Act::Batch {
                cart,
                visitor,
                deeds: vec![(0, Do::Bought(order))],
                mobile,
                automated: false,
                abroad: false,
            };
            w.plan(bought, act);
        }
        20..=24 => {
            // On another device, by the same address: the platform knows no cart.
            let bought = later(w);
            buy(w, bought, None, None, &[human.email], true);
        }
        25..=28 => {
            // Under another address, in the same browser.
            let bought = later(w);
            buy(w, bought, Some(cart), Some(visitor), &[human.other], true);
        }
        29..=31 => {
            let bought = later(w);
            buy(w, bought, None, None, &[human.phone], true);
        }
        32..=35 => {
            let bought = later(w);
            buy(w, bought, Some(cart), None, &[human.email], false);
        }
        36..=38 => {
            let said = later(w);
            w.plan(said, Act::Says { visitor: None, address: human.email, granted: false });
            if w.random.percent(40) {
                let again = said.plus(w.random.span(DAY, 6 * DAY));
                w.plan(again, Act::Says { visitor: None, address: human.email, granted: true });
            }
        }
        39..=41 => {
            let said = later(w);
            let granted = w.random.percent(50);
            w.plan(said, Act::Says { visitor: Some(visitor), address: human.email, granted });
        }
        42..=43 => {
            let said = later(w);
            w.plan(said, Act::Says { visitor: None, address: human.phone, granted: false });
        }
        44..=46 => {
            // It turns out who they are while something is under way.
            let said = later(w);
            let addresses = vec![human.email, human.phone, human.other];
            w.plan(said, Act::SignsIn { cart: None, addresses, agrees: false });
        }
        _ => {}
    }
}

fn span_of_days(w: &mut Writer) -> Millis {
    match w.random.below(3) {
        0 => w.random.span(15 * MINUTE, 6 * HOUR),
        1 => w.random.span(6 * HOUR, 2 * DAY),
        _ => w.random.span(2 * DAY, 6 * DAY),
    }
}

/// An order as a platform tells of it: placed, perhaps paid later, perhaps cancelled.
fn buy(
    w: &mut Writer,
    at: Timestamp,
    cart: Option<u16>,
    page: Option<u16>,
    addresses: &[u16],
    paid_at_once: bool,
) {
    let order = w.order();
    // They live under one roof.
    let postal = w.random.percent(50).then_some(0);
    let tell = |w: &mut Writer, said: Timestamp, status| {
        let addresses = addresses.to_vec();
        w.plan(said, Act::Orders { order, cart, addresses, status, placed: at, postal });
    };
    if let (Some(visitor), Some(cart)) = (page, cart) {
        let deeds = vec![(0, Do::Bought(order))];
        w.plan(at, Act::Batch { cart, visitor, deeds, mobile: false, automated: false, abroad: false });
    }
    if paid_at_once {
        tell(w, at, Status::Paid);
        return;
    }
    tell(w, at, Status::Pending);
    let settled = at.plus(w.random.span(HOUR, 3 * DAY));
    let status = if w.random.percent(50) { Status::Paid } else { Status::Cancelled };
    tell(w, settled, status);
}
