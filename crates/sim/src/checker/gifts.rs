//! What messages give away, and how many go out in an hour: what is left of a day's budget, who is given something and
//! how often, whether a promise stays what it was. Conditions of offers are not judged: the checker does not read them.

use std::collections::BTreeMap;

use super::fact::{Contact, Entry, Fact, Gift, Instant, Message, Story};
use super::rules::{Deal, Gives, Rules};
use super::verdict::Asked;
use super::{Breach, DAY, Kind};

const HOUR: i64 = 60 * 60 * 1_000;

/// A gift for which leave was given.
#[derive(Debug)]
struct Promise {
    /// Where in the story.
    place: usize,
    contact: Contact,
    gift: Gift,
    asked: Instant,
}

/// Everything that was given away.
#[derive(Debug)]
pub(super) struct Gifts<'s> {
    rules: &'s Rules,
    per_hour: Option<usize>,
    approved_since: Option<Instant>,
    promises: Vec<Promise>,
    /// What the rest of the shop gave: when, what, how much.
    elsewhere: Vec<(Instant, Option<(String, i64)>)>,
}

const fn episode(contact: Contact) -> (u16, u32) {
    (contact.cart, contact.episode)
}

impl<'s> Gifts<'s> {
    pub(super) fn new(rules: &'s Rules, story: &Story) -> Self {
        let per_hour = [rules.per_hour, story.per_hour].into_iter().flatten().min();
        let approved_since = story.approved_since;
        let (promises, elsewhere) = (vec![], vec![]);
        Self { rules, per_hour, approved_since, promises, elsewhere }
    }

    /// Takes in what happened.
    pub(super) fn learn(&mut self, place: usize, entry: &Entry) {
        match &entry.fact {
            Fact::Leave(message) | Fact::Stored(message) => {
                let Message { contact, asked, .. } = *message;
                let promise = message.gift.clone().map(|gift| Promise { place, contact, gift, asked });
                self.promises.extend(promise);
            }
            Fact::Elsewhere { gift } => self.elsewhere.push((entry.at, gift.clone())),
            _ => {}
        }
    }

    /// What is wrong, by all messages as they first reached somebody.
    pub(super) fn breaches(&self, messages: &[&Asked]) -> Vec<Breach> {
        let mut found = vec![];
        for (n, message) in messages.iter().enumerate() {
            let earlier: Vec<&Asked> =
                messages.iter().take(n).copied().filter(|m| m.place < message.place).collect();
            if let Some(gift) = &message.message.gift {
                let deal = self.rules.offers.iter().find(|d| d.name == gift.offer);
                match deal {
                    Some(deal) => self.judge(message, gift, deal, &earlier, &mut found),
                    None => found.push(message.breach(Kind::Other, "gives what the policy does not know")),
                }
            }
        }
        self.budgets(messages, &mut found);
        self.hours(messages, &mut found);
        found
    }

    fn judge(&self, message: &Asked, gift: &Gift, deal: &Deal, earlier: &[&Asked], found: &mut Vec<Breach>) {
        let mut wrong = |kind, what: &str| {
            found.push(message.breach(kind, &format!("with {}: {what}", gift.offer)));
        };
        let contact = message.message.contact;
        let about_this = |m: &&&Asked| episode(m.message.contact) == episode(contact);
        let theirs = |m: &&&Asked| message.person.contains(&m.message.address);
        if gift.until <= message.at {
            wrong(Kind::Other, "it was over");
        }
        if deal.approval && self.approved_since.is_none_or(|since| message.at < since) {
            wrong(Kind::Other, "nobody had approved it");
        }
        let before = earlier.iter().filter(about_this).filter(theirs).filter_map(|m| m.message.gift.as_ref());
        if before.clone().any(|held| (&held.offer, held.until) != (&gift.offer, gift.until)) {
            wrong(Kind::Other, "an earlier message promised something else");
        }
        if gift.again {
            let promised = self.promises.iter().any(|p| {
                p.place < message.place
                    && p.contact != contact
                    && episode(p.contact) == episode(contact)
                    && (&p.gift.offer, p.gift.until) == (&gift.offer, gift.until)
            });
            if !promised {
                wrong(Kind::Other, "no earlier message gave it");
            }
            return;
        }
        if (!deal.at_once || message.message.browse) && !earlier.iter().any(|m| about_this(&m)) {
            wrong(Kind::Other, "it was the first message");
        }
        if let Some(most) = deal.per_90d {
            let mut times: Vec<_> = earlier
                .iter()
                .filter(theirs)
                .filter(|m| m.message.gift.is_some() && message.at - m.at < 90 * DAY)
                .map(|m| episode(m.message.contact))
                .filter(|other| *other != episode(contact))
                .collect();
            times.sort_unstable();
            times.dedup();
            if times.len() >= most {
                wrong(Kind::Cap, &format!("offers went to them {} times in 90 days", times.len()));
            }
        }
        if let Some(least) = deal.least_left {
            let left = gift.margin.map(|margin| match deal.gives {
                Gives::Percent(percent) => margin - percent * 10,
                Gives::Amount(minor) => margin - minor * 1_000 / gift.value.max(1),
                Gives::Shipping => margin,
            });
            if left.is_none_or(|left| left < least) {
                wrong(Kind::Other, "too little is left");
            }
        }
    }

    /// What it gives away at most, to the next whole minor unit.
    fn cost(&self, gift: &Gift) -> i64 {
        let deal = self.rules.offers.iter().find(|d| d.name == gift.offer);
        match deal.map(|d| d.gives) {
            Some(Gives::Percent(percent)) => (gift.value * percent + 99) / 100,
            Some(Gives::Amount(minor)) => minor.min(gift.value),
            _ => 0,
        }
    }

    /// No day gives away more than its budget. What was promised first counts, on the day on which it was asked for.
    fn budgets(&self, messages: &[&Asked], found: &mut Vec<Breach>) {
        for deal in &self.rules.offers {
            let Some(budget) = deal.per_day else { continue };
            let mut days: BTreeMap<i64, i64> = BTreeMap::new();
            for (at, gift) in &self.elsewhere {
                if let Some((_, minor)) = gift.as_ref().filter(|(offer, _)| *offer == deal.name) {
                    *days.entry(at.div_euclid(DAY)).or_default() += minor;
                }
            }
            for message in messages {
                let contact = message.message.contact;
                let is_new = |g: &&Gift| g.offer == deal.name && !g.again;
                if message.message.gift.as_ref().filter(is_new).is_none() {
                    continue;
                }
                let Some(first) = self.promises.iter().find(|p| p.contact == contact) else { continue };
                let day = days.entry(first.asked.div_euclid(DAY)).or_default();
                *day += self.cost(&first.gift);
                if *day > budget {
                    let what = format!("{} give away {day} in a day, {budget} allowed", deal.name);
                    found.push(message.breach(Kind::Cap, &what));
                }
            }
        }
    }

    /// No hour has more messages than its bound.
    fn hours(&self, messages: &[&Asked], found: &mut Vec<Breach>) {
        let Some(most) = self.per_hour else { return };
        let rest = self.elsewhere.iter().filter(|(_, gift)| gift.is_none()).map(|(at, _)| *at);
        let all: Vec<Instant> = rest.chain(messages.iter().map(|m| m.message.asked)).collect();
        for message in messages {
            let until = message.message.asked;
            let count = all.iter().filter(|at| (0..HOUR).contains(&(until - **at))).count();
            if count > most {
                found
                    .push(message.breach(Kind::Cap, &format!("{count} messages in an hour, {most} allowed")));
            }
        }
    }
}
