//! What a candidate would have done: asked beside the version in force, with the same facts, and
//! without a consequence. It answers for the carts and steps of the version in force, so it cannot say
//! whether a message that only the candidate plans would have been let through; that it plans one is
//! noted when the cart is left. For whole histories there is the replay.

use crate::effect::{Happened, ShadowStep};
use crate::gate::ClaimRequest;
use crate::policy::{Facts, Policy};
use crate::recovery::Trigger;
use crate::time::Timestamp;

/// What a candidate would have planned for a cart that was left at `began`.
#[must_use]
pub fn shadow_left(candidate: &Policy, trigger: Trigger, facts: &Facts, began: Timestamp) -> Happened {
    let sequence = candidate.sequence_for(trigger, facts);
    Happened::ShadowLeft {
        policy: candidate.version.clone(),
        sequence: sequence.map(|s| s.name.clone()),
        steps: sequence
            .map(|s| &s.steps[..])
            .unwrap_or_default()
            .iter()
            .map(|step| ShadowStep {
                step: step.name.clone(),
                at: began.plus(step.at_ms),
                channels: step.channels.clone(),
            })
            .collect(),
    }
}

/// The claim that a candidate would make in place of this one, and when it would have been due: its
/// own step of the same name, in the sequence that it would follow. `None` if it has no such step.
#[must_use]
pub fn shadow_request(candidate: &Policy, request: &ClaimRequest) -> Option<(ClaimRequest, Timestamp)> {
    let sequence = candidate.sequence_for(request.trigger, &request.facts)?;
    let step = sequence.steps.iter().find(|s| s.name == request.step.name)?;
    let due = request.abandoned_at.plus(step.at_ms);
    let asked = ClaimRequest {
        sequence: sequence.name.clone(),
        step: step.clone(),
        activation: None,
        approved: vec![],
        ..request.clone()
    };
    Some((asked, due))
}
