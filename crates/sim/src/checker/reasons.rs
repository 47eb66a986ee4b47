//! Whether what a refusal claims was so: nobody is passed over for a reason that is not one. An order or a no may be
//! known before it is acknowledged, and a call about who is who may have been heard before it was answered; so a
//! reason stands if anything that had arrived by then bears it out, and is false only if nothing does.
//!
//! Of conditions the checker reads what it can count for itself; what else they ask may be so or not. Of the law it is asked
//! whether any that may hold forbids the message for good, not which of several rules was asked first.

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Contact, Entry, Fact, Instant, Message, Reason, Way};
use super::verdict::Scene;
use super::whereabouts::Whereabouts;
use super::{DAY, LEAVE_IS_GOOD_FOR};
use super::{chance, law};

/// A message counts from its leave here, and from when it was known to be sent there.
const SLACK: i64 = 2 * LEAVE_IS_GOOD_FOR;

/// An order that arrived.
#[derive(Debug)]
struct Order {
    /// When it was placed; a page's, which is dated by its arrival, whenever.
    placed: Option<Instant>,
    cart: Option<u16>,
    addresses: Vec<u16>,
    in_browser: bool,
    postal: bool,
}

/// An episode of a cart.
#[derive(Debug)]
struct Left {
    cart: u16,
    began: Instant,
    browse: bool,
}

/// Everything that may be known so far, and what was surely acknowledged.
#[derive(Debug, Default)]
pub(super) struct Heard {
    orders: Vec<Order>,
    opt_outs: Vec<(u16, Option<Way>)>,
    /// First sign of a cart that arrived.
    seen: BTreeMap<u16, Instant>,
    automated: BTreeSet<u16>,
    left: Vec<Left>,
    /// Messages for which leave was written down.
    leaves: Vec<(Instant, Message)>,
    delivered: BTreeSet<Contact>,
    declined: BTreeSet<Contact>,
    /// Addresses that are held to be written to, surely.
    contacts: BTreeSet<u16>,
    /// Addresses whose yes was acknowledged.
    agreed: BTreeSet<u16>,
    /// Words of no that arrived.
    refused: BTreeSet<(u16, Way)>,
    /// Addresses of people who were held out.
    held_out: BTreeSet<u16>,
    /// Refusals whose reason is borne out.
    borne_out: BTreeSet<(Contact, Reason)>,
}

/// A refusal that is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal<'a> {
    pub(super) at: Instant,
    pub(super) contact: Contact,
    pub(super) person: &'a str,
    pub(super) addresses: &'a [u16],
    pub(super) why: Reason,
}

impl Heard {
    /// Takes in what happened.
    pub(super) fn learn(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::Heard(fact) => self.arrived(fact),
            // What was acknowledged has arrived.
            fact @ (Fact::Touched { .. } | Fact::Ordered { .. } | Fact::OptedOut { .. }) => {
                self.arrived(fact);
            }
            Fact::Said { address, way, granted: false, .. } => {
                self.refused.insert((*address, *way));
                self.contacts.insert(*address);
            }
            Fact::Agreed { addresses } => {
                self.agreed.extend(addresses);
            }
            Fact::Typed { email, phone, .. } => {
                // A number beside an email address may be somebody else's, and is not taken then.
                self.contacts.extend(email.or(*phone));
            }
            Fact::Vouched { addresses, .. } => self.contacts.extend(addresses),
            Fact::Subscribed { address, .. } => {
                self.contacts.insert(*address);
            }
            Fact::Left { cart, began, browse, .. } => {
                self.left.push(Left { cart: *cart, began: *began, browse: *browse });
            }
            Fact::Leave(message) | Fact::Stored(message) => self.leaves.push((entry.at, message.clone())),
            Fact::Delivered(message) => {
                self.delivered.insert(message.contact);
            }
            Fact::Declined { contact } => {
                self.declined.insert(*contact);
            }
            _ => {}
        }
    }

    fn arrived(&mut self, fact: &Fact) {
        match fact {
            Fact::Touched { cart, said, automated, .. } => {
                let seen = self.seen.entry(*cart).or_insert(*said);
                *seen = (*said).min(*seen);
                if *automated {
                    self.automated.insert(*cart);
                }
            }
            Fact::Ordered { placed, cart, visitor, addresses, postal, .. } => self.orders.push(Order {
                placed: Some(*placed).filter(|_| visitor.is_none()),
                cart: *cart,
                addresses: addresses.clone(),
                in_browser: visitor.is_some(),
                postal: postal.is_some(),
            }),
            Fact::OptedOut { address, way, .. } => self.opt_outs.push((*address, *way)),
            Fact::Said { address, way, granted: false, .. } => {
                self.refused.insert((*address, *way));
            }
            _ => {}
        }
    }

    /// Judges a refusal; what is wrong with its reason.
    pub(super) fn refused(&mut self, scene: &Scene<'_>, refusal: &Refusal<'_>) -> Option<String> {
        let wrong = self.wrong(scene, refusal);
        if wrong.is_none() {
            self.borne_out.insert((refusal.contact, refusal.why));
            if refusal.why == Reason::Holdout {
                self.held_out.extend(refusal.addresses);
            }
        }
        wrong.map(|what| format!("passed over, {:?}: {what}", refusal.why))
    }

    /// Judges the word of a cart that a step was not sent.
    pub(super) fn ended(
        &self,
        scene: &Scene<'_>,
        at: Instant,
        contact: Contact,
        why: Reason,
    ) -> Option<String> {
        let wrong = match why {
            Reason::Superseded => {
                let next = scene.arms.due(Contact { step: contact.step.saturating_add(1), ..contact });
                next.is_none_or(|due| at < due).then_some("the next step was not due")
            }
            Reason::Nobody => {
                let cart = scene.people.carts.get(&contact.cart);
                let was_known = cart.is_some_and(|c| {
                    c.person_since.zip(c.known).is_some_and(|(person, cart)| person.max(cart) <= at)
                });
                was_known.then_some("it was known whose it is")
            }
            Reason::Declined => (!self.declined.contains(&contact)).then_some("no provider had refused it"),
            why => (!self.borne_out.contains(&(contact, why))).then_some("nobody was refused leave for that"),
        };
        wrong.map(|what| format!("step ended, {why:?}: {what}"))
    }

    fn wrong(&self, scene: &Scene<'_>, refusal: &Refusal<'_>) -> Option<&'static str> {
        let Scene { people, rules, arms, story, .. } = *scene;
        let Refusal { at, contact, person, addresses, why } = *refusal;
        let perhaps_theirs = |other: u16| addresses.iter().any(|a| people.may_be_one(*a, other));
        let surely_theirs = |other: u16| addresses.iter().any(|a| people.are_one(*a, other));
        let this = (contact.cart, contact.episode);
        let episode = arms.episode(contact);
        let variants = arms.variants(people, contact, person, addresses);
        let of_this = || self.leaves.iter().filter(|(_, m)| (m.contact.cart, m.contact.episode) == this);
        let others = || of_this().filter(|(_, m)| m.contact != contact);
        let recent = |span: i64| {
            self.leaves.iter().filter(move |(t, m)| {
                m.contact != contact && at - t < span + SLACK && perhaps_theirs(m.address)
            })
        };
        // By any address of theirs that a variant of the step could reach.
        let by_law = |forbids: &dyn Fn(&Whereabouts<'_>, Way) -> bool| {
            variants.iter().flat_map(|v| v.ways).any(|way| {
                people.all_by(*way).filter(|(address, _)| perhaps_theirs(*address)).any(|(address, _)| {
                    forbids(&scene.atlas.find(people, rules, at, (contact.cart, *way, address)), *way)
                })
            })
        };
        let is_so = match why {
            Reason::Ordered => self.orders.iter().any(|o| {
                let since =
                    self.seen.get(&contact.cart).is_none_or(|seen| o.placed.is_none_or(|p| p >= *seen));
                o.cart == Some(contact.cart)
                    || (since
                        && (o.in_browser
                            || o.postal
                            || o.cart.is_some()
                            || o.addresses.iter().any(|a| perhaps_theirs(*a))))
            }),
            Reason::OptedOut => self.opt_outs.iter().any(|(a, way)| way.is_none() && perhaps_theirs(*a)),
            Reason::WayOptedOut => self.opt_outs.iter().any(|(a, way)| {
                way.is_some_and(|w| variants.iter().any(|v| v.ways.contains(&w))) && perhaps_theirs(*a)
            }),
            Reason::Automated => self.automated.contains(&contact.cart),
            Reason::Newer => episode.is_none_or(|this| {
                self.left.iter().filter(|l| l.cart != contact.cart).any(|l| {
                    l.began >= this.began || (this.browse && !l.browse && this.began - l.began < 7 * DAY)
                })
            }),
            Reason::Condition => arms.step(contact).is_none_or(|step| {
                let asked = |when| scene.counts.ask(people, when, contact, addresses);
                step.when.as_ref().is_some_and(|when| asked(when).may_fail)
            }),
            Reason::Forgotten => people.carts.get(&contact.cart).is_some_and(|cart| cart.closing),
            Reason::Unshown => story.unshown.contains(&contact.cart),
            Reason::Shadow => story.shadow,
            Reason::Repeats => others().any(|(_, m)| variants.iter().any(|v| v.text == m.text)),
            Reason::NoAddress => variants.iter().any(|v| {
                let reachable = |a: &&u16| people.owner(**a).is_some_and(|o| v.ways.contains(&o.way));
                !self.contacts.iter().filter(reachable).any(|a| surely_theirs(*a))
            }),
            Reason::NoYes => variants.iter().any(|v| {
                // Whose browser it is that may be pushed to, the shop need not have learned: a yes to that refutes nothing.
                !v.ways.iter().filter(|way| **way != Way::Push).any(|way| {
                    let by_this = |a: &u16| people.owner(*a).is_some_and(|o| o.way == *way);
                    let least =
                        rules.least_voice.iter().filter(|(w, _)| w == way).map(|(_, least)| *least).max();
                    let mut words = people
                        .words
                        .iter()
                        .filter(|w| w.granted && w.way == *way && perhaps_theirs(w.address));
                    let is_firm = words.all(|w| law::firmness(w.voice) >= least.unwrap_or(0));
                    let said_no = self.refused.iter().any(|(a, w)| w == way && perhaps_theirs(*a))
                        || self
                            .opt_outs
                            .iter()
                            .any(|(a, w)| w.is_none_or(|w| w == *way) && perhaps_theirs(*a));
                    let can = |a: &&u16| by_this(a) && surely_theirs(**a);
                    is_firm
                        && !said_no
                        && self.contacts.iter().any(|a| can(&a))
                        && self.agreed.iter().any(|a| can(&a))
                })
            }),
            Reason::Night => by_law(&|known, way| law::is_always_night(scene, known, way, at)),
            Reason::Silent => variants.iter().any(|v| v.silent),
            Reason::Unproved => self.leaves.iter().any(|(t, m)| {
                (m.contact.cart, m.contact.episode) != this
                    && at - t < rules.unverified_ms + SLACK
                    && perhaps_theirs(m.address)
            }),
            Reason::Texts => {
                let texts: BTreeSet<Contact> =
                    others().filter(|(_, m)| m.way == Way::Text).map(|(_, m)| m.contact).collect();
                texts.len() >= rules.texts_per_abandonment
            }
            Reason::Law => by_law(&|known, way| {
                let sent = others().filter(|(_, m)| m.way == way).count();
                let words =
                    people.words.iter().filter(|w| w.granted && w.way == way && perhaps_theirs(w.address));
                let firmness = words.map(|w| law::firmness(w.voice)).min();
                law::forbids(
                    scene,
                    known,
                    way,
                    &law::Case { at, began: episode.map(|e| e.began), sent, firmness },
                )
            }),
            Reason::Holdout => {
                chance::bucket(&rules.shop, "holdout", person) < chance::upto(rules.holdout_percent)
                    || self.held_out.iter().any(|a| perhaps_theirs(*a))
            }
            Reason::Rollout => {
                chance::bucket(&rules.shop, "rollout", person) >= chance::upto(rules.rollout_percent)
            }
            Reason::Older => {
                story.in_force_since.is_some_and(|since| episode.is_none_or(|this| this.began < since))
            }
            Reason::Tired => rules.fatigue.is_some_and(|(most, rest)| {
                let had: BTreeMap<Contact, Instant> =
                    recent(i64::MAX / 2).map(|(t, m)| (m.contact, *t)).collect();
                had.len() >= most && had.values().any(|t| at - t < rest + SLACK)
            }),
            Reason::BrowseCap => rules.browse_per_week.is_some_and(|cap| {
                let looked: BTreeSet<Contact> =
                    recent(7 * DAY).filter(|(_, m)| m.browse).map(|(_, m)| m.contact).collect();
                looked.len() >= cap
            }),
            Reason::SentBefore => self.delivered.contains(&contact),
            Reason::Unknown => of_this().any(|(_, m)| m.contact == contact),
            Reason::Declined | Reason::Superseded | Reason::Nobody | Reason::Never => false,
        };
        (!is_so).then_some("nothing bears it out")
    }
}
