//! The law of the places that count, asked for one channel: which packs apply, and what each of their
//! rules says now. Every rule that bears on the channel leaves a line that names pack and source.
//!
//! A pack applies to its countries and regions. Where the region is unknown, every regional pack of
//! the country applies; where nothing is known of a person's place, every pack of the policy does.
//! Rules only add to what the policy asks for, with the exception of [`Law::SoftOptIn`], which must be
//! granted in every country that counts.

use super::hours::Shut;
use super::patience::room;
use super::{Ask, Log};
use crate::consent::{Channel, Consent, Source};
use crate::decision::Check;
use crate::jurisdiction::{Law, Pack, Place, Rule};
use crate::person::Contact;
use crate::time::{DAY, HOUR, Millis, QuietHours, Timestamp, Zone};

/// Who bought within so long is a customer, whatever longer time a law allows.
const CUSTOMER: Millis = 730 * DAY;

impl Pack {
    /// Whether its rules bear on somebody at this place.
    #[must_use]
    pub fn is_for(&self, place: &Place) -> bool {
        let Some(country) = &place.country else {
            return true;
        };
        let region = |known: &String| self.regions.iter().any(|r| r.eq_ignore_ascii_case(known));
        self.countries.iter().any(|c| c.eq_ignore_ascii_case(country))
            && (self.regions.is_empty() || place.region.as_ref().is_none_or(region))
    }
}

impl Law {
    /// Whether it says something of messages by this channel.
    #[must_use]
    pub fn bears_on(&self, by: Channel) -> bool {
        match self {
            Self::Quiet { channels, .. } | Self::NoDays { channels, .. } => channels.contains(&by),
            Self::PerAbandonment { channel, .. }
            | Self::PerDay { channel, .. }
            | Self::Within { channel, .. }
            | Self::LeastConsent { channel, .. }
            | Self::SoftOptIn { channel, .. } => *channel == by,
        }
    }
}

/// The law that bears on a message by one channel.
pub(super) struct Laws<'p> {
    channel: Channel,
    places: Vec<Place>,
    packs: Vec<&'p Pack>,
}

/// What the law says of the moment.
#[derive(Default)]
pub(super) struct Ruling<'p> {
    /// A rule forbids the message, whatever the hour.
    pub(super) forbidden: bool,
    /// Not before this instant.
    pub(super) room_at: Option<Timestamp>,
    /// Not after this instant.
    pub(super) last: Option<Timestamp>,
    /// Windows and days.
    pub(super) shut: Vec<Shut<'p>>,
}

impl<'p> Laws<'p> {
    /// The packs of the policy that apply.
    pub(super) fn of(packs: &'p [Pack], channel: Channel, places: Vec<Place>) -> Self {
        let packs = packs
            .iter()
            .filter(|p| places.is_empty() || places.iter().any(|place| p.is_for(place)))
            .collect();
        Self { channel, places, packs }
    }

    fn rules(&self) -> impl Iterator<Item = (&'p Pack, &'p Rule)> {
        let by = self.channel;
        self.packs
            .iter()
            .flat_map(|pack| pack.rules.iter().map(move |rule| (*pack, rule)))
            .filter(move |(_, rule)| rule.law.bears_on(by))
    }

    /// Where nothing is known of a place, there is a line for every pack there is: joined, not
    /// formatted, because that takes the room of a text at once.
    fn line(&self, pack: &Pack, rule: &Rule, passed: bool, found: &[&str]) -> Check {
        let named = [self.channel.as_str(), ".law.", &pack.code, ".", &rule.id].concat();
        let mut parts: Vec<&str> = Vec::with_capacity(found.len() + 5);
        parts.extend(found);
        parts.extend([" (", &pack.name, ": ", &rule.source, ")"]);
        Check { rule: named.into(), found: parts.concat().into(), passed }
    }

    /// Whether a yes rests on what the law asks for; a line for each rule about it.
    pub(super) fn consent(&self, yes: Option<&Consent>) -> Vec<Check> {
        let line = |(pack, rule): (&'p Pack, &'p Rule)| {
            let Law::LeastConsent { source, .. } = rule.law else {
                return None;
            };
            let passed = yes.is_some_and(|yes| yes.source >= source);
            let held = yes.map_or("there is no yes", |yes| said_by(yes.source));
            Some(self.line(pack, rule, passed, &[held, "; asked for is ", asked_for(source)]))
        };
        self.rules().filter_map(line).collect()
    }

    /// Whether a customer may be written to without a recorded yes: in every country that counts a pack
    /// must say so, and the shortest of their times holds. A line for each rule that says so.
    pub(super) fn soft_opt_in(&self, ask: &Ask<'_>, contact: &Contact) -> (bool, Vec<Check>) {
        let grants = || {
            self.rules().filter_map(|(pack, rule)| match rule.law {
                Law::SoftOptIn { span_ms, .. } => Some((pack, rule, span_ms)),
                _ => None,
            })
        };
        let everywhere = !self.places.is_empty()
            && self.places.iter().all(|place| grants().any(|(pack, _, _)| pack.is_for(place)));
        let span = grants().map(|(_, _, span)| span).min().unwrap_or(0).min(CUSTOMER);
        // A page's word for an order or an address makes nobody a customer.
        let bought = ask.person.orders.iter().filter(|o| !o.cancelled && o.total_minor.is_some());
        let last = bought.map(|o| o.at).max();
        let customer = last.is_some_and(|at| ask.now.since(at) < span);
        let vouched = contact.verified || contact.source != Source::Page;
        let passed = everywhere && customer && vouched;
        let found = match last {
            _ if !everywhere => "not in every country that counts",
            None => "no order that a signed source told",
            Some(_) if !customer => "the last order is too long ago",
            Some(_) if !vouched => "the address was only typed into a page",
            Some(_) => "a customer needs no recorded yes",
        };
        (passed, grants().map(|(pack, rule, _)| self.line(pack, rule, passed, &[found])).collect())
    }

    /// What the rules about number, time and hours say now.
    pub(super) fn ruling(&self, ask: &Ask<'_>, zones: &[Zone], log: &mut Log) -> Ruling<'p> {
        let mut ruling = Ruling::default();
        for (pack, rule) in self.rules() {
            let (passed, found) = match &rule.law {
                Law::Quiet { window, days, .. } => {
                    let shut = Shut::Window(*window, days);
                    let passed = zones.iter().all(|zone| shut.until(ask.now, zone).is_none());
                    ruling.shut.push(shut);
                    (passed, format!("{}; nothing {}", local(ask.now, zones), told_window(*window)))
                }
                Law::NoDays { sundays, holidays, .. } => {
                    let holidays = if *holidays { &pack.holidays[..] } else { &[] };
                    let shut = Shut::Days { sundays: *sundays, holidays };
                    let passed = zones.iter().all(|zone| shut.until(ask.now, zone).is_none());
                    ruling.shut.push(shut);
                    let days = match (sundays, holidays.is_empty()) {
                        (true, true) => "Sundays",
                        (true, false) => "Sundays and public holidays",
                        _ => "public holidays",
                    };
                    (passed, format!("{}; nothing on {days}", local(ask.now, zones)))
                }
                Law::PerAbandonment { most, .. } => {
                    let sent = ask.of_abandonment(self.channel);
                    let passed = sent < usize::try_from(*most).unwrap_or(usize::MAX);
                    ruling.forbidden |= !passed;
                    (passed, format!("{sent} of {most} in this abandonment"))
                }
                Law::PerDay { most, .. } => {
                    let (count, until) = room(ask.now, ask.times(Some(self.channel)), DAY, *most);
                    ruling.room_at = ruling.room_at.max(until);
                    (until.is_none(), format!("{count} of {most} in 24 hours"))
                }
                Law::Within { span_ms, .. } => {
                    let last = ask.request.abandoned_at.plus(*span_ms);
                    let passed = ask.now <= last;
                    ruling.forbidden |= !passed;
                    ruling.last = Some(ruling.last.map_or(last, |held| held.min(last)));
                    let age = ask.now.since(ask.request.abandoned_at) / HOUR;
                    (passed, format!("left {age} h ago; {} h at most", span_ms / HOUR))
                }
                Law::LeastConsent { .. } | Law::SoftOptIn { .. } => continue,
            };
            log.checks.push(self.line(pack, rule, passed, &[&found]));
        }
        ruling
    }
}

/// Who a yes was reported by.
pub(super) fn said_by(source: Source) -> &'static str {
    match source {
        Source::Page => "a yes by a page's word",
        Source::Signed => "a yes that the shop vouches for",
        Source::Person => "a yes confirmed from the address itself",
    }
}

/// What a yes must at least be.
pub(super) fn asked_for(source: Source) -> &'static str {
    match source {
        Source::Page => "any yes",
        Source::Signed => "one that the shop vouches for",
        Source::Person => "one confirmed from the address itself",
    }
}

/// `22:15 in Europe/Berlin`, `08:15 to 11:15 in 8 zones`.
pub(super) fn local(at: Timestamp, zones: &[Zone]) -> String {
    let minute = |zone: &Zone| zone.civil(at).map_or(0, |c| c.minute);
    match zones {
        [zone] => [&told_minute(minute(zone)), " in ", zone.name()].concat(),
        // In the order of their local time, which may lie on two days.
        _ => {
            let offset = |zone: &&Zone| zone.offset_minutes(at);
            let ends = (zones.iter().min_by_key(offset), zones.iter().max_by_key(offset));
            let (Some(first), Some(last)) = ends else {
                return "no zone".to_owned();
            };
            let (from, to) = (told_minute(minute(first)), told_minute(minute(last)));
            format!("{from} to {to} in {} zones", zones.len())
        }
    }
}

fn told_minute(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// `from 21:00 to 09:00`.
pub(super) fn told_window(window: QuietHours) -> String {
    ["from ", &told_minute(window.from), " to ", &told_minute(window.to)].concat()
}
