//! Who is who, as the edge could know it, and what it had been told of them. The rules of identity are read here a
//! second time: an address has a person of its own, a browser has one of its own; they are one where the address was
//! new when the browser brought it, and where the shop vouches for it.

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Entry, Fact, Instant, Owner, Voice, Way};

/// An order that was acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) number: u32,
    pub(super) at: Instant,
    pub(super) placed: Instant,
    pub(super) cart: Option<u16>,
    pub(super) known_browser: Option<u16>,
    pub(super) addresses: Vec<u16>,
    /// An address of whoever was behind what was bought.
    pub(super) behind: Option<u16>,
    /// An address of whoever had something sent there last.
    pub(super) near: Option<u16>,
    pub(super) cancelled: bool,
}

/// A yes or no that was acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    pub(super) said: Instant,
    pub(super) address: u16,
    pub(super) way: Way,
    pub(super) granted: bool,
    pub(super) voice: Voice,
}

/// What is known of a cart.
#[derive(Debug, Clone, Default)]
pub(super) struct Cart {
    /// First sign of it, which may be a look at something.
    pub(super) seen: Option<Instant>,
    /// First piece.
    pub(super) born: Option<Instant>,
    pub(super) visitor: Option<u16>,
    /// Since when the edge knows of it.
    pub(super) known: Option<Instant>,
    /// Since when it is a program's.
    pub(super) automated: Option<Instant>,
    pub(super) pieces: i32,
    pub(super) alive: Option<Instant>,
    pub(super) ordered: bool,
    /// Its shopper wanted it forgotten, and was answered.
    pub(super) forgotten: Option<Instant>,
    /// The same, be it not answered yet.
    pub(super) closing: bool,
    /// An address of the person behind it,
    pub(super) person: Option<u16>,
    /// known since then.
    pub(super) person_since: Option<Instant>,
    /// When its episodes began.
    pub(super) began: BTreeMap<u32, Instant>,
}

/// Everything that is known so far.
#[derive(Debug)]
pub(super) struct People {
    /// Union-find: addresses first, then browsers.
    parent: Vec<usize>,
    owners: Vec<Owner>,
    /// The same for what may be so already: a call that began may have been heard before it was answered.
    perhaps: Vec<usize>,
    /// How many calls named an address or a browser.
    named: BTreeMap<usize, u32>,
    pub(super) carts: BTreeMap<u16, Cart>,
    pub(super) orders: Vec<Order>,
    pub(super) words: Vec<Word>,
    pub(super) opt_outs: Vec<(Instant, u16, Option<Way>)>,
    pub(super) pauses: Vec<(u16, Instant)>,
    pub(super) proved: BTreeSet<u16>,
    pub(super) stopped: bool,
    /// Whether a look at something is enough for a cart to be.
    looks_bear: bool,
    /// What is sent where: when that arrived, and when it was acknowledged.
    shipped: Vec<Shipped>,
    /// Browsers that were heard of at a cart, be it not answered yet: whoever is behind it may be theirs.
    touching: BTreeMap<u16, BTreeSet<u16>>,
    /// When an order first arrived.
    orders_heard: BTreeMap<u32, Instant>,
    /// Orders of which the platform told, be it not answered yet.
    told: Vec<Told>,
}

/// An order by the platform's word.
#[derive(Debug, Clone)]
struct Told {
    number: u32,
    placed: Instant,
    addresses: Vec<u16>,
    /// It may be anybody's: whoever is behind what was bought.
    anybody: bool,
}

/// Somebody has something sent to a postal address.
#[derive(Debug, Clone, Copy)]
struct Shipped {
    postal: u16,
    address: u16,
    heard: Instant,
    known: Option<Instant>,
}

impl People {
    pub(super) fn new(owners: &[Owner], looks_bear: bool) -> Self {
        Self {
            looks_bear,
            shipped: vec![],
            touching: BTreeMap::new(),
            orders_heard: BTreeMap::new(),
            told: vec![],
            parent: (0..owners.len()).collect(),
            perhaps: (0..owners.len()).collect(),
            owners: owners.to_vec(),
            named: BTreeMap::new(),
            carts: BTreeMap::new(),
            orders: vec![],
            words: vec![],
            opt_outs: vec![],
            pauses: vec![],
            proved: BTreeSet::new(),
            stopped: false,
        }
    }

    /// The browser of a link in a message, which is nobody's.
    pub(super) const A_LINK: u16 = u16::MAX;

    /// Whose an address truly is.
    pub(super) fn owner(&self, address: u16) -> Option<&Owner> {
        self.owners.get(usize::from(address))
    }

    /// Everybody's addresses by one way.
    pub(super) fn all_by(&self, way: Way) -> impl Iterator<Item = (u16, &Owner)> + Clone {
        (0..).zip(&self.owners).filter(move |(_, owner)| owner.way == way)
    }

    fn of_address(address: u16) -> usize {
        usize::from(address)
    }

    fn of_visitor(&mut self, visitor: u16) -> usize {
        let node = self.owners.len() + usize::from(visitor);
        while self.parent.len() <= node {
            self.perhaps.push(self.parent.len());
            self.parent.push(self.parent.len());
        }
        node
    }

    fn root(&self, node: usize) -> usize {
        root_in(&self.parent, node)
    }

    fn join(&mut self, one: usize, other: usize) {
        join_in(&mut self.parent, one, other);
        join_in(&mut self.perhaps, one, other);
    }

    /// Whether two addresses may be known to be one person's.
    pub(super) fn may_be_one(&self, one: u16, other: u16) -> bool {
        root_in(&self.perhaps, Self::of_address(one)) == root_in(&self.perhaps, Self::of_address(other))
    }

    /// Whether two addresses are known to be one person's.
    pub(super) fn are_one(&self, one: u16, other: u16) -> bool {
        self.root(Self::of_address(one)) == self.root(Self::of_address(other))
    }

    /// Whether a browser is known to be the person's of an address.
    pub(super) fn is_browser_of(&self, visitor: u16, address: u16) -> bool {
        let node = self.owners.len() + usize::from(visitor);
        node < self.parent.len() && self.root(node) == self.root(Self::of_address(address))
    }

    /// All addresses of the person of this one.
    pub(super) fn addresses_of(&self, address: u16) -> BTreeSet<u16> {
        (0..u16::try_from(self.owners.len()).unwrap_or(u16::MAX))
            .filter(|a| self.are_one(*a, address))
            .collect()
    }

    /// Takes in what the edge acknowledged.
    pub(super) fn learn(&mut self, entry: &Entry) {
        self.take(entry);
        if let Fact::Typed { cart: Some(cart), .. }
        | Fact::Vouched { cart: Some(cart), .. }
        | Fact::Subscribed { cart: Some(cart), .. } = &entry.fact
            && let Some(held) = self.carts.get_mut(cart)
            && held.person.is_some()
        {
            held.person_since.get_or_insert(entry.at);
            self.may_be_theirs(*cart);
        }
    }

    fn take(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::Heard(fact) => match &**fact {
                Fact::Ships { address, postal } => self.shipped.push(Shipped {
                    postal: *postal,
                    address: *address,
                    heard: entry.at,
                    known: None,
                }),
                Fact::Forgotten { cart } => self.carts.entry(*cart).or_default().closing = true,
                Fact::Touched { cart, visitor, .. } => {
                    self.touching.entry(*cart).or_default().insert(*visitor);
                    self.may_be_theirs(*cart);
                }
                Fact::Ordered { order, placed, cart, visitor, addresses, .. } => {
                    self.orders_heard.entry(*order).or_insert(entry.at);
                    if visitor.is_none() {
                        self.told.push(Told {
                            number: *order,
                            placed: *placed,
                            addresses: addresses.clone(),
                            anybody: cart.is_some(),
                        });
                    }
                }
                _ => {}
            },
            Fact::Ships { address, postal } => {
                let this =
                    |s: &&mut Shipped| s.postal == *postal && s.address == *address && s.known.is_none();
                if let Some(held) = self.shipped.iter_mut().find(this) {
                    held.known = Some(entry.at);
                }
            }
            Fact::Touched { cart, visitor, said, alive, pieces, bought, automated } => {
                let looks_bear = self.looks_bear;
                let held = self.carts.entry(*cart).or_default();
                held.seen = Some(held.seen.map_or(*said, |b| b.min(*said)));
                // It begins with the first piece in it.
                if *pieces > 0 {
                    held.born = Some(held.born.map_or(*said, |b| b.min(*said)));
                    held.known.get_or_insert(entry.at);
                }
                if *pieces > 0 || *bought || (looks_bear && *visitor != Self::A_LINK) {
                    held.visitor.get_or_insert(*visitor);
                }
                // A visit to a cart that is not yet leaves nothing, unless a look bears one.
                if *automated && (held.born.is_some() || looks_bear) {
                    held.automated.get_or_insert(entry.at);
                }
                held.pieces += pieces;
                if *alive {
                    held.alive = held.alive.max(Some(*said));
                }
                if let Some(person) = held.person.filter(|_| held.visitor == Some(*visitor)) {
                    self.is_theirs(*visitor, person);
                }
            }
            Fact::Begun { visitor, addresses } => {
                let browser = visitor.map(|v| self.of_visitor(v));
                let nodes: Vec<usize> =
                    addresses.iter().map(|a| Self::of_address(*a)).chain(browser).collect();
                for node in &nodes {
                    *self.named.entry(*node).or_default() += 1;
                }
                for pair in nodes.windows(2) {
                    if let [one, other] = pair {
                        join_in(&mut self.perhaps, *one, *other);
                    }
                }
            }
            Fact::Typed { visitor, cart, email, phone } => self.typed(*visitor, *cart, *email, *phone),
            Fact::Vouched { cart, addresses } => {
                for address in addresses {
                    self.proved.insert(*address);
                }
                for pair in addresses.windows(2) {
                    if let [one, other] = pair {
                        self.join(Self::of_address(*one), Self::of_address(*other));
                    }
                }
                if let (Some(cart), Some(first)) = (cart, addresses.first()) {
                    let held = self.carts.entry(*cart).or_default();
                    held.person = Some(*first);
                    if let Some(visitor) = held.visitor {
                        self.is_theirs(visitor, *first);
                    }
                }
            }
            Fact::Subscribed { visitor, cart, address } => {
                let browser = self.of_visitor(*visitor);
                self.proved.insert(*address);
                self.join(browser, Self::of_address(*address));
                if let Some(cart) = cart {
                    self.carts.entry(*cart).or_default().person.get_or_insert(*address);
                }
            }
            Fact::Said { address, way, granted, voice, said } => {
                if *voice != Voice::Page {
                    self.proved.insert(*address);
                }
                self.words.push(Word {
                    said: *said,
                    address: *address,
                    way: *way,
                    granted: *granted,
                    voice: *voice,
                });
            }
            Fact::Proved { address } => {
                self.proved.insert(*address);
            }
            Fact::OptedOut { address, way, said } => self.opt_outs.push((*said, *address, *way)),
            Fact::Paused { address, until } => self.pauses.push((*address, *until)),
            Fact::Ordered { order, placed, cart, visitor, addresses, postal } => {
                // An address on an order has its person from then on.
                if let Some(cart) = cart {
                    self.carts.entry(*cart).or_default().ordered = true;
                }
                // However often it is told of, it was placed once: when it was first said to be.
                let same = |o: &&mut Order| o.number == *order;
                let first = self.orders.iter_mut().filter(same).map(|o| o.placed).min();
                let first = first.map_or(*placed, |t| t.min(*placed));
                for held in self.orders.iter_mut().filter(same) {
                    held.placed = first;
                }
                self.orders.push(Order {
                    number: *order,
                    at: entry.at,
                    placed: first,
                    cart: *cart,
                    // A browser of which nobody is known yet leads to nobody, now or later.
                    known_browser: visitor.filter(|v| self.is_known(*v)),
                    addresses: addresses.clone(),
                    behind: cart.and_then(|c| self.carts.get(&c)).and_then(|c| c.person),
                    near: postal.and_then(|p| self.lives_at(p, self.orders_heard.get(order).copied()?)),
                    cancelled: false,
                });
            }
            Fact::Cancelled { order } => {
                for held in self.orders.iter_mut().filter(|o| o.number == *order) {
                    held.cancelled = true;
                }
            }
            Fact::Forgotten { cart } => {
                self.carts.entry(*cart).or_default().forgotten.get_or_insert(entry.at);
            }
            Fact::Stopped { on } => self.stopped = *on,
            Fact::Left { cart, episode, began, .. } => {
                self.carts.entry(*cart).or_default().began.insert(*episode, *began);
            }
            _ => {}
        }
    }

    /// When whoever has an address may have bought something, by the platform's word: a page's makes nobody a customer.
    pub(super) fn bought(&self, address: u16) -> impl Iterator<Item = Instant> {
        let is_theirs = move |told: &&Told| {
            let is_named = told.addresses.iter().any(|a| self.may_be_one(*a, address));
            let is_cancelled = self.orders.iter().any(|o| o.number == told.number && o.cancelled);
            told.anybody || (is_named && !is_cancelled)
        };
        self.told.iter().filter(is_theirs).map(|told| told.placed)
    }

    /// Whoever surely was the last to have something sent there when an order arrived: nobody else was on the way.
    fn lives_at(&self, postal: u16, at: Instant) -> Option<u16> {
        let there = || self.shipped.iter().filter(|s| s.postal == postal);
        let last = there().filter(|s| s.known.is_some_and(|known| known < at)).max_by_key(|s| s.known)?;
        let alone =
            there().all(|s| s.address == last.address || s.known.is_some_and(|known| known < last.heard));
        alone.then_some(last.address)
    }

    /// The browsers that were heard of at a cart may be those of whoever is behind it.
    fn may_be_theirs(&mut self, cart: u16) {
        let Some(person) = self.carts.get(&cart).and_then(|c| c.person) else { return };
        for visitor in self.touching.get(&cart).cloned().unwrap_or_default() {
            let browser = self.of_visitor(visitor);
            join_in(&mut self.perhaps, browser, Self::of_address(person));
        }
    }

    /// How often it was named.
    fn named(&self, node: usize) -> u32 {
        self.named.get(&node).copied().unwrap_or(0)
    }

    /// Whether anybody is known in a browser.
    fn is_known(&self, visitor: u16) -> bool {
        let node = self.owners.len() + usize::from(visitor);
        self.named(node) > 0 || (node < self.parent.len() && self.root(node) != node)
    }

    /// Whoever is behind a cart, its browser is theirs, unless it is somebody's already.
    fn is_theirs(&mut self, visitor: u16, address: u16) {
        let browser = self.of_visitor(visitor);
        if !self.is_known(visitor) {
            self.join(browser, Self::of_address(address));
        }
    }

    fn typed(&mut self, visitor: u16, cart: Option<u16>, email: Option<u16>, phone: Option<u16>) {
        let Some(first) = email.or(phone) else { return };
        let browser = self.of_visitor(visitor);
        // Named by nobody but this very call.
        let is_new = self.named(Self::of_address(first)) <= 1;
        if is_new && self.named(browser) <= 1 && self.root(browser) == browser {
            self.join(browser, Self::of_address(first));
        }
        let own = is_new || self.is_browser_of(visitor, first);
        if let (Some(email), Some(phone)) = (email, phone)
            && own
            && self.named(Self::of_address(phone)) <= 1
        {
            self.join(Self::of_address(email), Self::of_address(phone));
        }
        if let Some(cart) = cart {
            let held = self.carts.entry(cart).or_default();
            // Whoever came first stays, unless the browser in which the cart was born corrects itself.
            if held.person.is_none() || held.visitor == Some(visitor) {
                held.person = Some(first);
            }
        }
    }
}

fn root_in(parent: &[usize], mut node: usize) -> usize {
    while let Some(next) = parent.get(node).copied().filter(|next| *next != node) {
        node = next;
    }
    node
}

/// The smaller number leads, so an address before a browser.
fn join_in(parent: &mut [usize], one: usize, other: usize) {
    let (one, other) = (root_in(parent, one), root_in(parent, other));
    if let Some(held) = parent.get_mut(one.max(other)) {
        *held = one.min(other);
    }
}
