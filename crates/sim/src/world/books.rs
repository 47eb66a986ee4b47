//! What a send reserves with its shop and reports afterwards. Groups have nothing to do with each other, so each has a
//! shop of its own; what the rest of a shop would do leaves little of a day's budget and of an hour's room.

use comeback_core::id::SendKey;
use comeback_core::offer::{Needs, Report, Reserved, Want};
use comeback_core::time::DAY;

use super::World;
use crate::broken::Rule;
use crate::checker::Fact;
use crate::faults::{Crash, Fate};

/// Most that the rest of the shop leaves of a budget, in minor units.
const LEFT: i64 = 2_500;
/// Percent of reservations before which a message went out elsewhere.
const BUSY: u64 = 30;

impl World<'_> {
    /// One write of the shop: a send reserves what it may need.
    pub(super) fn reserve(&mut self, key: &SendKey, needs: &Needs) -> Result<Reserved, Crash> {
        let fate = self.weather.fate();
        if fate == Fate::DiesBefore {
            return Err(Crash);
        }
        if self.group.elsewhere {
            self.others(needs);
        }
        self.outcome.events += 1;
        let reserved = match self.setup.broken {
            // A shop that remembers nothing.
            Some(Rule::Reserve) => comeback_core::offer::Ledger::default().reserve(self.now, key, needs),
            _ => self.books.reserve(self.now, key, needs),
        };
        if fate == Fate::DiesAfter { Err(Crash) } else { Ok(reserved) }
    }

    /// What became of it. Nobody waits for that, and it may be lost.
    pub(super) fn report(&mut self, report: &Report) {
        if self.weather.fate() != Fate::DiesBefore {
            self.books.report(self.now, report);
        }
    }

    /// The rest of the shop, under the same rules.
    fn others(&mut self, needs: &Needs) {
        let (now, day) = (self.now, self.now.millis().div_euclid(DAY));
        if self.elsewhere.1 < day {
            self.elsewhere.1 = day;
            for offer in &self.setup.policy.offers {
                let budget_minor = offer.budget_day.and_then(|b| self.currency.minor_from_number(b));
                let Some(budget_minor) = budget_minor else { continue };
                let left = self.elsewhere.0.span(0, LEFT);
                let (offer, cost_minor) = (offer.name.clone(), (budget_minor - left).max(0));
                let key = SendKey::derive(&["elsewhere", &offer, &day.to_string()]);
                let want = Want { offer: offer.clone(), cost_minor, budget_minor };
                self.books.reserve(now, &key, &Needs { wants: vec![want], ..Needs::default() });
                self.books.report(now, &Report { key, sent: true, spent: Some((offer.clone(), cost_minor)) });
                self.tell(Fact::Elsewhere { gift: Some((offer, cost_minor)) });
            }
        }
        if needs.per_hour.is_some() && self.elsewhere.0.percent(BUSY) {
            self.sequence += 1;
            let key = SendKey::derive(&["elsewhere", &self.sequence.to_string()]);
            let hour = Needs { per_hour: needs.per_hour, ..Needs::default() };
            if self.books.reserve(now, &key, &hour).room.room_at.is_none() {
                self.books.report(now, &Report { key, sent: true, spent: None });
                self.tell(Fact::Elsewhere { gift: None });
            }
        }
    }
}
