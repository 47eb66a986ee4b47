//! The step as the arms of experiments change it, and what the person is thereby exposed to. The
//! exposure counts when the message is sent, not before; that of a silent arm at the moment at which it
//! would have been sent, which is when every other check has passed.

use std::borrow::Cow;

use super::{ClaimRequest, Log, Refusal, skip};
use crate::decision::{Why, Would};
use crate::experiment::{self, Exposure};
use crate::offer::NO_OFFER;
use crate::person::Person;
use crate::policy::{Policy, Step};
use crate::time::Timestamp;

/// The step to claim, and the experiments it is part of.
pub(super) struct Planned<'p> {
    /// As the arms have it.
    pub(super) step: Cow<'p, Step>,
    /// What the person is exposed to, if it is sent.
    pub(super) exposures: Vec<Exposure>,
    /// An arm that sends nothing.
    silent: Option<String>,
}

/// Applies the arms of this person, experiment by experiment in the order of the policy.
pub(super) fn plan<'p>(
    now: Timestamp,
    person: &Person,
    request: &'p ClaimRequest,
    policy: &Policy,
    log: &mut Log,
) -> Result<Planned<'p>, Refusal> {
    let mut planned = Planned { step: Cow::Borrowed(&request.step), exposures: vec![], silent: None };
    for experiment in experiment::on_step(policy, &request.sequence, &request.step.name) {
        let (shop, unit) = (person.shop.as_str(), person.id.as_str());
        let Some(arm) = experiment::arm_for(experiment, shop, unit, &person.assignments) else { continue };
        let step = planned.step.to_mut();
        step.at_ms = arm.at_ms.unwrap_or(step.at_ms);
        if let Some(channels) = &arm.channels {
            step.channels.clone_from(channels);
        }
        if let Some(template) = &arm.template {
            step.template.clone_from(template);
        }
        if let Some(offer) = &arm.offer {
            step.offer = (offer != NO_OFFER).then(|| offer.clone());
        }
        if arm.silent {
            planned.silent.get_or_insert_with(|| experiment.name.clone());
        }
        let exposure = Exposure { experiment: experiment.name.clone(), arm: arm.name.clone() };
        let found = format!("{}: {}", exposure.experiment, exposure.arm);
        log.check("experiment", true, found, skip(Why::SilentArm))?;
        planned.exposures.push(exposure);
    }
    let due = request.abandoned_at.plus(planned.step.at_ms);
    if planned.step.at_ms > request.step.at_ms || (!planned.exposures.is_empty() && now < due) {
        // The cart planned by what it knew; the person may have been assigned before the two met, or be another
        // since they were merged.
        let found = format!("due {} by its arm", due.to_rfc3339());
        log.check("arm_due", now >= due, found, Refusal::Defer { until: due, why: Why::ArmLater })?;
    }
    Ok(planned)
}

/// An arm that sends nothing ends here, as late as a message would have left.
pub(super) fn speak(silent: Option<&str>, would: &Would, log: &mut Log) -> Result<(), Refusal> {
    let Some(experiment) = silent else { return Ok(()) };
    log.would = Some(Box::new(would.clone()));
    log.check("silent_arm", false, format!("{experiment}: this arm sends nothing"), skip(Why::SilentArm))
}

impl Planned<'_> {
    /// Name of the experiment whose arm sends nothing.
    pub(super) fn silent(&self) -> Option<&str> {
        self.silent.as_deref()
    }
}
