//! From the TOML document to the core's policy: every key once, defaults, names resolved. What
//! concerns the policy as a whole is `check`'s; what a condition means is `condition`'s.

use core::ops::Range;
use std::collections::BTreeMap;

use comeback_core::consent::Channel;
use comeback_core::policy::{
    Caps, DEFAULT_ATTRIBUTION, DEFAULT_IDLE, DEFAULT_LINK_TTL, DEFAULT_RETENTION, Expr, MIN_IDLE, Offer,
    OfferKind, Policy, Segment, Sequence, Step,
};
use comeback_core::time::{DAY, HOUR, MINUTE, Millis, QuietHours, Zone};
use toml::Spanned;
use toml::de::DeTable;

use crate::MAX_TEXT;
use crate::check::{self, Placed, Places};
use crate::condition::parse_condition;
use crate::diagnostic::Report;
use crate::quantity::{parse_time_of_day, show_span};
use crate::section::Section;
use crate::suggest::did_you_mean;
use crate::word::channels;

const DEFAULT_HOLDOUT: u8 = 10;
const DEFAULT_QUIET: QuietHours = QuietHours { from: 21 * 60, to: 9 * 60 };
const DEFAULT_ZONE: &str = "UTC";
const MAX_NAME: usize = 40;
const MAX_DESCRIPTION: usize = 500;
const MAX_SEGMENTS: usize = 32;
const MAX_OFFERS: usize = 32;
const MAX_SEQUENCES: usize = 16;
const MAX_STEPS: usize = 16;

/// The templates that ship, and the channels each is written for. The texts are the message crate's;
/// a shell that links both checks that it has them.
pub const TEMPLATES: [(&str, &[Channel]); 4] = [
    ("reminder", &[Channel::Email, Channel::Sms, Channel::Push]),
    ("incentive", &[Channel::Email, Channel::Push]),
    ("last_call", &[Channel::Email, Channel::Push]),
    ("sms_reminder", &[Channel::Sms]),
];

const TABLES: [&str; 11] = [
    "policy",
    "abandonment",
    "segment",
    "offer",
    "sequence",
    "caps",
    "quiet_hours",
    "holdout",
    "attribution",
    "link",
    "retention",
];

/// Reads the policy; `None` goes with at least one error. The version is left empty.
pub(crate) fn read(report: &mut Report<'_>) -> Option<Policy> {
    let text = report.text();
    if text.len() > MAX_TEXT {
        report.error(
            0..0,
            format!("a policy has at most {MAX_TEXT} bytes, this one has {}", text.len()),
            None,
        );
        return None;
    }
    let (document, faults) = DeTable::parse_recoverable(text);
    if !faults.is_empty() {
        // What was recovered from broken TOML would only draw errors that are none.
        for fault in faults {
            report.error(fault.span().unwrap_or(0..0), format!("not TOML: {}", fault.message()), None);
        }
        return None;
    }
    // The document has no place of its own: what it lacks is reported at its beginning.
    let root = Section::open(report, "the policy", 0..0, document.get_ref(), &TABLES);
    let reader = Reader { root: &root };
    let (policy, places) = reader.policy(report);
    let policy = policy.filter(|_| !report.has_errors())?;
    check::doubts(report, &policy, &places);
    Some(policy)
}

struct Reader<'d, 's> {
    root: &'s Section<'d>,
}

impl<'d> Reader<'d, '_> {
    fn policy(&self, report: &mut Report<'_>) -> (Option<Policy>, Places) {
        let head = self.root.table(report, "policy", "[policy]", &["name", "description"]);
        let name = policy_name(report, &head);
        let description = head.text(report, "description", MAX_DESCRIPTION).map(Spanned::into_inner);

        let segments = self.root.tables(report, "segment", "[[segment]]", &["name", "when"], MAX_SEGMENTS);
        let mut segment_names = Names::default();
        let names: Vec<Option<Spanned<String>>> =
            segments.iter().map(|s| segment_names.read(report, s, "segment")).collect();
        let known: Vec<&str> = segment_names.places.keys().map(String::as_str).collect();
        let mut conditions: Vec<(Expr, Range<usize>)> = Vec::new();
        let mut read_segments = Vec::new();
        for (section, name) in segments.iter().zip(names) {
            section.require(report, "when");
            let when = condition(report, section, "when", &known);
            read_segments.push((name, when, section.span_of("when")));
        }
        let mut condition_of = |report: &mut Report<'_>, section: &Section<'_>, key: &str| {
            let expr = condition(report, section, key, &known);
            conditions.extend(expr.clone().map(|expr| (expr, section.span_of(key))));
            expr
        };

        let mut offer_names = Names::default();
        let mut offers: Vec<Offer> = self
            .root
            .tables(
                report,
                "offer",
                "[[offer]]",
                &["name", "kind", "percent", "valid_for", "when"],
                MAX_OFFERS,
            )
            .iter()
            .filter_map(|section| {
                let when = condition_of(report, section, "when");
                offer(report, section, when, &mut offer_names)
            })
            .collect();

        let retention = self.span(report, "retention", "[retention]", "cart", DAY..=730 * DAY);
        let retention = retention.unwrap_or(DEFAULT_RETENTION);
        let mut sequence_names = Names::default();
        let mut sequences = Vec::new();
        let mut sequence_places = Vec::new();
        for section in
            self.root.tables(report, "sequence", "[[sequence]]", &["name", "for", "steps"], MAX_SEQUENCES)
        {
            let audience = condition_of(report, &section, "for");
            let name = sequence_names.read(report, &section, "sequence");
            let (steps, steps_at) = steps(report, &section, &offer_names, retention);
            sequence_places.push((section.span_of("name"), steps_at));
            sequences.extend(name.map(|name| Sequence {
                name: name.into_inner(),
                on: vec![],
                audience,
                steps,
            }));
        }
        if !self.root.has("sequence") {
            report.error(0..0, "the policy needs at least one [[sequence]]", None);
        }

        let placed: Vec<(&str, Placed<'_>)> = read_segments
            .iter()
            .filter_map(|(name, when, at)| {
                let placed = Placed { expr: when.as_ref()?, at: at.clone() };
                Some((name.as_ref()?.get_ref().as_str(), placed))
            })
            .collect();
        let others: Vec<Placed<'_>> =
            conditions.iter().map(|(expr, at)| Placed { expr, at: at.clone() }).collect();
        // With an unreadable segment, those that name it would look like parts of a circle.
        if placed.len() == segments.len() {
            check::conditions(report, &placed, &others);
        }

        let idle = self.span(report, "abandonment", "[abandonment]", "idle", MIN_IDLE..=7 * DAY);
        let (caps, caps_at, unverified_at) = self.caps(report);
        let (quiet_hours, default_zone, quiet_at) = self.quiet_hours(report);
        let holdout = self.root.table(report, "holdout", "[holdout]", &["percent"]);
        let holdout_percent = holdout.whole(report, "percent", 0..=100).unwrap_or(DEFAULT_HOLDOUT);
        let click = self.span(report, "attribution", "[attribution]", "click", HOUR..=30 * DAY);
        let link = self.span(report, "link", "[link]", "valid_for", HOUR..=90 * DAY);

        let mut segments: Vec<Segment> = read_segments
            .into_iter()
            .filter_map(|(name, when, _)| Some(Segment { name: name?.into_inner(), when: when? }))
            .collect();
        // Segments and offers are looked up by name: their order says nothing, so it is not kept.
        // Sequences are tried in turn: theirs is.
        segments.sort_by(|a, b| a.name.cmp(&b.name));
        offers.sort_by(|a, b| a.name.cmp(&b.name));

        let policy = name.map(|name| Policy {
            description: description.unwrap_or_default().to_owned(),
            idle_ms: idle.unwrap_or(DEFAULT_IDLE),
            segments,
            offers,
            caps,
            quiet_hours,
            default_zone,
            holdout_percent,
            attribution_click_ms: click.unwrap_or(DEFAULT_ATTRIBUTION),
            link_ttl_ms: link.unwrap_or(DEFAULT_LINK_TTL),
            cart_retention_ms: retention,
            ..Policy::plain(&name, sequences)
        });
        let places = Places {
            caps: caps_at,
            quiet_hours: quiet_at,
            unverified: unverified_at,
            holdout: holdout.span_of("percent"),
            link: self.root.span_of("link"),
            segments: segment_names.places,
            offers: offer_names.places,
            sequences: sequence_places,
        };
        (policy, places)
    }

    /// The only key of a table that holds one span.
    fn span(
        &self,
        report: &mut Report<'_>,
        table: &str,
        title: &str,
        key: &str,
        range: core::ops::RangeInclusive<Millis>,
    ) -> Option<Millis> {
        self.root.table(report, table, title, &[key]).duration(report, key, range)
    }

    fn caps(&self, report: &mut Report<'_>) -> (Caps, Range<usize>, Range<usize>) {
        let default = Caps::default();
        let keys = ["per_person", "sms_per_abandonment", "unverified"];
        let section = self.root.table(report, "caps", "[caps]", &keys);
        let person = section.table(report, "per_person", "[caps] per_person", &["day", "week"]);
        let caps = Caps {
            day: person.whole(report, "day", 0..=100).unwrap_or(default.day),
            week: person.whole(report, "week", 0..=100).unwrap_or(default.week),
            sms_per_abandonment: section
                .whole(report, "sms_per_abandonment", 0..=2)
                .unwrap_or(default.sms_per_abandonment),
            unverified_ms: section
                .duration(report, "unverified", MINUTE..=365 * DAY)
                .unwrap_or(default.unverified_ms),
        };
        (caps, section.span_of("per_person"), section.span_of("unverified"))
    }

    fn quiet_hours(&self, report: &mut Report<'_>) -> (Option<QuietHours>, String, Range<usize>) {
        let section =
            self.root.table(report, "quiet_hours", "[quiet_hours]", &["from", "to", "default_zone"]);
        let mut minute = |key: &str| {
            let text = section.text(report, key, MAX_NAME)?;
            let minute = parse_time_of_day(text.get_ref());
            if minute.is_none() {
                report.error(
                    text.span(),
                    format!("`{key}` is not a time of day: \"{}\"", text.get_ref()),
                    Some("a time of day is \"21:00\"".to_owned()),
                );
            }
            minute
        };
        let from = minute("from").unwrap_or(DEFAULT_QUIET.from);
        let to = minute("to").unwrap_or(DEFAULT_QUIET.to);
        let zone = section.text(report, "default_zone", 64);
        if let Some(zone) = &zone
            && Zone::parse(zone.get_ref()).is_none()
        {
            let help = Some("zones are named after cities: \"Europe/Berlin\"".to_owned());
            report.error(zone.span(), format!("there is no time zone \"{}\"", zone.get_ref()), help);
        }
        let zone = zone.map_or(DEFAULT_ZONE, Spanned::into_inner).to_owned();
        // Equal ends mean no window; that has one form, so that it has one hash.
        ((from != to).then_some(QuietHours { from, to }), zone, section.span())
    }
}

/// Names that must be unique, with their places.
#[derive(Default)]
struct Names {
    places: BTreeMap<String, Range<usize>>,
}

impl Names {
    fn read(
        &mut self,
        report: &mut Report<'_>,
        section: &Section<'_>,
        what: &str,
    ) -> Option<Spanned<String>> {
        section.require(report, "name");
        let name = section.text(report, "name", MAX_NAME)?;
        let (span, text) = (name.span(), name.into_inner());
        if !is_name(text) {
            report.error(
                span,
                format!("\"{text}\" cannot name a {what}"),
                Some("a name is a lower-case letter, then lower-case letters, digits and `_`; not `and`, `or`, `not`".to_owned()),
            );
            return None;
        }
        if self.places.contains_key(text) {
            report.error(span, format!("there are two {what}s named `{text}`"), None);
            return None;
        }
        self.places.insert(text.to_owned(), span.clone());
        Some(Spanned::new(span, text.to_owned()))
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !["and", "or", "not"].contains(&text)
}

fn policy_name(report: &mut Report<'_>, head: &Section<'_>) -> Option<String> {
    head.require(report, "name");
    let name = head.text(report, "name", MAX_NAME)?;
    let text = name.get_ref();
    let sound = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    if !sound {
        report.error(
            name.span(),
            format!("\"{text}\" cannot name a policy"),
            Some("a name is a lower-case letter, then lower-case letters, digits, `_` and `-`".to_owned()),
        );
    }
    sound.then(|| (*text).to_owned())
}

/// Reads a condition and puts the places of its faults into the file's terms.
fn condition(report: &mut Report<'_>, section: &Section<'_>, key: &str, segments: &[&str]) -> Option<Expr> {
    let text = section.text(report, key, crate::condition::MAX_LENGTH)?;
    let (span, text) = (text.span(), text.into_inner());
    let (expr, faults) = parse_condition(text, segments);
    // Without escapes the text stands in the file as it is, behind the quotes.
    let offset = report.text().get(span.clone()).and_then(|raw| raw.find(text)).filter(|_| !text.is_empty());
    let mut refused = false;
    for fault in faults {
        let at = offset.map_or_else(
            || span.clone(),
            |offset| span.start + offset + fault.at.start..span.start + offset + fault.at.end,
        );
        if fault.doubt {
            report.warn(at, fault.message, fault.help);
        } else {
            refused = true;
            report.error(at, fault.message, fault.help);
        }
    }
    expr.filter(|_| !refused)
}

fn offer(
    report: &mut Report<'_>,
    section: &Section<'_>,
    when: Option<Expr>,
    names: &mut Names,
) -> Option<Offer> {
    let name = names.read(report, section, "offer");
    for key in ["kind", "percent", "valid_for"] {
        section.require(report, key);
    }
    if let Some(kind) = section.text(report, "kind", MAX_NAME)
        && *kind.get_ref() != "percent"
    {
        let message = format!("there is no kind of offer \"{}\"", kind.get_ref());
        report.error(kind.span(), message, Some("known: percent".to_owned()));
    }
    let percent = section.whole(report, "percent", 1..=100);
    let valid_ms = section.duration(report, "valid_for", MINUTE..=90 * DAY);
    Some(Offer {
        name: name?.into_inner(),
        kind: OfferKind::Percent,
        percent: percent?,
        amount: 0.0,
        valid_ms: valid_ms?,
        when,
        min_margin: None,
        not_for: vec![],
        per_90d: None,
        budget_day: None,
        first_message: false,
        approval: false,
        honour_price_ms: None,
    })
}

fn steps(
    report: &mut Report<'_>,
    sequence: &Section<'_>,
    offers: &Names,
    retention: Millis,
) -> (Vec<Step>, Vec<Range<usize>>) {
    let known = ["name", "at", "channel", "template", "offer"];
    let sections = sequence.tables(report, "steps", "a step", &known, MAX_STEPS);
    sequence.require(report, "steps");
    if sequence.is_empty_list("steps") {
        report.error(sequence.span_of("steps"), "a sequence has at least one step", None);
    }
    let mut names = Names::default();
    let mut before: Option<Millis> = None;
    let (mut steps, mut places) = (Vec::new(), Vec::new());
    for section in sections {
        let name = names.read(report, &section, "step");
        for key in ["at", "channel", "template"] {
            section.require(report, key);
        }
        let at = section.duration(report, "at", 0..=60 * DAY);
        if let Some(at) = at {
            if let Some(before) = before.filter(|before| *before >= at) {
                report.error(
                    section.span_of("at"),
                    format!(
                        "steps are in the order of `at`; this one is not later than {}",
                        show_span(before)
                    ),
                    None,
                );
            }
            if at >= retention {
                let message = format!("the cart is gone by then: carts are kept {}", show_span(retention));
                report.error(section.span_of("at"), message, None);
            }
            before = Some(at);
        }
        let channels = channels(report, &section, "channel");
        if section.is_empty_list("channel") {
            report.error(section.span_of("channel"), "a step has at least one channel", None);
        }
        let template = template(report, &section, &channels);
        let offer = section.text(report, "offer", MAX_NAME);
        if let Some(offer) = &offer
            && !offers.places.contains_key(*offer.get_ref())
        {
            let help = did_you_mean(offer.get_ref(), offers.places.keys().map(String::as_str));
            report.error(offer.span(), format!("there is no offer `{}`", offer.get_ref()), help);
        }
        if let (Some(name), Some(at_ms), Some(template)) = (name, at, template) {
            places.push(name.span());
            let offer = offer.map(|offer| offer.into_inner().to_owned());
            steps.push(Step {
                name: name.into_inner(),
                at_ms,
                window_ms: 0,
                channels,
                template,
                offer,
                when: None,
            });
        }
    }
    (steps, places)
}

fn template(report: &mut Report<'_>, section: &Section<'_>, channels: &[Channel]) -> Option<String> {
    let template = section.text(report, "template", MAX_NAME)?;
    let name = *template.get_ref();
    let known = TEMPLATES.map(|(known, _)| known);
    let Some((_, written_for)) = TEMPLATES.into_iter().find(|(known, _)| *known == name) else {
        report.error(template.span(), format!("there is no template `{name}`"), did_you_mean(name, known));
        return None;
    };
    if let Some(channel) = channels.iter().find(|c| !written_for.contains(c)) {
        let fitting: Vec<&str> =
            TEMPLATES.into_iter().filter(|(_, c)| c.contains(channel)).map(|(known, _)| known).collect();
        let help = format!("templates for {channel}: {}", fitting.join(", "));
        report.error(template.span(), format!("template `{name}` cannot be sent by {channel}"), Some(help));
    }
    Some(name.to_owned())
}
