//! Which channel of the step carries the message: the first, in the order of preference, that may be
//! used now; if all that may be used must wait, the one whose wait is shortest. The record says why.
//!
//! Order of preference, each rule deciding where those before it do not:
//! 1. the channel the person asked for, if the policy goes by it (`channels.by_preference`);
//! 2. the policy's order for phones, if the last session was on one (`channels.mobile_first`);
//! 3. the channel that people of this shop follow most often, if the policy goes by it
//!    (`channels.by_performance`) and each channel of the step has been used [`MEASURED`] times;
//! 4. the order of the step.

use core::cmp::Reverse;
use std::borrow::Cow;

use super::hours::{Hours, Shut};
use super::jurisdiction::{Laws, asked_for, said_by};
use super::place::Zones;
use super::{Ask, Log, Refusal, skip};
use crate::consent::{Channel, Consent, Source, standing};
use crate::decision::{Check, Why};
use crate::id::CartId;
use crate::person::Contact;
use crate::policy::{Field, Step};
use crate::time::Timestamp;

/// Messages by each channel of a step before their rates are compared: at a rate of 5 % the ratio of two
/// is then known to about a third.
pub const MEASURED: u64 = 400;
/// Rates are smoothed as if a channel had carried so many more messages, ...
const PRIOR_SENT: u64 = 100;
/// ... of which so many were followed.
const PRIOR_FOLLOWED: u64 = 5;

/// A channel that may be used, now or later.
pub(super) struct Chosen<'p> {
    pub(super) channel: Channel,
    pub(super) contact: &'p Contact,
    consent: Option<Consent>,
    /// When the law and the quiet hours allow it, if not now, and why not now.
    pub(super) wait: Option<(Timestamp, Why)>,
    /// Not after this instant.
    pub(super) last: Option<Timestamp>,
    pub(super) hours: Hours<'p>,
    /// By what its zones were found.
    pub(super) zones_origin: &'static str,
}

/// Chooses, or says why there is nothing to choose from: the refusal names the obstacle that came
/// closest to being passed.
pub(super) fn choose<'p>(ask: &Ask<'p>, step: &Step, log: &mut Log) -> Result<Chosen<'p>, Refusal> {
    let order = order(ask, step);
    let mut refusal = (0, Why::NoContact);
    let mut waiting: Option<Chosen<'p>> = None;
    for (place, (channel, _)) in order.iter().enumerate() {
        match may(ask, *channel, log) {
            Ok(chosen) if chosen.wait.is_none() => {
                return Ok(note(chosen, place, &order, log));
            }
            Ok(chosen) => {
                let until = |c: &Chosen<'p>| c.wait.map_or(ask.now, |(until, _)| until);
                if waiting.as_ref().is_none_or(|held| until(&chosen) < until(held)) {
                    waiting = Some(chosen);
                }
            }
            Err(refused) if refused.0 > refusal.0 => refusal = refused,
            Err(_) => {}
        }
    }
    let chosen = waiting.ok_or_else(|| skip(refusal.1))?;
    let place = order.iter().position(|(channel, _)| *channel == chosen.channel).unwrap_or(0);
    Ok(note(chosen, place, &order, log))
}

/// Says why this channel, if there was a choice.
fn note<'p>(
    chosen: Chosen<'p>,
    place: usize,
    order: &[(Channel, &'static str)],
    log: &mut Log,
) -> Chosen<'p> {
    log.consent.clone_from(&chosen.consent);
    if order.len() > 1 {
        let why = order.get(place).map_or("", |(_, why)| *why);
        let before: Vec<&str> = order.iter().take(place).map(|(channel, _)| channel.as_str()).collect();
        let found = if before.is_empty() {
            format!("{}: {why}", chosen.channel)
        } else {
            format!(
                "{}; {} would come before it and may not be used now",
                chosen.channel,
                before.join(" and ")
            )
        };
        log.checks.push(Check { rule: "channel".into(), found: found.into(), passed: true });
    }
    chosen
}

/// The channels of the step in the order of preference, each with what put it there.
fn order(ask: &Ask<'_>, step: &Step) -> Vec<(Channel, &'static str)> {
    let rules = &ask.policy.channels;
    let preferred = ask.person.preferred.filter(|_| rules.by_preference);
    let mobile = ask.facts.number(Field::SessionMobile).is_some_and(|flag| flag > 0.0);
    let phone = |channel: Channel| {
        let place = rules.mobile_first.iter().position(|c| *c == channel);
        if mobile { place.unwrap_or(usize::MAX) } else { 0 }
    };
    let measured = |channel: Channel| ask.request.performance.get(&channel).copied().unwrap_or((0, 0));
    let compared =
        rules.by_performance && step.channels.iter().all(|channel| measured(*channel).0 >= MEASURED);
    // Parts in a million, so that the order is that of whole numbers.
    let rate = |channel: Channel| {
        let (sent, followed) = measured(channel);
        let smoothed = u128::from(followed.min(sent)) + u128::from(PRIOR_FOLLOWED);
        if compared { smoothed * 1_000_000 / (u128::from(sent) + u128::from(PRIOR_SENT)) } else { 0 }
    };
    let key = |channel: Channel| (preferred != Some(channel), phone(channel), Reverse(rate(channel)));
    let mut order = step.channels.clone();
    order.sort_by_key(|channel| key(*channel));
    let why = |channel: Channel| {
        if preferred == Some(channel) {
            "the channel the person asked for"
        } else if mobile && phone(channel) != usize::MAX {
            "the last session was on a phone"
        } else if compared {
            "people of this shop follow it most often"
        } else {
            "the first of the step"
        }
    };
    order.into_iter().map(|channel| (channel, why(channel))).collect()
}

/// What is asked of a channel.
#[derive(Clone, Copy)]
enum Asked {
    Contact,
    OptedOut,
    Consent,
    Unverified,
    PerAbandonment,
    Hours,
}

impl Asked {
    /// The check's name for a channel. Written out: a record is made of many, and they are read more
    /// often than written.
    const fn of(self, channel: Channel) -> &'static str {
        use Channel::{Email, Push, Sms};
        match (channel, self) {
            (Email, Self::Contact) => "email.contact",
            (Email, Self::OptedOut) => "email.opted_out",
            (Email, Self::Consent) => "email.consent",
            (Email, Self::Unverified) => "email.unverified",
            (Email, Self::PerAbandonment) => "email.per_abandonment",
            (Email, Self::Hours) => "email.hours",
            (Sms, Self::Contact) => "sms.contact",
            (Sms, Self::OptedOut) => "sms.opted_out",
            (Sms, Self::Consent) => "sms.consent",
            (Sms, Self::Unverified) => "sms.unverified",
            (Sms, Self::PerAbandonment) => "sms.per_abandonment",
            (Sms, Self::Hours) => "sms.hours",
            (Push, Self::Contact) => "push.contact",
            (Push, Self::OptedOut) => "push.opted_out",
            (Push, Self::Consent) => "push.consent",
            (Push, Self::Unverified) => "push.unverified",
            (Push, Self::PerAbandonment) => "push.per_abandonment",
            (Push, Self::Hours) => "push.hours",
        }
    }
}

/// Whether a channel may be used: provider and address, opt-out, consent, the limits of addresses and
/// text messages, the law. The refusal says how far it came.
fn may<'p>(ask: &Ask<'p>, channel: Channel, log: &mut Log) -> Result<Chosen<'p>, (u8, Why)> {
    let mut no = |rule: Asked, found: &'static str| {
        log.checks.push(Check { rule: rule.of(channel).into(), found: found.into(), passed: false });
    };
    if !ask.request.capable.contains(&channel) {
        no(Asked::Contact, "no provider for this channel");
        return Err((0, Why::NoContact));
    }
    let Some(contact) = ask.person.reachable(channel, ask.now) else {
        no(Asked::Contact, "no address");
        return Err((0, Why::NoContact));
    };
    if ask.person.opt_outs.iter().any(|(c, _)| *c == channel) {
        no(Asked::OptedOut, "opted out of this channel");
        return Err((1, Why::ChannelOptedOut));
    }
    let places = ask.whereabouts.places(channel, &contact.address);
    let Zones { all: zones, origin } = ask.whereabouts.zones(&places, ask.policy);
    let laws = Laws::of(&ask.policy.jurisdictions, channel, places);
    let consent = agreed(ask, channel, contact, &laws, log)?;
    if let Some(found) = unverified(ask, channel, contact) {
        let passed = found.is_ok();
        let found = found.unwrap_or_else(|found| found).into();
        log.checks.push(Check { rule: Asked::Unverified.of(channel).into(), found, passed });
        if !passed {
            return Err((5, Why::UnverifiedLimit));
        }
    }
    if channel == Channel::Sms {
        let sent = ask.of_abandonment(channel);
        let passed = u64::try_from(sent).unwrap_or(u64::MAX) < u64::from(ask.policy.caps.sms_per_abandonment);
        let found = format!("{sent} so far").into();
        log.checks.push(Check { rule: Asked::PerAbandonment.of(channel).into(), found, passed });
        if !passed {
            return Err((6, Why::SmsCap));
        }
    }
    let ruling = laws.ruling(ask, &zones, log);
    if ruling.forbidden {
        return Err((7, Why::Jurisdiction));
    }
    let by_law = ruling.shut.len();
    let mut shut = ruling.shut;
    shut.extend(ask.policy.quiet_hours.map(|quiet| Shut::Window(quiet, &[])));
    let hours = Hours { zones, shut };
    let Some(open) = hours.open_from(ruling.room_at.unwrap_or(ask.now)) else {
        let found = "no hour of the next 14 days is free of all quiet hours".into();
        log.checks.push(Check { rule: Asked::Hours.of(channel).into(), found, passed: false });
        return Err((7, if by_law == 0 { Why::QuietHours } else { Why::Jurisdiction }));
    };
    if ruling.last.is_some_and(|last| open > last) {
        let found = format!("free again at {}, which is too late", open.to_rfc3339()).into();
        log.checks.push(Check { rule: Asked::Hours.of(channel).into(), found, passed: false });
        return Err((7, Why::Jurisdiction));
    }
    let why = if ask.policy.quiet_hours.is_some_and(|quiet| ask.is_quiet(quiet, &hours.zones)) {
        Why::QuietHours
    } else {
        Why::JurisdictionHours
    };
    let wait = (open > ask.now).then_some((open, why));
    let consent = consent.cloned();
    Ok(Chosen { channel, contact, consent, wait, last: ruling.last, hours, zones_origin: origin })
}

/// The yes that a message rests on, `None` where a customer needs none.
fn agreed<'p>(
    ask: &Ask<'p>,
    channel: Channel,
    contact: &Contact,
    laws: &Laws<'_>,
    log: &mut Log,
) -> Result<Option<&'p Consent>, (u8, Why)> {
    let held = standing(&ask.person.consents, channel);
    let yes = held.filter(|c| c.granted);
    let least = ask.policy.consent.least.get(&channel).copied().unwrap_or(Source::Page);
    let enough = yes.is_some_and(|yes| yes.source >= least);
    let by_law = laws.consent(yes);
    let lawful = by_law.iter().all(|check| check.passed);
    let found: Cow<'static, str> = match held {
        None => "never asked or never answered".into(),
        Some(c) if !c.granted => {
            format!("refused at {} under wording {:?}", c.at.to_rfc3339(), c.wording).into()
        }
        Some(c) => {
            let given = format!("given at {} under wording {:?}", c.at.to_rfc3339(), c.wording);
            if enough {
                given.into()
            } else {
                format!("{given}: {}; the policy asks for {}", said_by(c.source), asked_for(least)).into()
            }
        }
    };
    // A recorded no is a no; customers are those who were never asked, or said yes less firmly.
    if !(enough && lawful) && ask.policy.consent.soft_opt_in && held.is_none_or(|c| c.granted) {
        let (passed, checks) = laws.soft_opt_in(ask, contact);
        log.checks.extend(checks);
        if passed {
            let found = format!("{found}; customers need none here").into();
            log.checks.push(Check { rule: Asked::Consent.of(channel).into(), found, passed: true });
            return Ok(None);
        }
    }
    log.checks.push(Check { rule: Asked::Consent.of(channel).into(), found, passed: enough });
    log.checks.extend(by_law);
    match (enough, lawful) {
        (true, true) => Ok(yes),
        (false, _) if yes.is_none() => Err((2, Why::NoConsent)),
        (false, _) => Err((3, Why::WeakConsent)),
        (true, false) => Err((4, Why::Jurisdiction)),
    }
}

/// A stranger can type anybody's address into a page, and tick a box for them: one episode per address
/// in the window, until its owner clicks, confirms or buys. `None` where that does not bear on it.
fn unverified(
    ask: &Ask<'_>,
    channel: Channel,
    contact: &Contact,
) -> Option<Result<&'static str, &'static str>> {
    // Whatever the message rests on: a page's yes that a rule finds too weak must not count for more
    // than one that suffices.
    let consent = standing(&ask.person.consents, channel);
    let page_vouches = consent.is_some_and(|c| c.granted && c.source == Source::Page);
    if !page_vouches && (contact.source != Source::Page || contact.verified) {
        return None;
    }
    let window = ask.policy.caps.unverified_ms;
    let elsewhere = |at: Timestamp, cart: &CartId, abandonment: u32| {
        ask.now.since(at) < window && !ask.is_this(cart, abandonment)
    };
    // A claim in flight, or whose holder died, may have reached the address.
    let other = contact.recoveries.iter().any(|r| elsewhere(r.at, &r.cart, r.abandonment))
        || ask.person.claims.values().any(|c| {
            c.channel == channel && c.address == contact.address && elsewhere(c.at, &c.cart, c.abandonment)
        });
    Some(if other { Err("had its one recovery") } else { Ok("typed into a page; first recovery") })
}
