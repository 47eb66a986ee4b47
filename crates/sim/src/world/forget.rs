//! A shopper wants a cart forgotten: who is told of it, and in which order.

use super::identity::{Change, Identifier};
use super::{Task, World};
use crate::broken::Rule;
use crate::checker::Fact;
use crate::faults::Crash;

impl World<'_> {
    /// The cart first: from then on it says whose it was and nothing else. Then everybody whose it may be, so that no
    /// claim that is under way is let through.
    pub(super) fn forgets(&mut self, mut task: Task, visitor: u16, cart: u16) -> Result<Option<Task>, Crash> {
        let cookie = || self.cookies.get(usize::from(visitor)).copied().flatten();
        // A browser that has no such cart names none. And a journal has no word for it.
        if task.stage == 0 && (cookie() != Some(cart) || self.setup.journal) {
            return Ok(None);
        }
        let forgotten = Fact::Forgotten { cart };
        if task.stage == 0 {
            self.arrive(task.act, vec![Fact::Heard(Box::new(forgotten.clone()))]);
            if self.answers_first(&task, Rule::ForgetFirst, vec![forgotten]) {
                return Ok(None);
            }
            task.persons = [Identifier::Cart(cart), Identifier::Visitor(visitor)]
                .into_iter()
                .filter_map(|known| self.find(known))
                .collect();
            if self.setup.broken != Some(Rule::Forgotten) {
                let now = self.now;
                self.change_cart(cart, |held| held.forget(now))?;
            }
            task.persons.extend(self.cart(cart).and_then(|held| held.person.clone()));
            task.stage = 1;
            return Ok(Some(task));
        }
        if let Some(person) = task.persons.pop() {
            self.apply(&person, vec![Change::ForgetCart(cart)])?;
            return Ok(Some(task));
        }
        if let Some(cookie) = self.cookies.get_mut(usize::from(visitor)) {
            *cookie = None;
        }
        self.answer(task.act, vec![forgotten]);
        Ok(None)
    }
}
