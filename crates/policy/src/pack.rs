//! Jurisdiction packs: what the law of a place adds, written as TOML files and read into the core's
//! [`Pack`]. The shipped ones are embedded. Reads no law and judges none: what a rule does is the gate's.
//!
//! | key | form |
//! |---|---|
//! | `code` | lower-case country code, for a region `us-fl`, for a union a name such as `eu` |
//! | `name`, `as_of` | in plain words; the day on which the sources were read, `2026-11-21` |
//! | `countries` | ISO 3166-1 alpha-2 codes |
//! | `regions` | ISO 3166-2 codes without the country; absent is all of them |
//! | `holidays` | `"12-25"` (month, day) or `"easter+39"`, `"easter-2"` (days from Easter Sunday) |
//! | `[[rule]] id`, `source` | its name within the pack, where it is written |
//! | `[[rule]] law` | one of the following, each with its own keys |
//!
//! | law | keys | says |
//! |---|---|---|
//! | `quiet` | `channels`, `from`, `to`, `days` | nothing by these channels in this window of local time; with `days` only where it begins on one of them |
//! | `no_days` | `channels`, `sundays`, `holidays` | nothing by these channels on these days |
//! | `per_abandonment` | `channel`, `most` | at most so many messages for one abandonment |
//! | `per_day` | `channel`, `most` | at most so many messages in any 24 hours |
//! | `within` | `channel`, `span` | only so long after the abandonment |
//! | `least_consent` | `channel`, `consent` | a yes rests on at least this: `page` is any yes, `signed` one that the shop vouches for, `confirmed` one from the address itself |
//! | `soft_opt_in` | `channel`, `span` | customers need no recorded yes so long after an order, if the policy wants it |

use comeback_core::consent::Channel;
use comeback_core::jurisdiction::{Holiday, Law, Pack, Rule, Weekday};
use comeback_core::time::QuietHours;
use toml::de::DeTable;

use crate::diagnostic::{PolicyErrors, Report};
use crate::section::Section;
use crate::shape::{DAYS, MAX_CLASSES, PACK};
use crate::word::{self, channel};

/// Code and text of each shipped pack, in the order of their codes.
const PACKS: &[(&str, &str)] = &[
    ("au", include_str!("../../../policies/jurisdictions/au.toml")),
    ("ca", include_str!("../../../policies/jurisdictions/ca.toml")),
    ("de", include_str!("../../../policies/jurisdictions/de.toml")),
    ("eu", include_str!("../../../policies/jurisdictions/eu.toml")),
    ("fr", include_str!("../../../policies/jurisdictions/fr.toml")),
    ("gb", include_str!("../../../policies/jurisdictions/gb.toml")),
    ("us", include_str!("../../../policies/jurisdictions/us.toml")),
    ("us-ct", include_str!("../../../policies/jurisdictions/us-ct.toml")),
    ("us-fl", include_str!("../../../policies/jurisdictions/us-fl.toml")),
    ("us-md", include_str!("../../../policies/jurisdictions/us-md.toml")),
    ("us-ok", include_str!("../../../policies/jurisdictions/us-ok.toml")),
    ("us-ri", include_str!("../../../policies/jurisdictions/us-ri.toml")),
    ("us-tx", include_str!("../../../policies/jurisdictions/us-tx.toml")),
    ("us-wa", include_str!("../../../policies/jurisdictions/us-wa.toml")),
];

/// The keys that each law takes besides `id`, `source` and `law`.
pub(crate) const LAW_KEYS: [(&str, &[&str]); 7] = [
    ("quiet", &["channels", "from", "to", "days"]),
    ("no_days", &["channels", "sundays", "holidays"]),
    ("per_abandonment", &["channel", "most"]),
    ("per_day", &["channel", "most"]),
    ("within", &["channel", "span"]),
    ("least_consent", &["channel", "consent"]),
    ("soft_opt_in", &["channel", "span"]),
];

/// Those of them that may be left out.
pub(crate) const MAY_LACK: [&str; 3] = ["sundays", "holidays", "days"];

/// Code and text of each jurisdiction pack that ships with Comeback.
#[must_use]
pub fn packs() -> &'static [(&'static str, &'static str)] {
    PACKS
}

/// Reads a jurisdiction pack. `file_name` only names the text in messages.
pub fn parse_pack(file_name: &str, text: &str) -> Result<Pack, PolicyErrors> {
    let mut report = Report::new(file_name, text);
    let pack = read(&mut report);
    if pack.is_none() && !report.has_errors() {
        report.error(0..0, "the pack could not be read", None);
    }
    let warnings = report.finish()?;
    pack.ok_or(PolicyErrors { errors: Vec::new(), warnings })
}

fn read(report: &mut Report<'_>) -> Option<Pack> {
    let (document, faults) = DeTable::parse_recoverable(report.text());
    if !faults.is_empty() {
        for fault in faults {
            report.error(fault.span().unwrap_or(0..0), format!("not TOML: {}", fault.message()), None);
        }
        return None;
    }
    let root = Section::open(report, &PACK, 0..0, document.get_ref());
    let code = root.text(report, "code").and_then(|code| {
        let sound = is_code(code.get_ref());
        if !sound {
            report.error(code.span(), "a pack's code is \"fr\" or \"us-fl\"", None);
        }
        sound.then(|| (*code.get_ref()).to_owned())
    });
    let name = root.text(report, "name").map(|name| (*name.get_ref()).to_owned());
    let as_of = root.text(report, "as_of").and_then(|day| {
        let sound = is_day(day.get_ref());
        if !sound {
            report.error(day.span(), "`as_of` is a day, \"2026-11-21\"", None);
        }
        sound.then(|| (*day.get_ref()).to_owned())
    });
    let countries = root.countries(report, "countries");
    let mut regions = Vec::new();
    for text in root.unique(report, "regions", "[\"FL\"]", 1, MAX_CLASSES) {
        if is_region(text.get_ref()) {
            regions.push(text.into_inner().to_owned());
        } else {
            let message = format!("\"{}\" is not a region such as \"FL\"", text.get_ref());
            report.error(text.span(), message, None);
        }
    }
    let mut holidays = Vec::new();
    for text in root.unique(report, "holidays", "[\"12-25\", \"easter+1\"]", 1, MAX_CLASSES) {
        match holiday(text.get_ref()) {
            Some(day) => holidays.push(day),
            None => report.error(
                text.span(),
                format!("\"{}\" is not a holiday", text.get_ref()),
                Some("\"12-25\" is a date of every year, \"easter+39\" counts from Easter Sunday".to_owned()),
            ),
        }
    }
    let mut rules: Vec<Rule> = Vec::new();
    for section in root.tables(report, "rule") {
        if let Some(rule) = rule(report, &section) {
            if rules.iter().any(|other| other.id == rule.id) {
                report.error(section.span_of("id"), format!("there are two rules `{}`", rule.id), None);
            }
            rules.push(rule);
        }
    }
    let needs_holidays = rules.iter().any(|rule| matches!(rule.law, Law::NoDays { holidays: true, .. }));
    if needs_holidays && holidays.is_empty() {
        report.error(0..0, "a rule names holidays, and the pack has none", None);
    }
    let pack = Pack { code: code?, name: name?, countries, regions, as_of: as_of?, holidays, rules };
    (!report.has_errors()).then_some(pack)
}

fn rule(report: &mut Report<'_>, section: &Section<'_>) -> Option<Rule> {
    let id = section.text(report, "id").map(|id| (*id.get_ref()).to_owned());
    let source = section.text(report, "source").map(|source| (*source.get_ref()).to_owned());
    let name = section.word(report, "law", "law")?;
    let (_, keys) = LAW_KEYS.into_iter().find(|(known, _)| *known == name)?;
    let others = LAW_KEYS.iter().flat_map(|(_, keys)| *keys);
    for key in others.filter(|key| section.has(key) && !keys.contains(key)) {
        report.error(section.span_of(key), format!("law `{name}` has no `{key}`"), None);
    }
    for key in keys.iter().filter(|key| !MAY_LACK.contains(key)) {
        section.require(report, key);
    }
    let list = |report: &mut Report<'_>| -> Vec<Channel> {
        section.words(report, "channels", "channel").into_iter().filter_map(channel).collect()
    };
    let one = |report: &mut Report<'_>| section.word(report, "channel", "channel").and_then(channel);
    let law = match name {
        "quiet" => {
            let (from, to) = (section.minute(report, "from"), section.minute(report, "to"));
            let days = section.words(report, "days", "day");
            Law::Quiet {
                channels: list(report),
                window: QuietHours { from: from?, to: to? },
                days: days.into_iter().filter_map(weekday).collect(),
            }
        }
        "no_days" => {
            let (sundays, holidays) = (section.flag(report, "sundays"), section.flag(report, "holidays"));
            let (sundays, holidays) = (sundays == Some(true), holidays == Some(true));
            if !sundays && !holidays {
                report.error(section.span_of("law"), "`no_days` needs `sundays` or `holidays`", None);
            }
            Law::NoDays { channels: list(report), sundays, holidays }
        }
        "per_abandonment" => {
            Law::PerAbandonment { channel: one(report)?, most: section.whole(report, "most")? }
        }
        "per_day" => Law::PerDay { channel: one(report)?, most: section.whole(report, "most")? },
        "within" => Law::Within { channel: one(report)?, span_ms: section.duration(report, "span")? },
        "least_consent" => Law::LeastConsent {
            channel: one(report)?,
            source: section.word(report, "consent", "kind of consent").and_then(word::source)?,
        },
        _ => Law::SoftOptIn { channel: one(report)?, span_ms: section.duration(report, "span")? },
    };
    Some(Rule { id: id?, source: source?, law })
}

/// A day of the week by its name in the order of [`DAYS`].
fn weekday(name: &str) -> Option<Weekday> {
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    let days = [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday];
    let at = DAYS.iter().position(|known| *known == name)?;
    days.get(at).copied()
}

/// `fr`, `us-fl`.
pub(crate) fn is_code(text: &str) -> bool {
    let part = |part: &str| {
        (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    text.split('-').count() <= 2 && text.split('-').all(part)
}

/// `FL`, `75`.
fn is_region(text: &str) -> bool {
    (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// `12-25`, `easter+1`, `easter-2`, `easter`.
fn holiday(text: &str) -> Option<Holiday> {
    if let Some(offset) = text.strip_prefix("easter") {
        let offset = match offset {
            "" => 0,
            _ if offset.starts_with(['+', '-']) => offset.parse().ok()?,
            _ => return None,
        };
        return (-100..=100).contains(&offset).then_some(Holiday::Easter { offset });
    }
    let (month, day) = month_and_day(text)?;
    Some(Holiday::Fixed { month, day })
}

fn month_and_day(text: &str) -> Option<(i8, i8)> {
    let (month, day) = text.split_once('-')?;
    let two = |part: &str| -> Option<i8> {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (month, day) = (two(month)?, two(day)?);
    let last = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=last).contains(&day).then_some((month, day))
}

fn is_day(text: &str) -> bool {
    text.split_once('-').is_some_and(|(year, rest)| {
        year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()) && month_and_day(rest).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holidays() {
        let cases = [
            ("12-25", Some(Holiday::Fixed { month: 12, day: 25 })),
            ("02-29", Some(Holiday::Fixed { month: 2, day: 29 })),
            ("easter", Some(Holiday::Easter { offset: 0 })),
            ("easter+39", Some(Holiday::Easter { offset: 39 })),
            ("easter-2", Some(Holiday::Easter { offset: -2 })),
            ("easter39", None),
            ("easter+400", None),
            ("02-30", None),
            ("13-01", None),
            ("1-1", None),
            ("", None),
        ];
        for (text, expect) in cases {
            assert_eq!(holiday(text), expect, "{text}");
        }
    }

    #[test]
    fn shipped_packs_are_sound_and_in_order() {
        let mut before = "";
        for (code, text) in packs() {
            let pack = parse_pack(code, text).map_err(|e| e.to_string()).unwrap();
            assert_eq!(pack.code, *code);
            assert!(before < *code, "{before} before {code}");
            assert!(!pack.rules.is_empty() && !pack.countries.is_empty(), "{code}");
            before = code;
        }
    }

    #[test]
    fn every_shipped_file_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/jurisdictions");
        let files = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(files, packs().len());
    }

    #[test]
    fn a_broken_pack_is_refused_with_its_place() {
        let sound = packs().iter().find(|(code, _)| *code == "fr").unwrap().1;
        let cases = [
            ("law = \"quiet\"", "law = \"quite\"", "there is no law \"quite\""),
            ("from = \"22:00\"", "from = \"22:00\"\nmost = 1", "law `quiet` has no `most`"),
            ("sundays = true\nholidays = true", "", "`no_days` needs `sundays` or `holidays`"),
            ("[\"FR\"", "[\"UK\"", "there is no country \"UK\""),
            ("as_of = \"2026-11-21\"", "as_of = \"2026\"", "`as_of` is a day, \"2026-11-21\""),
            (
                "id = \"sms_night\"",
                "id = \"sms_sundays_and_holidays\"",
                "there are two rules `sms_sundays_and_holidays`",
            ),
        ];
        for (from, to, expect) in cases {
            assert!(sound.contains(from), "{from}");
            let errors = parse_pack("fr", &sound.replacen(from, to, 1)).unwrap_err();
            assert!(errors.errors.iter().any(|e| e.message == expect), "{expect}: {errors}");
        }
    }
}
