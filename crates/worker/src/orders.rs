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
pub(crate) async fn spread(
    env: &Env,
    shop: &ShopId,
    placed: &Placed,
    now: Timestamp,
) -> Outcome<Option<(u64, Phase)>> {
    let mut told: Vec<PersonId> = vec![];
    let mut carts: Vec<CartId> = placed.own.iter().cloned().collect();
    for person in &placed.persons {
        carts.extend(tell(env, shop, person, placed, &mut told, now).await?);
    }
    for person in placed.near.iter().filter(|p| !placed.persons.contains(p)) {
        let near = vec![PersonChange::OrderedNear { at: placed.order.at }];
        carts.extend(identity::apply(env, shop, person, near, now).await?.carts);
    }
    carts.sort_unstable();
    carts.dedup();
    let mut standing = None;
    for cart in carts {
        let own = placed.own.as_ref() == Some(&cart);
        let order = CartOrder { id: placed.order.id.clone(), at: placed.order.at, paid: own && placed.paid };
        match objects::cart(env, shop, &cart, now, &CartCall::Order { order, own }).await? {
            CartAnswer::Done { version, phase, person, .. } => {
                if own {
                    standing = Some((version, phase));
                }
                // A cart's person may be another than the one that led here; a cart begun after the
                // order stays open, and so does its person's claim on it.
                if let Some(person) = person
                    && phase.is_closed()
                    && (own || !placed.near.contains(&person))
                {
                    tell(env, shop, &person, placed, &mut told, now).await?;
                }
            }
            CartAnswer::Missing => {}
            _ => return Err(Failure::internal("a cart did not take an order")),
        }
    }
    Ok(standing)
}

async fn tell(
    env: &Env,
    shop: &ShopId,
    person: &PersonId,
    placed: &Placed,
    told: &mut Vec<PersonId>,
    now: Timestamp,
) -> Outcome<Vec<CartId>> {
    if told.contains(person) {
        return Ok(vec![]);
    }
    told.push(person.clone());
    let change = vec![PersonChange::Order(placed.order.clone())];
    let carts = identity::apply(env, shop, person, change, now).await?.carts;
    Ok(carts)
}
