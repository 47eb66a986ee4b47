//! What a send reserves with its shop before it is claimed, and reports afterwards: leases of offers
//! with a budget, room in an hour with a bound, outcomes of learners. Most sends need none of it, and
//! then the shop is not asked.

use comeback_core::effect::SendJob;
use comeback_core::gate::ClaimRequest;
use comeback_core::offer::{Needs, Report};
use comeback_core::policy::Policy;
use comeback_core::time::Timestamp;
use comeback_wire::calls::{LedgerCall, ShopAnswer, ShopCall};
use worker::{Env, console_error};

use crate::failure::{Failure, Outcome};
use crate::objects;

/// The reservation of one send.
pub(crate) struct Books<'a> {
    env: &'a Env,
    job: &'a SendJob,
    is_open: bool,
}

impl<'a> Books<'a> {
    /// Reserves what the claim may come to need, and puts it there.
    pub(crate) async fn open(
        env: &'a Env,
        job: &'a SendJob,
        now: Timestamp,
        request: &mut ClaimRequest,
        policy: &Policy,
    ) -> Outcome<Self> {
        let Some(needs) = Needs::of(request, policy) else { return Ok(Self { env, job, is_open: false }) };
        let call = ShopCall::Ledger(LedgerCall::Reserve { key: job.key.clone(), needs });
        match objects::shop_answer(env, &job.shop, now, &call).await? {
            ShopAnswer::Reserved(reserved) => reserved.fill(request),
            _ => return Err(Failure::internal("a shop reserved nothing")),
        }
        Ok(Self { env, job, is_open: true })
    }

    /// Says what became of it. Nothing waits for that: what is not reported counts as spent until its day
    /// or hour is over, so a lost report costs room and breaks no bound.
    pub(crate) async fn close(&self, now: Timestamp, report: Report) {
        if !self.is_open {
            return;
        }
        let call = ShopCall::Ledger(LedgerCall::Report(report));
        if let Err(failure) = objects::shop_answer(self.env, &self.job.shop, now, &call).await {
            let what = format!("report to the shop: {failure:?}");
            console_error!(
                "{}",
                serde_json::json!({ "level": "warn", "what": what, "send": self.job.key.as_str() })
            );
        }
    }
}
