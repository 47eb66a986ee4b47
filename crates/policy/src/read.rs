//! From the TOML document to the core's policy: every key once, defaults, names resolved. What
//! concerns the policy as a whole is `check`'s; what a condition means is `condition`'s.

use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};

use comeback_core::consent::Channel;
use comeback_core::policy::{
    DEFAULT_ATTRIBUTION, DEFAULT_IDLE, DEFAULT_LINK_TTL, DEFAULT_RETENTION, Expr, Known, Policy, Segment,
};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::MAX_TEXT;
use crate::check::{self, Placed, fields_in, segments_in};
use crate::condition::{Scope, parse_condition};
use crate::diagnostic::Report;
use crate::places::Places;
use crate::section::Section;
use crate::shape::{LANGUAGE, ROOT};
use crate::suggest::did_you_mean;

mod experiments;
mod offers;
mod panels;
mod sequences;
mod settings;

pub(crate) use settings::MAX_RATE;

const DEFAULT_HOLDOUT: u8 = 10;
/// Takes an offer away, where one could be named.
pub(crate) const NO_OFFER: &str = "none";

/// Words that mean something in conditions and references.
pub(crate) const RESERVED: [&str; 6] = ["and", "or", "not", "in", "has", NO_OFFER];

/// The templates that ship, and the channels each is written for. The texts are the message crate's;
/// a shell that links both checks that it has them.
pub const TEMPLATES: [(&str, &[Channel]); 9] = [
    ("reminder", &[Channel::Email, Channel::Sms, Channel::Push]),
    ("incentive", &[Channel::Email, Channel::Push]),
    ("last_call", &[Channel::Email, Channel::Push]),
    ("follow_up", &[Channel::Email, Channel::Push]),
    ("help", &[Channel::Email, Channel::Push]),
    ("looked", &[Channel::Email, Channel::Push]),
    ("nudge", &[Channel::Push]),
    ("sms_reminder", &[Channel::Sms]),
    ("sms_follow_up", &[Channel::Sms]),
];

/// Reads the policy and where its parts are written; `None` goes with at least one error. The version
/// is left empty.
pub(crate) fn read(report: &mut Report<'_>) -> Option<(Policy, Places)> {
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
    if newer(report, document.get_ref()) {
        return None;
    }
    // The document has no place of its own: what it lacks is reported at its beginning.
    let root = Section::open(report, &ROOT, 0..0, document.get_ref());
    let (policy, places) = policy(report, &root);
    let policy = policy.filter(|_| !report.has_errors())?;
    check::meaning(report, &policy, &places);
    (!report.has_errors()).then_some((policy, places))
}

/// Whether it is in a language that this build does not read. Everything else that it would say about
/// such a text would be misleading.
fn newer(report: &mut Report<'_>, document: &DeTable<'_>) -> bool {
    let head = document.get("policy").and_then(|head| head.get_ref().as_table());
    let Some(language) = head.and_then(|head| head.get("language")) else {
        return false;
    };
    let DeValue::Integer(number) = language.get_ref() else {
        return false;
    };
    let newer = i64::from_str_radix(number.as_str(), number.radix()).is_ok_and(|number| number > LANGUAGE);
    if newer {
        report.error(
            language.span(),
            format!(
                "this policy is written in language {}; this build reads language {LANGUAGE}",
                number.as_str()
            ),
            Some("update Comeback, then push the policy again; the one in force stays".to_owned()),
        );
    }
    newer
}

/// What the parts of a policy may name while they are read.
struct Reader<'r> {
    segments: Vec<&'r str>,
    /// Segments that ask for what is known only at a claim.
    late: Vec<&'r str>,
    places: Places,
    conditions: Vec<(Expr, Range<usize>)>,
}

impl Reader<'_> {
    /// A condition of a step or an offer: asked at a claim.
    fn condition(&mut self, report: &mut Report<'_>, section: &Section<'_>, key: &str) -> Option<Expr> {
        let scope = Scope { segments: &self.segments, early: None };
        let expr = condition(report, section, key, scope)?;
        self.conditions.push((expr.clone(), section.span_of(key)));
        Some(expr)
    }

    /// A condition that is asked at the abandonment.
    fn early_condition(&mut self, report: &mut Report<'_>, section: &Section<'_>, key: &str) -> Option<Expr> {
        let scope = Scope { segments: &self.segments, early: Some(&self.late) };
        let expr = condition(report, section, key, scope)?;
        self.conditions.push((expr.clone(), section.span_of(key)));
        Some(expr)
    }
}

fn policy(report: &mut Report<'_>, root: &Section<'_>) -> (Option<Policy>, Places) {
    let head = root.table(report, "policy");
    let name = policy_name(report, &head);
    let description = head.text(report, "description").map(Spanned::into_inner);
    // Only its bounds matter: `newer` has seen the rest.
    let _ = head.whole::<i64>(report, "language");

    let sections = root.tables(report, "segment");
    let mut names = Names::default();
    let segment_names: Vec<Option<Spanned<String>>> =
        sections.iter().map(|section| names.read(report, section, "a segment")).collect();
    let mut places = Places::default();
    let known: Vec<&str> = names.known();
    let mut segments = Vec::new();
    for (section, name) in sections.iter().zip(&segment_names) {
        let scope = Scope { segments: &known, early: None };
        let when = condition(report, section, "when", scope);
        if let (Some(name), Some(when)) = (name, when) {
            places.note(&format!("segment.{}", name.get_ref()), section);
            segments.push((Segment { name: name.get_ref().clone(), when }, section.span_of("when")));
        }
    }
    let late = late(&segments);
    let mut reader = Reader { segments: known.clone(), late, places, conditions: Vec::new() };
    let mut offer_names = Names::default();
    let mut offers = reader.offers(report, root, &mut offer_names);
    let mut learners = reader.learners(report, root, &mut offer_names, &offers);
    let retention = root.table(report, "retention");
    let cart_retention_ms = retention.duration(report, "cart").unwrap_or(DEFAULT_RETENTION);
    let sequences = reader.sequences(report, root, &offer_names, cart_retention_ms);
    let mut experiments = reader.experiments(report, root, &sequences, &offer_names, &offers);
    let mut panels = reader.panels(report, root, &offers);
    let Reader { mut places, conditions, .. } = reader;

    let placed: Vec<(&str, Placed<'_>)> = segments
        .iter()
        .map(|(segment, at)| (segment.name.as_str(), Placed { expr: &segment.when, at: at.clone() }))
        .collect();
    let others: Vec<Placed<'_>> =
        conditions.iter().map(|(expr, at)| Placed { expr, at: at.clone() }).collect();
    // With an unreadable segment, those that name it would look like parts of a circle.
    if placed.len() == sections.len() {
        check::conditions(report, &placed, &others);
    }

    let abandonment = root.table(report, "abandonment");
    let idle_ms = abandonment.duration(report, "idle").unwrap_or(DEFAULT_IDLE);
    let triggers = settings::triggers(report, &abandonment);
    let browse = settings::browse(report, root);
    let caps = settings::caps(report, root, &mut places);
    let (quiet_hours, default_zone) = settings::quiet_hours(report, root);
    let (jurisdictions, default_country) = settings::jurisdiction(report, root);
    let holdout_percent = root.table(report, "holdout").whole(report, "percent").unwrap_or(DEFAULT_HOLDOUT);
    let attribution = root.table(report, "attribution");
    let link = root.table(report, "link");
    for table in [
        "abandonment",
        "browse",
        "caps",
        "fatigue",
        "consent",
        "channels",
        "quiet_hours",
        "jurisdiction",
        "rollout",
        "currency",
        "shipping",
        "leaving",
        "holdout",
        "attribution",
        "link",
        "retention",
    ] {
        if root.has(table) {
            let mut silent = Report::new("", "");
            places.note(table, &root.table(&mut silent, table));
        }
    }

    // Looked up by name: their order says nothing, so it is not kept. Sequences are tried in turn:
    // theirs is.
    let mut segments: Vec<Segment> = segments.into_iter().map(|(segment, _)| segment).collect();
    segments.sort_by(|a, b| a.name.cmp(&b.name));
    offers.sort_by(|a, b| a.name.cmp(&b.name));
    learners.sort_by(|a, b| a.name.cmp(&b.name));
    experiments.sort_by(|a, b| a.name.cmp(&b.name));
    panels.sort_by(|a, b| a.panel.cmp(&b.panel));

    let policy = name.map(|name| Policy {
        name,
        version: String::new(),
        description: description.unwrap_or_default().to_owned(),
        idle_ms,
        triggers,
        browse,
        segments,
        offers,
        learners,
        sequences,
        experiments,
        caps,
        fatigue: settings::fatigue(report, root),
        consent: settings::consent(report, root),
        channels: settings::channels(report, root),
        quiet_hours,
        default_zone,
        jurisdictions,
        default_country,
        holdout_percent,
        rollout: settings::rollout(report, root),
        rates: settings::rates(report, root),
        free_shipping_from: root.table(report, "shipping").number(report, "free_from"),
        panels,
        leaving: settings::leaving(report, root),
        attribution_click_ms: attribution.duration(report, "click").unwrap_or(DEFAULT_ATTRIBUTION),
        link_ttl_ms: link.duration(report, "valid_for").unwrap_or(DEFAULT_LINK_TTL),
        cart_retention_ms,
    });
    (policy, places)
}

/// Names of the segments that ask, themselves or through others, for what is known only at a claim.
fn late<'s>(segments: &'s [(Segment, Range<usize>)]) -> Vec<&'s str> {
    let mut late: BTreeSet<&'s str> = BTreeSet::new();
    // At most one round per segment, and no recursion through segments.
    loop {
        let before = late.len();
        for (segment, _) in segments {
            let mut named = BTreeSet::new();
            segments_in(&segment.when, &mut named);
            let itself = fields_in(&segment.when).iter().any(|field| field.spec().known == Known::Claim);
            if itself || named.iter().any(|name| late.contains(name)) {
                late.insert(&segment.name);
            }
        }
        if late.len() == before {
            return late.into_iter().collect();
        }
    }
}

/// Names that must be unique, with their places.
#[derive(Default)]
struct Names {
    places: BTreeMap<String, Range<usize>>,
}

impl Names {
    fn known(&self) -> Vec<&str> {
        self.places.keys().map(String::as_str).collect()
    }

    fn read(
        &mut self,
        report: &mut Report<'_>,
        section: &Section<'_>,
        what: &str,
    ) -> Option<Spanned<String>> {
        let name = section.text(report, "name")?;
        let (span, text) = (name.span(), name.into_inner());
        if !is_name(text) {
            report.error(
                span,
                format!("\"{text}\" cannot name {what}"),
                Some("a name is a lower-case letter, then lower-case letters, digits and `_`; not `and`, `or`, `not`, `in`, `has`, `none`".to_owned()),
            );
            return None;
        }
        if self.places.contains_key(text) {
            let noun = what.split_once(' ').map_or(what, |(_, noun)| noun);
            report.error(span, format!("there are two {noun}s named `{text}`"), None);
            return None;
        }
        self.places.insert(text.to_owned(), span.clone());
        Some(Spanned::new(span, text.to_owned()))
    }

    /// A name that must be one of these.
    fn find(&self, report: &mut Report<'_>, name: &Spanned<&str>, what: &str) -> Option<String> {
        let text = *name.get_ref();
        if self.places.contains_key(text) {
            return Some(text.to_owned());
        }
        let help = did_you_mean(text, self.places.keys().map(String::as_str));
        report.error(name.span(), format!("there is no {what} `{text}`"), help);
        None
    }
}

pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !RESERVED.contains(&text)
}

fn policy_name(report: &mut Report<'_>, head: &Section<'_>) -> Option<String> {
    let name = head.text(report, "name")?;
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
fn condition(report: &mut Report<'_>, section: &Section<'_>, key: &str, scope: Scope<'_>) -> Option<Expr> {
    let text = section.text(report, key)?;
    let (span, text) = (text.span(), text.into_inner());
    let (expr, faults) = parse_condition(text, scope);
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
