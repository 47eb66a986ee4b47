//! A batch from a page: the person of a cart that is new to this browser, the cart, the person's list of carts, and
//! what it says was bought.

use comeback_core::cart::{Change as CartChange, Line, Trust};
use comeback_core::id::PersonId;
use comeback_core::person::Order;
use comeback_core::recovery::Recovery;
use comeback_core::signal::{CheckoutError, Signal, SignalKind, Viewed};
use comeback_core::time::Timestamp;

use super::identity::{Change, Identifier};
use super::orders::Placed;
use super::{CartObject, Task, World, place, word};
use crate::broken::Rule;
use crate::checker::{Fact, Spot};
use crate::faults::{Crash, Fate};
use crate::journal::{Capture, Input};
use crate::life::{Act, Do};

/// A session as a cart hears of it.
struct Seen {
    cart: u16,
    visitor: u16,
    person: Option<PersonId>,
    mobile: bool,
    automated: bool,
    is_new: bool,
    at: Spot,
}

impl World<'_> {
    pub(super) fn batch(&mut self, mut task: Task) -> Result<Option<Task>, Crash> {
        let Some((said, Act::Batch { cart, visitor, deeds, mobile, automated, abroad })) =
            self.acts.get(task.act).map(|p| (p.said, p.act.clone()))
        else {
            return Ok(None);
        };
        let bought: Vec<u32> = deeds
            .iter()
            .filter_map(|(_, d)| match d {
                Do::Bought(order) => Some(*order),
                _ => None,
            })
            .collect();
        match task.stage {
            0 => {
                // What its cookie says, which it sends along.
                task.is_new = self.cookies.get(usize::from(visitor)).copied().flatten() != Some(cart);
                // Each time anew: a copy that comes late says again where it was.
                let session = self.session(&task, cart, visitor, abroad);
                self.tell(Fact::Heard(Box::new(session)));
                let facts = self.told_by(task.act, said, cart, visitor, &deeds, automated);
                self.arrive(task.act, facts.into_iter().map(|f| Fact::Heard(Box::new(f))).collect());
                if task.is_new {
                    let behind = self.find(Identifier::Cart(cart));
                    task.person = behind.or_else(|| self.find(Identifier::Visitor(visitor)));
                }
            }
            1 => {
                let is_new = task.is_new;
                let at = self.group.session(visitor, abroad);
                let seen = Seen { cart, visitor, person: task.person.clone(), mobile, automated, is_new, at };
                task.reached = self.capture(task.act, said, &deeds, seen)?;
            }
            2 => {
                // Only now is it sure that there is such a cart, and in which browser it was born: one that merely
                // shows the id of a cart that is not there may have it from anybody.
                if let Some(person) = self.find(Identifier::Cart(cart)).filter(|_| task.is_new) {
                    self.theirs(visitor, cart, &person)?;
                }
                if task.is_new && self.cart(cart).is_some() {
                    // A contact may have come between the question whose it is and its birth, and knows better than
                    // the browser.
                    let told = task.person.clone();
                    let behind = self.find(Identifier::Cart(cart)).filter(|p| Some(p) != told.as_ref());
                    if let Some(person) = behind {
                        let browser = self.visitor_id(visitor);
                        let now = self.now;
                        self.change_cart(cart, |held| {
                            if held.person.is_some() && held.person != told {
                                return vec![];
                            }
                            held.link_from_page(now, &person, browser.as_ref())
                        })?;
                        task.person = Some(person);
                    }
                }
                if let Some(person) = task.person.clone() {
                    self.apply(&person, vec![Change::LinkCart(cart)])?;
                }
                if self.setup.broken != Some(Rule::OrderToAll) {
                    task.persons = self.find(Identifier::Visitor(visitor)).into_iter().collect();
                    task.persons.extend(self.cart(cart).and_then(|c| c.person.clone()));
                }
                if !bought.is_empty() {
                    task.carts.push(cart);
                }
            }
            _ => {
                let placed = bought.first().map(|order| Placed {
                    order: self.order(*order, task.at.unwrap_or(self.now)),
                    paid: false,
                    own: Some(cart),
                    near: None,
                });
                let is_over = match &placed {
                    Some(placed) => self.spread(&mut task, placed)?,
                    None => true,
                };
                if is_over {
                    // Of a cart that it did not reach it gets no cookie: nobody has asked yet whose that cart is.
                    let reached = task.reached;
                    if let Some(cookie) = self.cookies.get_mut(usize::from(visitor)).filter(|_| reached) {
                        *cookie = Some(cart);
                    }
                    let session = self.session(&task, cart, visitor, abroad);
                    self.tell(session);
                    self.acknowledge_batch(task.act, said, cart, visitor, &deeds, automated);
                    return Ok(None);
                }
                return Ok(Some(task));
            }
        }
        task.stage += 1;
        Ok(Some(task))
    }

    /// An order as this shop's systems tell of it.
    pub(super) fn order(&self, number: u32, at: Timestamp) -> Order {
        Order {
            id: format!("order_{:x}_{number}", self.group.number),
            at,
            total_minor: None,
            cancelled: false,
            currency: None,
        }
    }

    fn acknowledge_batch(
        &mut self,
        act: usize,
        said: Timestamp,
        cart: u16,
        visitor: u16,
        deeds: &[(i64, Do)],
        automated: bool,
    ) {
        if self.acknowledged.get(act).copied().unwrap_or(true) {
            if automated {
                // A copy says nothing new, but to a cart that was not there before.
                self.tell(Fact::Touched {
                    cart,
                    visitor,
                    said: said.millis(),
                    alive: false,
                    pieces: 0,
                    bought: false,
                    automated,
                });
            }
            return;
        }
        for fact in self.told_by(act, said, cart, visitor, deeds, automated) {
            self.tell(fact);
        }
        self.acknowledge(act);
    }

    /// Where a batch says it is. Country and region count from a browser that is new to the cart only.
    fn session(&self, task: &Task, cart: u16, visitor: u16, abroad: bool) -> Fact {
        let (call, is_new) = (task.act, task.is_new);
        Fact::Session { cart, call, spot: self.group.session(visitor, abroad), is_new }
    }

    /// What a batch says.
    fn told_by(
        &self,
        act: usize,
        said: Timestamp,
        cart: u16,
        visitor: u16,
        deeds: &[(i64, Do)],
        automated: bool,
    ) -> Vec<Fact> {
        let first = self.first.get(act).copied().flatten().unwrap_or(self.now);
        let mut facts = vec![];
        for (after, deed) in deeds {
            let bought = match deed {
                Do::Bought(order) => Some(*order),
                _ => None,
            };
            facts.push(Fact::Touched {
                cart,
                visitor,
                said: said.plus(*after).min(self.now).millis(),
                alive: deed.is_alive(),
                pieces: deed.pieces(),
                bought: bought.is_some(),
                automated,
            });
            facts.extend(bought.map(|order| Fact::Ordered {
                order,
                // A page's order is dated by its arrival.
                placed: first.millis(),
                cart: Some(cart),
                visitor: Some(visitor),
                addresses: vec![],
                postal: None,
            }));
        }
        facts
    }

    /// Whether there is such a cart, be it since now.
    fn capture(
        &mut self,
        act: usize,
        said: Timestamp,
        deeds: &[(i64, Do)],
        seen: Seen,
    ) -> Result<bool, Crash> {
        let now = self.now;
        let signals: Vec<Signal> = deeds
            .iter()
            .enumerate()
            .filter_map(|(n, (after, deed))| {
                let at = said.plus(*after).min(now);
                Some(Signal { id: self.event_id(act, n)?, at, kind: self.kind(*deed) })
            })
            .collect();
        if self.cart(seen.cart).is_none() {
            // A purchase bears its cart as well: closed, so that what comes late finds it so.
            let bears = deeds.iter().any(|(_, d)| matches!(d, Do::Add(_) | Do::Bought(_)))
                || self.setup.policy.browse.is_some();
            if !bears {
                return Ok(false);
            }
            let at = signals.iter().map(|s| s.at).min().unwrap_or(now);
            self.bear(seen.cart, at, Some(seen.visitor))?;
        }
        self.captured(seen, signals)?;
        Ok(true)
    }

    /// A cart is born with the first thing that happened to it.
    pub(super) fn bear(&mut self, cart: u16, at: Timestamp, visitor: Option<u16>) -> Result<(), Crash> {
        let fate = self.weather.fate();
        if fate == Fate::DiesBefore {
            return Err(Crash);
        }
        let Some(id) = self.cart_id(cart) else { return Ok(()) };
        let mut fresh = Recovery::new(id, self.shop.clone(), self.currency, at.min(self.now));
        fresh.visitor = visitor.and_then(|v| self.visitor_id(v));
        let alarm = fresh.next_wakeup(&self.setup.policy);
        if let Some(held) = self.carts.get_mut(usize::from(cart)) {
            *held = Some(CartObject { cart: fresh, alarm, watch: super::Watch::default() });
        }
        self.outcome.carts += 1;
        if fate == Fate::DiesAfter { Err(Crash) } else { Ok(()) }
    }

    fn captured(&mut self, seen: Seen, signals: Vec<Signal>) -> Result<(), Crash> {
        let Seen { cart, visitor, person, mobile, automated, is_new, at } = seen;
        let (now, zone, place) = (self.now, word(at.zone), is_new.then(|| place(at)));
        let browser = self.visitor_id(visitor);
        if self.setup.journal
            && let Some(id) = self.cart_id(cart)
        {
            let capture = Capture {
                cart: id,
                visitor: browser.clone(),
                person: person.clone(),
                currency: self.currency,
                zone: zone.clone(),
                place: place.clone().unwrap_or_default(),
                mobile,
                automated,
                signals: signals.clone(),
            };
            self.note(|| Input::Capture(Box::new(capture)));
        }
        let events = signals.len() as u64;
        self.change_cart(cart, |held| {
            let mut effects = vec![];
            // Whoever is known behind it stays: that a browser comes back to it says nothing new.
            if let Some(person) = person.as_ref().filter(|_| held.person.is_none()) {
                effects.extend(held.link_from_page(now, person, browser.as_ref()));
            }
            if held.visitor.is_none() && held.cart.version == 0 {
                held.visitor = browser;
            }
            held.automated |= automated;
            held.facts.mobile |= mobile;
            held.zone = zone.or_else(|| held.zone.take());
            held.place = place.unwrap_or_else(|| held.place.clone());
            for signal in signals {
                effects.extend(held.signal(now, signal));
            }
            effects
        })?;
        self.outcome.events += events;
        Ok(())
    }

    fn kind(&self, deed: Do) -> SignalKind {
        let currency = self.currency;
        match deed {
            Do::View => SignalKind::PageView,
            Do::Look(seconds) => SignalKind::ViewItem {
                item: Some(Viewed { item_id: "kettle".to_owned(), item_variant: None, class: None }),
                dwell_ms: Some(i64::from(seconds) * 1_000),
            },
            Do::Add(item) => SignalKind::Cart { currency, change: CartChange::Add(vec![line(item)]) },
            Do::Remove(item) => SignalKind::Cart { currency, change: CartChange::Remove(vec![line(item)]) },
            Do::Checkout => SignalKind::BeginCheckout,
            Do::Shipping => SignalKind::AddShippingInfo,
            Do::Payment => SignalKind::AddPaymentInfo,
            Do::Error(what) => SignalKind::CheckoutError(CheckoutError {
                step: if what == 2 { "contact" } else { "payment" }.to_owned(),
                code: ["card_declined", "out_of_stock", "invalid_field"]
                    .get(usize::from(what))
                    .copied()
                    .unwrap_or("card_declined")
                    .to_owned(),
                method: "card".to_owned(),
            }),
            Do::Estimate => SignalKind::ViewShippingEstimate,
            Do::Coupon(accepted) => SignalKind::TryCoupon { accepted },
            Do::Exit => SignalKind::ExitIntent,
            Do::Hide => SignalKind::PageHide,
            Do::End => SignalKind::SessionEnd,
            Do::Bought(order) => {
                SignalKind::Purchase { order: format!("order_{:x}_{order}", self.group.number) }
            }
        }
    }
}

fn line(item: u8) -> Line {
    Line {
        item_id: format!("item_{item}"),
        item_variant: None,
        quantity: 1,
        unit_price_minor: 1_900 + i64::from(item) * 4_000,
        title: "Something".to_owned(),
        image_url: None,
        item_url: None,
        class: None,
        trust: Trust::Signed,
    }
}
