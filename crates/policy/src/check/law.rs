//! Where a policy asks for more than the law of some place lets it have. The gate obeys the law in any
//! case; here its author is told.

use comeback_core::consent::Channel;
use comeback_core::jurisdiction::{Law, Pack};
use comeback_core::policy::{Expr, Field, Policy, Sequence, Step};
use comeback_core::time::QuietHours;

use crate::diagnostic::Report;
use crate::logic::{Logic, Moment, Wish};
use crate::places::Places;
use crate::quantity::show_span;

pub(super) fn check(report: &mut Report<'_>, policy: &Policy, places: &Places, logic: &Logic<'_>) {
    consent(report, policy, places);
    assumed(report, policy, places);
    for sequence in &policy.sequences {
        for pack in &policy.jurisdictions {
            for rule in &pack.rules {
                match &rule.law {
                    Law::PerAbandonment { channel, most } => {
                        count(report, policy, sequence, pack, (*channel, *most), places, logic);
                    }
                    Law::Within { channel, span_ms } => {
                        let late = sequence.steps.iter().filter(|step| step.at_ms > *span_ms);
                        for step in late.filter(|step| step.channels == [*channel]) {
                            if goes_to(logic, sequence, step, pack) {
                                let message = format!(
                                    "step `{}` is never sent to people in {}: a {} goes out within {} of the abandonment there",
                                    step.name,
                                    place(&pack.name),
                                    noun(*channel),
                                    show_span(*span_ms)
                                );
                                tell(report, places, sequence, step, message, pack, &rule.source);
                            }
                        }
                    }
                    Law::Quiet { channels, window, days } if days.is_empty() => {
                        let all_day = policy.quiet_hours.is_some_and(|quiet| covers_the_day(quiet, *window));
                        for step in sequence.steps.iter().filter(|_| all_day) {
                            if step.channels.iter().all(|channel| channels.contains(channel))
                                && goes_to(logic, sequence, step, pack)
                            {
                                let message = format!(
                                    "step `{}` is never sent to people in {}: the quiet hours of the policy and those of the law leave no time of day",
                                    step.name,
                                    place(&pack.name)
                                );
                                tell(report, places, sequence, step, message, pack, &rule.source);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

/// People of whom no place is known are taken to be where the policy says; without a pack for it no law is kept there.
fn assumed(report: &mut Report<'_>, policy: &Policy, places: &Places) {
    let Some(country) = policy.default_country.as_ref().filter(|_| !policy.jurisdictions.is_empty()) else {
        return;
    };
    if !policy.jurisdictions.iter().any(|pack| pack.countries.contains(country)) {
        let message = format!(
            "none of the packs is for {country}, where people of whom no place is known are taken to be: no law is kept for them"
        );
        report.warn(places.at("jurisdiction.default_country"), message, None);
    }
}

fn tell(
    report: &mut Report<'_>,
    places: &Places,
    sequence: &Sequence,
    step: &Step,
    message: String,
    pack: &Pack,
    source: &str,
) {
    let at = places.at(&format!("sequence.{}.steps.{}", sequence.name, step.name));
    report.warn(at, message, Some(format!("pack \"{}\", as of {}: {source}", pack.code, pack.as_of)));
}

/// Text messages need a word on what a yes rests on; customers without a yes need a law that says so.
fn consent(report: &mut Report<'_>, policy: &Policy, places: &Places) {
    let texting = policy.sequences.iter().find_map(|sequence| {
        let step = sequence.steps.iter().find(|step| step.channels.contains(&Channel::Sms))?;
        Some((sequence, step))
    });
    if let Some((sequence, step)) = texting.filter(|_| !places.has("consent.sms")) {
        let at = places.at(&format!("sequence.{}.steps.{}.channel", sequence.name, step.name));
        let message =
            format!("step `{}` sends text messages, and nothing says what a yes to them rests on", step.name);
        let help = "write `[consent] sms = \"confirmed\"` (double opt-in), `\"signed\"` (the shop says so) or `\"page\"` (a ticked box)";
        report.warn(at, message, Some(help.to_owned()));
    }
    let soft = policy.jurisdictions.iter().flat_map(|pack| &pack.rules);
    if policy.consent.soft_opt_in && !soft.clone().any(|rule| matches!(rule.law, Law::SoftOptIn { .. })) {
        let message = "no pack lets customers be written to without a recorded yes";
        report.warn(places.at("consent.soft_opt_in"), message, None);
    }
}

/// Steps beyond what the law of a place allows for one abandonment.
fn count(
    report: &mut Report<'_>,
    policy: &Policy,
    sequence: &Sequence,
    pack: &Pack,
    (channel, most): (Channel, u32),
    places: &Places,
    logic: &Logic<'_>,
) {
    let source = pack.rules.iter().find_map(|rule| match rule.law {
        Law::PerAbandonment { channel: c, most: m } if (c, m) == (channel, most) => {
            Some(rule.source.as_str())
        }
        _ => None,
    });
    let policy_cap = if channel == Channel::Sms { policy.caps.sms_per_abandonment } else { u32::MAX };
    let possible = |step: &&Step| step.when.as_ref().is_none_or(|when| !logic.never(when));
    let mut counted = 0u32;
    for step in sequence.steps.iter().filter(|step| step.channels == [channel]).filter(possible) {
        if !goes_to(logic, sequence, step, pack) {
            continue;
        }
        counted += 1;
        // Beyond the policy's own cap it is not sent anywhere, which is told elsewhere.
        if counted > most && counted <= policy_cap {
            let message = format!(
                "step `{}` is {} {counted} of one abandonment, and {most} may go to people in {}: it is not sent there",
                step.name,
                noun(channel),
                place(&pack.name)
            );
            tell(report, places, sequence, step, message, pack, source.unwrap_or_default());
        }
    }
}

/// What a channel carries.
const fn noun(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "email",
        Channel::Sms => "text message",
        Channel::Push => "push message",
    }
}

/// Whether a step may be meant for people of a pack's countries.
fn goes_to(logic: &Logic<'_>, sequence: &Sequence, step: &Step, pack: &Pack) -> bool {
    let there = Expr::Is { field: Field::PersonCountry, words: pack.countries.clone() };
    let mut wishes = vec![Wish { expr: &there, moment: Moment::Left, holds: true }];
    wishes.extend(sequence.audience.iter().map(|expr| Wish { expr, moment: Moment::Left, holds: true }));
    wishes.extend(step.when.iter().map(|expr| Wish { expr, moment: Moment::Claim, holds: true }));
    logic.possible(&wishes) != Some(false)
}

/// Whether two windows together leave no minute of the day.
fn covers_the_day(a: QuietHours, b: QuietHours) -> bool {
    let quiet = |window: QuietHours, minute: u16| {
        if window.from <= window.to {
            (window.from..window.to).contains(&minute)
        } else {
            minute >= window.from || minute < window.to
        }
    };
    (0..1440).all(|minute| quiet(a, minute) || quiet(b, minute))
}

/// The name of a place in the middle of a sentence.
fn place(name: &str) -> String {
    if name.starts_with("United ") || name.ends_with(" Union") {
        format!("the {name}")
    } else {
        name.to_owned()
    }
}
