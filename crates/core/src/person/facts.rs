//! What is known of a person, as conditions ask for it. Counts what is remembered; estimates nothing.
//! Three answers: [`Person::profile`] holds at any time and may be kept with a cart,
//! [`Person::facts`] adds what the cart knows, and `claim_facts` what only a claim can tell.

use super::{Order, Person, Sent};
use crate::consent::{Channel, Consent};
use crate::gate::ClaimRequest;
use crate::id::SendKey;
use crate::money::Currency;
use crate::policy::{Facts, Field, Known, Policy};
use crate::recovery::Trigger;
use crate::time::{DAY, Millis, Timestamp, Zone};

/// Clicks of so long ago tell at which hour somebody reads.
const HABIT: Millis = 180 * DAY;
/// Fewer clicks than this are no habit.
const HABIT_LEAST: u32 = 3;

impl Person {
    /// What is known of the person themselves, whatever the cart: every field of
    /// [`crate::policy::Known::Person`] that can be answered. Sums orders in the shop's currency at
    /// the rates that the last claim told.
    #[must_use]
    pub fn profile(&self, now: Timestamp) -> Facts {
        self.facts(now, &Facts::default())
    }

    /// What conditions may ask about this person, on top of what is known of the cart.
    #[must_use]
    pub fn facts(&self, now: Timestamp, cart: &Facts) -> Facts {
        // What the cart remembers of the person is older: an order that was cancelled since is none.
        let mut facts = cart.without(Known::Person);
        self.count(now, &mut facts);
        facts.set_known(Field::PersonLifetimeValue, self.spent(self.worth.home, &self.worth.rates));
        if let Some(country) = self.country() {
            facts.set_word(Field::PersonCountry, country);
        }
        facts
    }

    /// All that is known when a step is claimed: the cart, the person as of now, and what became of
    /// the messages of this abandonment. The gate adds the place.
    pub(crate) fn claim_facts(&self, now: Timestamp, request: &ClaimRequest, policy: &Policy) -> Facts {
        let mut facts = self.facts(now, &request.facts);
        let home = request.home.or(self.worth.home);
        facts.set_known(Field::PersonLifetimeValue, self.spent(home, &policy.rates));
        let this = |cart: &crate::id::CartId, number| *cart == request.cart && number == request.abandonment;
        // This abandonment counts although nothing of it was claimed before.
        if request.trigger != Trigger::Browse
            && !self.episodes.iter().any(|e| this(&e.cart, e.abandonment))
            && now.since(request.abandoned_at) < 90 * DAY
        {
            let known = facts.number(Field::PersonAbandonments90d).unwrap_or(0.0);
            facts.set(Field::PersonAbandonments90d, known + 1.0);
        }
        let sent: Vec<&Sent> = self.sends.iter().filter(|s| this(&s.cart, s.abandonment)).collect();
        facts.set(Field::AbandonmentContacts, number(sent.len()));
        facts.set(Field::AbandonmentClicks, number(sent.iter().filter(|s| s.clicked.is_some()).count()));
        if let Some(last) = sent.iter().max_by_key(|s| s.at) {
            facts.set_word(Field::AbandonmentLastChannel, last.channel.as_str());
        }
        facts
    }

    fn count(&self, now: Timestamp, facts: &mut Facts) {
        let within = |at: Timestamp, days: i64| now.since(at) < days * DAY;
        let orders = || self.orders.iter().filter(|o| !o.cancelled);
        facts.set(Field::PersonOrders, number(orders().count()));
        if let Some(last) = orders().map(|o| o.at).max() {
            facts.set(Field::PersonDaysSinceOrder, whole(now.since(last).max(0) / DAY));
        }
        let offers = self.sends.iter().filter(|s| s.offered && within(s.at, 90));
        facts.set(Field::PersonOffers90d, number(offers.count()));
        let left = self.episodes.iter().filter(|e| !e.browse && within(e.abandoned_at, 90));
        facts.set(Field::PersonAbandonments90d, number(left.count()));
        facts.set(Field::PersonSends30d, number(self.sends.iter().filter(|s| within(s.at, 30)).count()));
        let clicks = self.sends.iter().filter_map(|s| s.clicked).filter(|t| within(*t, 30));
        facts.set(Field::PersonClicks30d, number(clicks.count()));
        facts.set(Field::PersonUnanswered, number(self.unanswered().count()));
        facts.set_flag(Field::PersonVerified, self.contacts.iter().any(|c| c.verified));
        let mut tags = self.tags.clone();
        tags.extend(self.segments.iter().filter(|name| !self.tags.contains(name)).cloned());
        facts.set_words(Field::PersonTags, tags);
    }

    /// When they last showed that messages are welcome: a click, an order, or a yes that says something
    /// new. One that stands already and is told again within a day may be a late copy of the same call.
    pub(crate) fn last_answer(&self) -> Option<Timestamp> {
        let clicks = self.sends.iter().filter_map(|s| s.clicked);
        let orders = self.orders.iter().filter(|o| !o.cancelled).map(|o| o.at);
        let is_new = |(place, yes): &(usize, &Consent)| {
            let earlier = self.consents.iter().take(*place).rev().find(|c| c.channel == yes.channel);
            let no = self.opt_outs.iter().find(|(c, _)| *c == yes.channel);
            let told = earlier.is_some_and(|c| {
                (c.granted, c.source, &c.wording) == (true, yes.source, &yes.wording)
                    && yes.at.since(c.at) < DAY
                    && no.is_none_or(|(_, at)| *at < c.at)
            });
            yes.granted && !told
        };
        let yes = self.consents.iter().enumerate().filter(is_new).map(|(_, c)| c.at);
        clicks.chain(orders).chain(yes).max()
    }

    /// The times of the messages that nothing followed, a click, an order or a yes. What is claimed
    /// and not settled is not among them.
    pub(crate) fn unanswered(&self) -> impl Iterator<Item = Timestamp> {
        let answer = self.last_answer();
        self.sends
            .iter()
            .filter(move |s| s.clicked.is_none() && answer.is_none_or(|a| s.at > a))
            .map(|s| s.at)
    }

    /// Sum of the orders in major units of the shop's currency. An order in another currency counts
    /// at its rate, and not at all without one. Without orders it is nothing; it is unknown where the
    /// shop's currency is and the orders are in several.
    #[expect(clippy::cast_precision_loss, reason = "amounts far below 2^52 minor units")]
    fn spent(&self, home: Option<Currency>, rates: &std::collections::BTreeMap<String, f64>) -> Option<f64> {
        let totals = || self.orders.iter().filter(|o| !o.cancelled).filter_map(|o| Some((o, o.total_minor?)));
        let named = totals().find_map(|(o, _)| o.currency);
        if home.is_none() && totals().any(|(o, _)| o.currency.is_some() && o.currency != named) {
            return None;
        }
        let home = home.or(named);
        let major = |(order, minor): (&Order, i64)| {
            let currency = order.currency.or(home);
            let exponent = currency.map_or(2, Currency::exponent);
            let rate = match (currency, home) {
                (Some(held), Some(home)) if held != home => rates.get(held.code()).copied(),
                _ => Some(1.0),
            };
            rate.map(|rate| rate * minor as f64 / 10_u32.pow(exponent) as f64)
        };
        Some(totals().filter_map(major).sum())
    }

    /// The country of the profile, else of their number.
    fn country(&self) -> Option<String> {
        self.place.country.clone().or_else(|| self.number_place()?.country)
    }

    /// The place that their number names.
    pub(crate) fn number_place(&self) -> Option<crate::jurisdiction::Place> {
        crate::gate::place::of_number(&self.contact(Channel::Sms)?.address)
    }

    /// The link of a send was followed: the first time counts.
    pub fn clicked(&mut self, key: &SendKey, at: Timestamp) {
        if let Some(sent) = self.sends.iter_mut().find(|s| s.key == *key) {
            sent.clicked = Some(sent.clicked.map_or(at, |held| held.min(at)));
        }
    }

    /// The hour of the day (0 to 23) at which they follow links, from at least three clicks of half a
    /// year. An hour's neighbours count half; of two alike the earlier one.
    pub(crate) fn usual_hour(&self, now: Timestamp, zone: &Zone) -> Option<u16> {
        let mut clicks = [0_u32; 24];
        for at in self.sends.iter().filter_map(|s| s.clicked).filter(|t| now.since(*t) < HABIT) {
            let hour = usize::from(zone.civil(at)?.minute / 60);
            *clicks.get_mut(hour)? += 1;
        }
        if clicks.iter().sum::<u32>() < HABIT_LEAST {
            return None;
        }
        let near = |hour: usize| {
            let of = |hour: usize| clicks.get(hour % 24).copied().unwrap_or(0);
            2 * of(hour) + of(hour + 1) + of(hour + 23)
        };
        // `max_by_key` takes the last of equals, so the hours are asked from the latest.
        (0..24).rev().max_by_key(|hour| near(*hour)).and_then(|hour| u16::try_from(hour).ok())
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most as many as are kept")]
fn number(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "days")]
fn whole(count: i64) -> f64 {
    count as f64
}
