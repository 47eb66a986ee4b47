//! What was promised, in plain numbers.

use std::collections::BTreeMap;

use super::fact::Way;

/// The promises of a shop to its shoppers.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// The shop, by its id: lotteries are drawn by shop.
    pub shop: String,
    /// Messages to a person in any 24 hours.
    pub per_day: usize,
    /// Messages to a person in any 7 days.
    pub per_week: usize,
    /// Text messages for one abandonment.
    pub texts_per_abandonment: usize,
    /// Messages about something looked at, in any 7 days; none are planned if absent.
    pub browse_per_week: Option<usize>,
    /// An address that only a page vouched for is written to about one abandonment in so many milliseconds.
    pub unverified_ms: i64,
    /// After so many messages in a row that nothing followed, nothing for so long after the last.
    pub fatigue: Option<(usize, i64)>,
    /// Percent of people who are never written to.
    pub holdout_percent: u64,
    /// Percent of people whom the policy has reached.
    pub rollout_percent: u64,
    /// Minutes of the local day from which and to which nobody is written to.
    pub quiet: Option<(i64, i64)>,
    /// Whether customers may be written to by email without a recorded yes, where the law lets that be.
    pub soft_opt_in: bool,
    /// Whose yes it takes at least everywhere: 0 a page's, 1 the shop's, 2 the owner's.
    pub least_voice: Vec<(Way, u8)>,
    /// The law, by place.
    pub laws: Vec<Sheet>,
    /// Most messages of the shop in an hour.
    pub per_hour: Option<usize>,
    /// What may be given away.
    pub offers: Vec<Deal>,
    /// Where somebody is taken to be of whom nothing else is known.
    pub default_country: Option<String>,
    /// Whose clock counts for them.
    pub default_zone: String,
    /// The steps of each sequence, by its name.
    pub plans: BTreeMap<String, Vec<Plan>>,
}

/// A planned contact as it was planned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// In milliseconds after the beginning.
    pub after: i64,
    /// By these ways.
    pub ways: Vec<Way>,
    /// Name of its text.
    pub text: String,
    /// Only under this condition.
    pub when: Option<When>,
    /// Names of offers of which it may carry one.
    pub gifts: Vec<String>,
    /// The experiments on it.
    pub lots: Vec<Lot>,
}

/// A condition, as far as it can be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// All of them.
    All(Vec<When>),
    /// Any of them.
    Any(Vec<When>),
    /// Not this.
    Not(Box<When>),
    /// A count from the first number to the second.
    Between(Counted, i64, i64),
    /// Something else, which may be so or not.
    Unread,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Messages of the abandonment that were sent.
    Sent,
    /// Messages of the abandonment that were followed.
    Followed,
    /// Abandonments of the cart, this one included.
    Abandonment,
}

/// An experiment: who gets which arm is drawn by lot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lot {
    /// Its name.
    pub name: String,
    /// Its arms, eight at most.
    pub arms: Vec<Arm>,
}

/// What an arm changes about its step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arm {
    /// Its share among the weights of all arms.
    pub weight: u64,
    /// In milliseconds after the beginning.
    pub after: Option<i64>,
    /// By these ways.
    pub ways: Option<Vec<Way>>,
    /// Name of its text.
    pub text: Option<String>,
    /// Names of offers of which it may carry one.
    pub gifts: Option<Vec<String>>,
    /// Nothing is sent.
    pub silent: bool,
}

/// An offer.
#[derive(Debug, Clone)]
pub struct Deal {
    /// Its name.
    pub name: String,
    /// What it gives.
    pub gives: Gives,
    /// Most that all of them give away in a day (UTC), in minor units.
    pub per_day: Option<i64>,
    /// Not to somebody who was given anything in so many other abandonments in 90 days.
    pub per_90d: Option<usize>,
    /// What must be left of the value, in thousandths.
    pub least_left: Option<i64>,
    /// It may go along with the first message.
    pub at_once: bool,
    /// Somebody must stand by it.
    pub approval: bool,
}

/// What an offer gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// Percent of the value.
    Percent(i64),
    /// Minor units.
    Amount(i64),
    /// What shipping costs, which nobody here knows.
    Shipping,
}

/// The law of a country or some of its regions.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    /// Countries.
    pub countries: Vec<String>,
    /// Regions; all if empty.
    pub regions: Vec<String>,
    /// When nothing goes out.
    pub quiet: Vec<Night>,
    /// Nothing by these ways on Sundays, on holidays.
    pub no_days: Vec<(Vec<Way>, bool, bool)>,
    /// The holidays.
    pub holidays: Vec<Holiday>,
    /// Most messages by a way for one abandonment.
    pub per_abandonment: Vec<(Way, usize)>,
    /// Most messages by a way in any 24 hours.
    pub per_day: Vec<(Way, usize)>,
    /// Longest time after the abandonment.
    pub within: Vec<(Way, i64)>,
    /// Whose yes it takes at least: 0 a page's, 1 the shop's, 2 the owner's.
    pub least_voice: Vec<(Way, u8)>,
    /// Ways by which a customer may be written to without a yes, for so long after an order.
    pub soft_opt_in: Vec<(Way, i64)>,
}

/// A window of the local day in which nothing goes out.
#[derive(Debug, Clone, Default)]
pub struct Night {
    /// By these ways.
    pub ways: Vec<Way>,
    /// From this minute,
    pub from: i64,
    /// to before this one, perhaps of the next day.
    pub to: i64,
    /// Only where it begins on one of these days, 0 for Sunday; every day if empty.
    pub days: Vec<i64>,
}

/// A public holiday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holiday {
    /// Month and day.
    Fixed(i64, i64),
    /// Days after Easter Sunday.
    Easter(i64),
}

impl Sheet {
    /// Whether it holds in a place; where the region is unknown, the law of any holds.
    #[must_use]
    pub fn covers(&self, country: &str, region: &str) -> bool {
        self.countries.iter().any(|c| c == country)
            && (self.regions.is_empty() || region.is_empty() || self.regions.iter().any(|r| r == region))
    }
}
