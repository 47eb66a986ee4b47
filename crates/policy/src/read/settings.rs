//! The tables without names of their own: triggers, caps, consent, quiet hours, packs and the rest.

use std::collections::BTreeMap;

use comeback_core::consent::Source;
use comeback_core::jurisdiction::Pack;
use comeback_core::policy::{
    Browse, Caps, ChannelRules, ConsentRules, Fatigue, LeavingRules, Rollout, Triggers,
};
use comeback_core::time::{MINUTE, Millis, QuietHours, Zone};

use crate::diagnostic::Report;
use crate::pack::{packs, parse_pack};
use crate::places::Places;
use crate::section::Section;
use crate::suggest::did_you_mean;
use crate::word::{ALL_CHANNELS, channel, source};

const DEFAULT_QUIET: QuietHours = QuietHours { from: 21 * 60, to: 9 * 60 };
const DEFAULT_ZONE: &str = "UTC";
const DEFAULT_BROWSE_IDLE: Millis = 30 * MINUTE;
/// Largest rate: the weakest currency against the strongest is some hundred thousand to one.
pub(crate) const MAX_RATE: f64 = 1_000_000.0;

pub(super) fn triggers(report: &mut Report<'_>, section: &Section<'_>) -> Triggers {
    Triggers {
        idle_by_class: section.spans_by_class(report, "idle_by_class"),
        page_exit_ms: section.duration(report, "page_exit"),
        checkout_error_ms: section.duration(report, "checkout_error"),
        platform_end_ms: section.duration(report, "platform_end"),
        abrupt_end_ms: section.duration(report, "abrupt_end"),
    }
}

pub(super) fn browse(report: &mut Report<'_>, root: &Section<'_>) -> Option<Browse> {
    let section = root.table(report, "browse");
    let dwell_ms = section.duration(report, "dwell");
    let browse = Browse {
        dwell_ms: dwell_ms.unwrap_or_default(),
        dwell_by_class: section.spans_by_class(report, "dwell_by_class"),
        idle_ms: section.duration(report, "idle").unwrap_or(DEFAULT_BROWSE_IDLE),
        per_week: section.whole(report, "per_week").unwrap_or(1),
    };
    dwell_ms.map(|_| browse)
}

pub(super) fn caps(report: &mut Report<'_>, root: &Section<'_>, places: &mut Places) -> Caps {
    let default = Caps::default();
    let section = root.table(report, "caps");
    let person = section.table(report, "per_person");
    if section.has("per_person") {
        places.note("caps.per_person", &person);
    }
    Caps {
        day: person.whole(report, "day").unwrap_or(default.day),
        week: person.whole(report, "week").unwrap_or(default.week),
        sms_per_abandonment: section
            .whole(report, "sms_per_abandonment")
            .unwrap_or(default.sms_per_abandonment),
        unverified_ms: section.duration(report, "unverified").unwrap_or(default.unverified_ms),
    }
}

pub(super) fn fatigue(report: &mut Report<'_>, root: &Section<'_>) -> Option<Fatigue> {
    let section = root.table(report, "fatigue");
    let (unanswered, rest_ms) = (section.whole(report, "unanswered"), section.duration(report, "rest"));
    Some(Fatigue { unanswered: unanswered?, rest_ms: rest_ms? })
}

pub(super) fn leaving(report: &mut Report<'_>, root: &Section<'_>) -> LeavingRules {
    let section = root.table(report, "leaving");
    LeavingRules {
        act_below: section.number(report, "act_below"),
        min_velocity_px_s: section.number(report, "min_speed"),
        min_scroll_px_s: section.number(report, "min_scroll"),
        away_ms: section.duration(report, "away"),
        idle_ms: section.duration(report, "idle"),
    }
}

pub(super) fn consent(report: &mut Report<'_>, root: &Section<'_>) -> ConsentRules {
    let section = root.table(report, "consent");
    let least = ALL_CHANNELS.into_iter().filter_map(|channel| {
        let rests_on = section.word(report, channel.as_str(), "kind of consent").and_then(source)?;
        // A page's word is the least there is: saying so asks for nothing.
        (rests_on != Source::Page).then_some((channel, rests_on))
    });
    let least: BTreeMap<_, _> = least.collect();
    ConsentRules { least, soft_opt_in: section.flag(report, "soft_opt_in").unwrap_or_default() }
}

pub(super) fn channels(report: &mut Report<'_>, root: &Section<'_>) -> ChannelRules {
    let section = root.table(report, "channels");
    ChannelRules {
        mobile_first: section
            .words(report, "mobile_first", "channel")
            .into_iter()
            .filter_map(channel)
            .collect(),
        by_preference: section.flag(report, "by_preference").unwrap_or_default(),
        by_performance: section.flag(report, "by_performance").unwrap_or_default(),
    }
}

pub(super) fn quiet_hours(report: &mut Report<'_>, root: &Section<'_>) -> (Option<QuietHours>, String) {
    let section = root.table(report, "quiet_hours");
    let from = section.minute(report, "from").unwrap_or(DEFAULT_QUIET.from);
    let to = section.minute(report, "to").unwrap_or(DEFAULT_QUIET.to);
    let zone = section.text(report, "default_zone");
    if let Some(zone) = &zone
        && Zone::parse(zone.get_ref()).is_none()
    {
        let help = Some("zones are named after cities: \"Europe/Berlin\"".to_owned());
        report.error(zone.span(), format!("there is no time zone \"{}\"", zone.get_ref()), help);
    }
    let zone = zone.map_or(DEFAULT_ZONE, toml::Spanned::into_inner).to_owned();
    // Equal ends mean no window; that has one form, so that it has one hash.
    ((from != to).then_some(QuietHours { from, to }), zone)
}

/// The packs that apply, in the order of their codes, and the country of people without a place.
pub(super) fn jurisdiction(report: &mut Report<'_>, root: &Section<'_>) -> (Vec<Pack>, Option<String>) {
    let section = root.table(report, "jurisdiction");
    let default_country = section.country(report, "default_country");
    let all = packs();
    let mut chosen: Vec<&(&str, &str)> = Vec::new();
    if !section.has("packs") || section.is_text("packs", "all") {
        chosen.extend(all);
    } else {
        for code in section.unique(report, "packs", "[\"us\", \"fr\"], or \"all\"", 0, all.len()) {
            // A country's pack brings those of its regions: who names the one means both.
            let regions = format!("{}-", code.get_ref());
            let found: Vec<_> = all
                .iter()
                .filter(|(known, _)| known == code.get_ref() || known.starts_with(&regions))
                .filter(|pack| !chosen.contains(pack))
                .collect();
            if !all.iter().any(|(known, _)| known == code.get_ref()) {
                let help = did_you_mean(code.get_ref(), all.iter().map(|(known, _)| *known));
                report.error(code.span(), format!("there is no pack \"{}\"", code.get_ref()), help);
            } else {
                chosen.extend(found);
            }
        }
    }
    chosen.sort();
    let mut read = Vec::new();
    for (code, text) in chosen {
        match parse_pack(code, text) {
            Ok(pack) => read.push(pack),
            // Never with the packs that ship, which a test reads; never without the law either.
            Err(errors) => {
                let message =
                    format!("the shipped pack \"{code}\" cannot be read: {}", errors.errors[0].message);
                report.error(section.span(), message, None);
            }
        }
    }
    (read, default_country)
}

pub(super) fn rollout(report: &mut Report<'_>, root: &Section<'_>) -> Rollout {
    let section = root.table(report, "rollout");
    let percent = section.whole(report, "percent").unwrap_or(Rollout::default().percent);
    Rollout { percent, per_hour: section.whole(report, "per_hour") }
}

pub(super) fn rates(report: &mut Report<'_>, root: &Section<'_>) -> BTreeMap<String, f64> {
    let section = root.table(report, "currency");
    let mut rates = BTreeMap::new();
    for (code, rate) in section.numbers(report, "rates", 0.0, MAX_RATE) {
        let sound = code.get_ref().len() == 3 && code.get_ref().bytes().all(|b| b.is_ascii_uppercase());
        if !sound {
            let help = Some("currencies are ISO 4217 codes of three capital letters, \"USD\"".to_owned());
            report.error(code.span(), format!("there is no currency \"{}\"", code.get_ref()), help);
        } else if rate <= 0.0 {
            report.error(code.span(), "a rate is more than 0", None);
        } else {
            rates.insert(code.into_inner().to_owned(), rate);
        }
    }
    rates
}
