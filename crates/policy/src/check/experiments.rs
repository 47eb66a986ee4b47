//! Experiments from which nothing can be learned.

use comeback_core::policy::{Arm, Experiment, Policy, Step, Subject};

use crate::diagnostic::Report;
use crate::places::Places;

pub(super) fn check(report: &mut Report<'_>, policy: &Policy, places: &Places) {
    for (index, experiment) in policy.experiments.iter().enumerate() {
        let step = match &experiment.subject {
            Subject::Step { sequence, step } => policy
                .sequence(sequence)
                .and_then(|sequence| sequence.steps.iter().find(|known| known.name == *step)),
            Subject::Panel { .. } => None,
        };
        for (number, arm) in experiment.arms.iter().enumerate() {
            let twin = experiment.arms.iter().take(number).find(|other| same(other, arm, step));
            if let Some(twin) = twin {
                let at = places.at(&format!("experiment.{}.arms.{}", experiment.name, arm.name));
                let message = format!(
                    "arms `{}` and `{}` of experiment `{}` do the same: nothing can be learned from them",
                    twin.name, arm.name, experiment.name
                );
                report.error(at, message, None);
            }
        }
        for other in policy.experiments.iter().take(index) {
            if let Some(key) = collision(other, experiment) {
                let at = places.at(&format!("experiment.{}", experiment.name));
                let message = format!(
                    "experiments `{}` and `{}` both decide {key} of the same subject",
                    other.name, experiment.name
                );
                report.error(at, message, Some("make them arms of one experiment".to_owned()));
            }
        }
        let unanswerable = match &experiment.subject {
            Subject::Step { sequence, step } => policy.sequence(sequence).is_some_and(|sequence| {
                let count = |arm: &Arm| {
                    arm.offer.is_some() && sequence.steps.first().is_some_and(|s| s.name == *step)
                };
                experiment.arms.iter().any(count)
            }),
            Subject::Panel { .. } => false,
        };
        if unanswerable {
            let at = places.at(&format!("experiment.{}", experiment.name));
            let named = |arm: &&Arm| arm.offer.as_deref().is_some_and(|offer| offer != crate::read::NO_OFFER);
            let first = |arm: &&Arm| {
                let offer = arm.offer.as_deref().and_then(|name| policy.offer(name));
                offer.is_some_and(|offer| !offer.first_message)
            };
            if let Some(arm) = experiment.arms.iter().filter(named).find(first) {
                let message =
                    format!("arm `{}` names an offer that is withheld from the first message", arm.name);
                report.warn(at, message, Some("say `first_message = true` in the offer".to_owned()));
            }
        }
    }
}

/// Whether two arms do the same to a step.
fn same(a: &Arm, b: &Arm, step: Option<&Step>) -> bool {
    if a.silent || b.silent {
        return a.silent && b.silent;
    }
    let as_is = |arm: &Arm| {
        let offer = arm.offer.clone().or_else(|| step.and_then(|step| step.offer.clone()));
        (
            arm.at_ms.or(step.map(|step| step.at_ms)),
            arm.channels.clone().or_else(|| step.map(|step| step.channels.clone())),
            arm.template.clone().or_else(|| step.map(|step| step.template.clone())),
            offer.filter(|offer| offer != crate::read::NO_OFFER),
            (arm.copy.clone(), arm.dwell_ms, arm.max_buy.map(f64::to_bits)),
        )
    };
    as_is(a) == as_is(b)
}

/// What two experiments on one subject both decide.
fn collision(a: &Experiment, b: &Experiment) -> Option<&'static str> {
    if a.subject != b.subject {
        return None;
    }
    if matches!(a.subject, Subject::Panel { .. }) {
        // The page takes one arm for a panel.
        return Some("how it shows");
    }
    let decides = |experiment: &Experiment, test: fn(&Arm) -> bool| experiment.arms.iter().any(test);
    let silences = |experiment| decides(experiment, |arm| arm.silent);
    if silences(a) || silences(b) {
        return Some("whether anything happens");
    }
    [
        ("the time", (|arm| arm.at_ms.is_some()) as fn(&Arm) -> bool),
        ("the channels", |arm| arm.channels.is_some()),
        ("the template", |arm| arm.template.is_some()),
        ("the offer", |arm| arm.offer.is_some()),
    ]
    .into_iter()
    .find(|(_, test)| decides(a, *test) && decides(b, *test))
    .map(|(key, _)| key)
}
