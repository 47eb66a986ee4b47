//! How a policy comes into force: rollout by percent, a bound per hour, no cart that was left before,
//! and shadow, which comes last so that the record shows what would have been sent.

use super::{ClaimRequest, Log, Refusal, skip};
use crate::decision::{Why, Would};
use crate::experiment::{self, BUCKETS};
use crate::person::Person;
use crate::policy::Policy;
use crate::time::{HOUR, Timestamp};

/// Seed of the rollout's own hash: who is in is independent of holdout and experiments.
const SEED: &str = "rollout";

/// Whether the policy has reached this person and this cart. Both end the sequence: whoever is not in
/// now is not to be met by the last message of something whose first they never had.
pub(super) fn reached(
    person: &Person,
    request: &ClaimRequest,
    policy: &Policy,
    log: &mut Log,
) -> Result<(), Refusal> {
    let percent = policy.rollout.percent.min(100);
    if percent < 100 {
        // Below a bound that only grows with the percentage: raising it keeps those who were in.
        let bucket = experiment::bucket(person.shop.as_str(), SEED, person.id.as_str());
        let inside = bucket < u16::from(percent) * (BUCKETS / 100);
        let found = format!("bucket {bucket} of {BUCKETS}, rolled out to {percent} %");
        log.check("rollout", inside, found, skip(Why::Rollout))?;
    }
    if let Some(activation) = &request.activation {
        log.check(
            "activation",
            request.abandoned_at >= activation.at,
            format!(
                "left {}, in force since {}",
                request.abandoned_at.to_rfc3339(),
                activation.at.to_rfc3339()
            ),
            skip(Why::BeforeActivation),
        )?;
    }
    Ok(())
}

/// Whether the hour has room for one more message of the shop.
pub(super) fn room(
    now: Timestamp,
    request: &ClaimRequest,
    policy: &Policy,
    log: &mut Log,
) -> Result<(), Refusal> {
    let (Some(most), Some(activation)) = (request.per_hour(policy), &request.activation) else {
        return Ok(());
    };
    let until = activation.room_at.filter(|t| *t > now).unwrap_or(now.plus(HOUR));
    log.check(
        "per_hour",
        activation.sent_this_hour < most,
        format!("{} of {most} in this hour", activation.sent_this_hour),
        Refusal::Defer { until, why: Why::RunCap },
    )
}

/// In shadow nothing goes out; what would have gone is kept with the record.
pub(super) fn shadow(request: &ClaimRequest, would: &Would, log: &mut Log) -> Result<(), Refusal> {
    if !request.activation.as_ref().is_some_and(|a| a.shadow) {
        return Ok(());
    }
    log.would = Some(Box::new(would.clone()));
    let found = format!("would go out by {} as {}", would.channel, would.template);
    log.check("shadow", false, found, skip(Why::Shadow))
}
