//! An order is told to everybody it may concern, one write after the other, before whoever reported it is answered:
//! the persons it may be of, their carts, and the persons behind those of them that it ends.

use comeback_core::id::PersonId;
use comeback_core::person::Order;
use comeback_core::recovery::CartOrder;

use super::identity::{Change, Held};
use super::{Task, World};
use crate::broken::Rule;
use crate::faults::Crash;
use crate::journal::Input;

/// An order and what it concerns.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) order: Order,
    pub(super) paid: bool,
    pub(super) own: Option<u16>,
    /// Whoever had something sent to the same postal address. It ends what they had begun, for it may be theirs under
    /// another address; it is not counted as theirs, for it may be a neighbour's.
    pub(super) near: Option<PersonId>,
}

impl World<'_> {
    /// One write; whether that was the last.
    pub(super) fn spread(&mut self, task: &mut Task, placed: &Placed) -> Result<bool, Crash> {
        // What was bought knows of the order when nobody else does: a page's report that comes again after somebody
        // signed in is of the order as it was first told, and ends nothing that was begun since.
        let mut placed = placed.clone();
        if let Some(cart) = placed.own.and_then(|own| self.cart(own)) {
            placed.order.at = cart.first_told(&placed.order.id, placed.order.at);
        }
        let placed = &placed;
        if task.told.is_empty() && task.seen.is_empty() && self.setup.journal {
            let persons = task.persons.clone();
            let cart = placed.own.and_then(|c| self.cart_id(c));
            self.note(|| Input::Order { order: placed.order.clone(), paid: placed.paid, cart, persons });
        }
        if let Some(person) = task.persons.pop() {
            if task.told.contains(&person) {
                return Ok(false);
            }
            let carts = self.apply(&person, vec![Change::Order(placed.order.clone())])?;
            // A report that comes again is of the order as it was first told, and ends no cart begun since.
            let living = self.survivor(&person)?;
            let first = match self.people.get(&living) {
                Some(Held::Here(held)) => held.orders.iter().find(|o| o.id == placed.order.id).map(|o| o.at),
                _ => None,
            };
            task.placed = [task.placed, first].into_iter().flatten().min();
            task.told.push(person);
            if self.setup.broken != Some(Rule::OrderToAll) {
                task.carts.extend(carts);
            }
            return Ok(false);
        }
        if let Some(person) = placed.near.as_ref().filter(|p| !task.told.contains(p) && !task.near_told) {
            task.near_told = true;
            let carts = self.apply(person, vec![Change::OrderedNear(placed.order.at)])?;
            if self.setup.broken != Some(Rule::OrderToAll) {
                task.carts.extend(carts);
            }
            return Ok(false);
        }
        let Some(cart) = task.carts.pop() else { return Ok(true) };
        if task.seen.contains(&cart) {
            return Ok(false);
        }
        task.seen.push(cart);
        let own = placed.own == Some(cart);
        let policy = &self.setup.policy;
        let at = task.placed.unwrap_or(placed.order.at).min(placed.order.at);
        let order = CartOrder { id: placed.order.id.clone(), at, paid: own && placed.paid };
        let now = self.now;
        if own && self.cart(cart).is_none() {
            // The order overtook its cart: what comes late must find it closed.
            self.bear(cart, placed.order.at, None)?;
        }
        self.change_cart(cart, |held| {
            if !own && order.at < held.born_at { vec![] } else { held.ordered(now, &order, policy) }
        })?;
        let behind: Option<PersonId> =
            self.cart(cart).filter(|c| c.phase.is_closed()).and_then(|c| c.person.clone());
        let behind = behind.filter(|p| own || placed.near.as_ref() != Some(p));
        if self.setup.broken != Some(Rule::OrderToAll) {
            task.persons.extend(behind);
        }
        Ok(false)
    }
}
