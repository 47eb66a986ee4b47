//! Versions of a policy on the send path: which one a send is asked under, and what a candidate in
//! shadow would have decided. The rules are the core's.

use std::rc::Rc;

use comeback_core::effect::{DecisionSummary, Happened, SendJob};
use comeback_core::gate::{Activation, ClaimRequest};
use comeback_core::policy::Policy;
use comeback_core::recovery::Prepared;
use comeback_core::release;
use comeback_core::time::Timestamp;
use comeback_wire::calls::{CartCall, PersonAnswer, PersonCall, Standing};
use comeback_wire::shop::Shop;
use worker::{Env, console_error};

use crate::failure::{Failure, Outcome};
use crate::{config, identity, objects};

/// The version that a send is asked under, as the shop's object says now, and how it came into force.
pub(crate) async fn in_force(
    env: &Env,
    now: Timestamp,
    standing: &Standing,
    shop: &Shop,
    prepared: &Prepared,
) -> Outcome<(String, Rc<Policy>, Option<Activation>)> {
    let (version, activation) = standing.in_force.version_for(now, &prepared.policy, &shop.policy_version);
    let version = version.to_owned();
    let policy = config::policy(env, &version).await?;
    Ok((version, policy, activation))
}

/// What the candidate in shadow would decide about this send. Changes nothing, and nothing waits for
/// it: what goes wrong here is logged and costs the entry only.
pub(crate) async fn shadowed(
    env: &Env,
    job: &SendJob,
    now: Timestamp,
    standing: &Standing,
    prepared: &Prepared,
    request: &ClaimRequest,
) -> Option<Happened> {
    let version = standing.in_force.shadow.as_ref()?;
    let asked = async {
        let candidate = config::policy(env, version).await?;
        let Some((request, due)) = release::shadow_request(&candidate, request) else {
            return Ok((None, None));
        };
        let request = Box::new(request);
        let call = PersonCall::Peek { request, policy: version.clone() };
        match identity::call(env, &job.shop, &prepared.person, now, &call).await? {
            PersonAnswer::Decided(record) => Ok((Some(due), Some(Box::new(DecisionSummary::from(&*record))))),
            _ => Err(Failure::internal("a person did not answer a question")),
        }
    };
    match asked.await {
        Ok((due, record)) => {
            Some(Happened::Shadowed { key: job.key.clone(), policy: version.clone(), due, record })
        }
        Err(failure) => {
            told("shadow", &failure, job);
            None
        }
    }
}

/// Puts what a candidate would have done into the cart's log.
pub(crate) async fn note(env: &Env, job: &SendJob, now: Timestamp, what: Option<Happened>) {
    let Some(what) = what else { return };
    let call = CartCall::Note { what: Box::new(what) };
    if let Err(failure) = objects::cart(env, &job.shop, &job.cart, now, &call).await {
        told("shadow note", &failure, job);
    }
}

fn told(what: &str, failure: &Failure, job: &SendJob) {
    let what = format!("{what}: {failure:?}");
    console_error!("{}", serde_json::json!({ "level": "warn", "what": what, "send": job.key.as_str() }));
}
