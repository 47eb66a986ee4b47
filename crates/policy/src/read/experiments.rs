//! Experiments and their arms.

use comeback_core::onsite::Panel;
use comeback_core::policy::{Arm, Experiment, Offer, Sequence, Step, Subject};

use super::panels::public;
use super::sequences::{channels, fits, template};
use super::{NO_OFFER, Names, Reader};
use crate::diagnostic::Report;
use crate::quantity::show_span;
use crate::section::Section;
use crate::suggest::did_you_mean;

impl Reader<'_> {
    pub(super) fn experiments(
        &mut self,
        report: &mut Report<'_>,
        root: &Section<'_>,
        sequences: &[Sequence],
        names_of_offers: &Names,
        offers: &[Offer],
    ) -> Vec<Experiment> {
        let mut names = Names::default();
        let mut experiments = Vec::new();
        for section in root.tables(report, "experiment") {
            let name = names.read(report, &section, "an experiment");
            let hypothesis = section.text(report, "hypothesis").map(|text| (*text.get_ref()).to_owned());
            let subject = subject(report, &section, sequences);
            let step = subject.as_ref().and_then(|subject| step_of(subject, sequences));
            let mut arm_names = Names::default();
            let mut arms = Vec::new();
            for part in section.tables(report, "arms") {
                let arm = match &subject {
                    Some(Subject::Panel { .. }) => panel_arm(report, &part, offers, &mut arm_names),
                    _ => arm(report, &part, names_of_offers, step, &mut arm_names),
                };
                if let Some(arm) = arm {
                    if let Some(name) = &name {
                        self.places.note(&format!("experiment.{}.arms.{}", name.get_ref(), arm.name), &part);
                    }
                    arms.push(arm);
                }
            }
            if let (Some(name), Some(hypothesis), Some(subject)) = (name, hypothesis, subject) {
                self.places.note(&format!("experiment.{}", name.get_ref()), &section);
                experiments.push(Experiment { name: name.into_inner(), hypothesis, subject, arms });
            }
        }
        experiments
    }
}

/// The step an experiment is on, with those before and after it.
type Neighbours<'s> = (Option<&'s Step>, &'s Step, Option<&'s Step>);

fn step_of<'s>(subject: &Subject, sequences: &'s [Sequence]) -> Option<Neighbours<'s>> {
    let Subject::Step { sequence, step } = subject else {
        return None;
    };
    let steps = &sequences.iter().find(|known| known.name == *sequence)?.steps;
    let index = steps.iter().position(|known| known.name == *step)?;
    let before = index.checked_sub(1).and_then(|before| steps.get(before));
    Some((before, steps.get(index)?, steps.get(index + 1)))
}

fn subject(report: &mut Report<'_>, section: &Section<'_>, sequences: &[Sequence]) -> Option<Subject> {
    let (sequence, step) = (section.text(report, "sequence"), section.text(report, "step"));
    let panel = section.text(report, "panel");
    match (sequence, step, panel) {
        (None, None, Some(panel)) => {
            let name = section.word(report, "panel", "panel")?;
            if name == Panel::CartCheck.as_str() {
                let message = "`cart_check` tells what is true of the cart; there is nothing to try";
                report.error(panel.span(), message, None);
                return None;
            }
            Some(Subject::Panel { panel: name.to_owned() })
        }
        (Some(sequence), Some(step), None) => {
            let known = sequences.iter().find(|known| known.name == *sequence.get_ref());
            let Some(known) = known else {
                let help =
                    did_you_mean(sequence.get_ref(), sequences.iter().map(|known| known.name.as_str()));
                report.error(sequence.span(), format!("there is no sequence `{}`", sequence.get_ref()), help);
                return None;
            };
            if !known.steps.iter().any(|known| known.name == *step.get_ref()) {
                let help = did_you_mean(step.get_ref(), known.steps.iter().map(|known| known.name.as_str()));
                let message = format!("sequence `{}` has no step `{}`", known.name, step.get_ref());
                report.error(step.span(), message, help);
                return None;
            }
            Some(Subject::Step { sequence: known.name.clone(), step: (*step.get_ref()).to_owned() })
        }
        _ => {
            let message = "an experiment is on a step (`sequence` and `step`) or on a panel (`panel`)";
            report.error(section.span(), message, None);
            None
        }
    }
}

fn arm(
    report: &mut Report<'_>,
    section: &Section<'_>,
    offers: &Names,
    step: Option<Neighbours<'_>>,
    names: &mut Names,
) -> Option<Arm> {
    let name = names.read(report, section, "an arm");
    let weight = section.whole(report, "weight").unwrap_or(1);
    let at_ms = section.duration(report, "at");
    let own_channels = section.has("channel").then(|| channels(report, section));
    let fitting: &[_] = match (&own_channels, step) {
        (Some(own), _) => own,
        (None, Some((_, step, _))) => &step.channels,
        _ => &[],
    };
    let template = template(report, section, fitting);
    let offer = section.text(report, "offer").and_then(|offer| match *offer.get_ref() {
        NO_OFFER => Some(NO_OFFER.to_owned()),
        _ => offers.find(report, &offer, "offer"),
    });
    let silent = section.flag(report, "silent").unwrap_or_default();
    if silent {
        says_nothing(report, section, &STEP_KEYS, "a silent arm sends nothing; its");
    }
    says_nothing(report, section, &PANEL_KEYS, "an arm of a step has no");
    if let Some((before, step, after)) = step {
        if own_channels.is_some() && template.is_none() {
            fits(report, section, "channel", &step.template, fitting);
        }
        if let Some(at) = at_ms
            && let Some(other) =
                before.filter(|before| before.at_ms >= at).or_else(|| after.filter(|after| after.at_ms <= at))
        {
            let message = format!(
                "at {} this arm would change places with step `{}` at {}",
                show_span(at),
                other.name,
                show_span(other.at_ms)
            );
            report.error(
                section.span_of("at"),
                message,
                Some("an arm stays between the steps around it".to_owned()),
            );
        }
    }
    let (channels, name) = (own_channels, name?.into_inner());
    Some(Arm { name, weight, at_ms, channels, template, offer, silent, ..Arm::default() })
}

/// Keys of an arm on a step.
const STEP_KEYS: [&str; 4] = ["at", "channel", "template", "offer"];
/// Keys of an arm on a panel, beside `offer`.
const PANEL_KEYS: [&str; 3] = ["copy", "dwell", "max_buy"];

/// Reports the first of the keys that are out of place.
fn says_nothing(report: &mut Report<'_>, section: &Section<'_>, keys: &[&str], why: &str) {
    if let Some(key) = keys.iter().find(|key| section.has(key)) {
        let message = if why.ends_with("its") {
            format!("{why} `{key}` says nothing")
        } else {
            format!("{why} `{key}`")
        };
        report.error(section.span_of(key), message, None);
    }
}

/// An arm of a panel: other words, another patience, an offer, or nothing at all.
fn panel_arm(
    report: &mut Report<'_>,
    section: &Section<'_>,
    offers: &[Offer],
    names: &mut Names,
) -> Option<Arm> {
    let name = names.read(report, section, "an arm");
    let silent = section.flag(report, "silent").unwrap_or_default();
    says_nothing(report, section, &STEP_KEYS[..3], "an arm of a panel has no");
    if silent {
        says_nothing(report, section, &["copy", "offer"], "a silent arm shows nothing; its");
    }
    let offer = section.text(report, "offer").and_then(|offer| match *offer.get_ref() {
        NO_OFFER => Some(NO_OFFER.to_owned()),
        _ => public(report, &offer, offers),
    });
    let copy = section.text(report, "copy").map(|copy| (*copy.get_ref()).to_owned());
    Some(Arm {
        weight: section.whole(report, "weight").unwrap_or(1),
        offer,
        silent,
        copy,
        dwell_ms: section.duration(report, "dwell"),
        max_buy: section.number(report, "max_buy"),
        name: name?.into_inner(),
        ..Arm::default()
    })
}
