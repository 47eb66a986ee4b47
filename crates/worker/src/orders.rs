//! Telling everybody whom an order concerns, before whoever reported it gets a 2xx: the persons it
//! may be of, their carts, and the persons behind those carts. Nobody is merged for it; the order is
//! simply known wherever a claim may ask.

use comeback_core::id::{CartId, PersonId, ShopId};
use comeback_core::person::Order;
use comeback_core::recovery::{CartOrder, Phase};
use comeback_core::time::Timestamp;
use comeback_wire::calls::{CartAnswer, CartCall, PersonChange};
use worker::Env;

use crate::failure::{Failure, Outcome};
use crate::{identity, objects};

/// An order and what it concerns.
pub(crate) struct Placed {
    pub(crate) order: Order,
    /// Paid, for its own cart; other carts only stop.
    pub(crate) paid: bool,
    /// The cart that was bought, where that is known.
    pub(crate) own: Option<CartId>,
    /// Persons it may be of.
    pub(crate) persons: Vec<PersonId>,
    /// Persons who had something sent to the same postal address. It ends what they had begun, for it
    /// may be theirs under another email; it is not counted as theirs, for it may be a neighbour's.
    pub(crate) near: Vec<PersonId>,
}

/// Spreads it; how the own cart stands afterwards.
///
/// What was bought is told first, for it knows of the order when nobody else does. A report that comes
/// again, dated by its arrival, is of the order as it was first told: by that date it is told to everybody
/// else, and ends nothing that was begun since.
pub(crate) async fn spread(
    env: &Env,
    shop: &ShopId,
    placed: &Placed,
    now: Timestamp,
) -> Outcome<Option<(u64, Phase)>> {
    let mut order = placed.order.clone();
    let mut persons = placed.persons.clone();
    let mut standing = None;
    if let Some(own) = &placed.own
        && let Some(ended) = end(env, shop, own, true, &order, placed.paid, now).await?
    {
        standing = Some((ended.version, ended.phase));
        order.at = ended.ordered_at.unwrap_or(order.at);
        persons.extend(ended.person);
    }
    let mut told: Vec<PersonId> = vec![];
    let mut carts: Vec<CartId> = vec![];
    for person in &persons {
        carts.extend(tell(env, shop, person, &mut order, &mut told, now).await?);
    }
    for person in placed.near.iter().filter(|p| !told.contains(p)) {
        let near = vec![PersonChange::OrderedNear { at: order.at }];
        carts.extend(identity::apply(env, shop, person, near, now).await?.carts);
    }
    carts.sort_unstable();
    carts.dedup();
    for cart in carts.iter().filter(|c| placed.own.as_ref() != Some(*c)) {
        let Some(ended) = end(env, shop, cart, false, &order, false, now).await? else { continue };
        // A cart's person may be another than the one that led here.
        if let Some(person) = ended.person.filter(|p| !placed.near.contains(p)) {
            tell(env, shop, &person, &mut order, &mut told, now).await?;
        }
    }
    Ok(standing)
}

/// A cart that was told.
struct Ended {
    version: u64,
    phase: Phase,
    /// The person behind it. A cart begun after the order stays open, and so does its person's claim on it:
    /// then nobody.
    person: Option<PersonId>,
    /// When the order was placed, by what the cart knows.
    ordered_at: Option<Timestamp>,
}

/// Tells a cart, if there is one.
async fn end(
    env: &Env,
    shop: &ShopId,
    cart: &CartId,
    own: bool,
    order: &Order,
    paid: bool,
    now: Timestamp,
) -> Outcome<Option<Ended>> {
    let order = CartOrder { id: order.id.clone(), at: order.at, paid };
    match objects::cart(env, shop, cart, now, &CartCall::Order { order, own }).await? {
        CartAnswer::Done { version, phase, person, ordered_at, .. } => {
            let person = person.filter(|_| phase.is_closed());
            Ok(Some(Ended { version, phase, person, ordered_at }))
        }
        CartAnswer::Missing => Ok(None),
        _ => Err(Failure::internal("a cart did not take an order")),
    }
}

/// Tells a person, once; their carts. Whoever knew of the order dates it for those who come after.
async fn tell(
    env: &Env,
    shop: &ShopId,
    person: &PersonId,
    order: &mut Order,
    told: &mut Vec<PersonId>,
    now: Timestamp,
) -> Outcome<Vec<CartId>> {
    if told.contains(person) {
        return Ok(vec![]);
    }
    told.push(person.clone());
    let change = vec![PersonChange::Order(order.clone())];
    let applied = identity::apply(env, shop, person, change, now).await?;
    order.at = applied.ordered_at.map_or(order.at, |at| at.min(order.at));
    Ok(applied.carts)
}
