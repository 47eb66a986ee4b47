//! The object of one shop: what must never be stale. The stop switch, the versions of its policy and
//! which is in force, revoked keys and links. Asked on the send path, on links and for
//! administration, never per event.

use std::rc::Rc;

use comeback_core::offer::Ledger;
use comeback_core::release::{ReleaseError, Releases};
use comeback_core::time::Timestamp;
use comeback_wire::calls::{LedgerCall, ReleaseChange, ShopAnswer, ShopCall, Standing};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use worker::{Env, State, worker_sys};

use crate::failure::{Failure, Outcome};
use crate::store::Store;
use crate::tasks;

/// Revoked links kept. Links die of age after two weeks; whoever must revoke more revokes the key.
const MOST_REVOKED: usize = 10_000;

/// The row of the ledger, beside the standing's.
const LEDGER_ROW: i64 = 1;

/// What is stored. The standing's own part on versions is derived from `releases`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Held {
    #[serde(flatten)]
    standing: Standing,
    #[serde(default)]
    releases: Releases,
    /// Version of the policy that the shop's document last named.
    #[serde(default)]
    document_policy: Option<String>,
}

/// The Rust side of `ShopDo`.
#[wasm_bindgen]
pub struct ShopObject(Rc<Object>);

struct Object {
    store: Store,
}

#[wasm_bindgen]
impl ShopObject {
    /// Made by entry.js.
    #[wasm_bindgen(constructor)]
    pub fn new(state: worker_sys::DurableObjectState, _env: Env) -> Result<Self, JsValue> {
        Ok(Self(Rc::new(Object { store: Store::open(State::from(state)) })))
    }

    /// A call, as JSON in and out, begun by entry.js under a number.
    pub fn call(&self, call: u32, now: f64, body: String) {
        let object = self.0.clone();
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of our era")]
        let now = Timestamp::from_millis(now as i64);
        tasks::begin(call, async move { object.call(now, &body) });
    }

    /// A shop has no timers yet.
    pub fn alarm(&self, call: u32) {
        tasks::begin(call, async { Ok(String::new()) });
    }
}

impl Object {
    fn call(&self, now: Timestamp, body: &str) -> Outcome<String> {
        let answer = self.answer(now, serde_json::from_str(body)?)?;
        Ok(serde_json::to_string(&answer)?)
    }

    fn load(&self) -> Outcome<Held> {
        let mut held: Held = self.store.read()?.unwrap_or_else(|| Held {
            standing: Standing { epoch: 1, ..Standing::default() },
            ..Held::default()
        });
        // A shop from before versions were kept: what it follows was in force ever since.
        if held.releases.live.is_none()
            && let Some(shop) = &held.standing.shop
        {
            let (version, long_ago) = (shop.policy_version.clone(), Timestamp::default());
            let name = shop.document.policy.clone().unwrap_or_else(|| "unnamed".to_owned());
            held.releases.push(long_ago, &version, &name, "unknown");
            held.releases
                .activate(long_ago, &version, 100, None, "unknown")
                .map_err(|e| Failure::internal(e.to_string()))?;
            held.document_policy = Some(version);
        }
        Ok(held)
    }

    fn answer(&self, now: Timestamp, call: ShopCall) -> Outcome<ShopAnswer> {
        let mut held = self.load()?;
        match call {
            ShopCall::Ledger(call) => return self.keep_books(now, call),
            ShopCall::Standing => return Ok(ShopAnswer::Standing(Box::new(held.standing()))),
            ShopCall::Releases => return Ok(held.released()),
            ShopCall::Put { shop, policy_name, who } => {
                let version = shop.policy_version.clone();
                held.standing.shop = Some(shop);
                held.releases.push(now, &version, &policy_name, &who);
                if held.document_policy.as_deref() != Some(&version) {
                    held.releases
                        .activate(now, &version, 100, None, &who)
                        .map_err(|e| Failure::internal(e.to_string()))?;
                    held.document_policy = Some(version);
                }
                held.settle();
            }
            ShopCall::Release { change, who } => {
                if held.standing.shop.is_none() {
                    return Ok(held.released());
                }
                if let Err(refusal) = apply(&mut held.releases, now, change, &who) {
                    return Ok(ShopAnswer::Refused(refusal));
                }
                held.settle();
                self.store.write(&held, &[])?;
                return Ok(held.released());
            }
            ShopCall::Stop { stopped } => held.standing.stopped = stopped,
            ShopCall::Revoke { jti, epoch } => revoke(&mut held.standing, jti, epoch)?,
        }
        self.store.write(&held, &[])?;
        Ok(ShopAnswer::Standing(Box::new(held.standing())))
    }

    /// The ledger has a row of its own: it changes with every send that carries an offer, and what must
    /// be right whatever happens, the stop switch and revocations, is not written along each time.
    fn keep_books(&self, now: Timestamp, call: LedgerCall) -> Outcome<ShopAnswer> {
        let mut ledger: Ledger = self.store.read_row(LEDGER_ROW)?.unwrap_or_default();
        let answer = match call {
            LedgerCall::Reserve { key, needs } => {
                ShopAnswer::Reserved(Box::new(ledger.reserve(now, &key, &needs)))
            }
            LedgerCall::Report(report) => {
                ledger.report(now, &report);
                ShopAnswer::Noted
            }
            LedgerCall::Learn(news) => {
                if !ledger.learn(&news) {
                    return Ok(ShopAnswer::Noted);
                }
                ShopAnswer::Noted
            }
        };
        self.store.write_row(LEDGER_ROW, &ledger)?;
        Ok(answer)
    }
}

impl Held {
    /// The shop's record follows what is in force: pages and carts read it from KV.
    fn settle(&mut self) {
        let (shadow, trial) = (self.releases.shadow.clone(), self.releases.trial());
        if let (Some(shop), Some(live)) = (&mut self.standing.shop, &self.releases.live) {
            shop.policy_version.clone_from(&live.version);
            shop.shadow_version = shadow;
            shop.trial = trial;
        }
    }

    fn standing(&self) -> Standing {
        Standing { in_force: self.releases.in_force(), ..self.standing.clone() }
    }

    fn released(&self) -> ShopAnswer {
        ShopAnswer::Releases { releases: Box::new(self.releases.clone()), shop: self.standing.shop.clone() }
    }
}

fn apply(
    releases: &mut Releases,
    now: Timestamp,
    change: ReleaseChange,
    who: &str,
) -> Result<(), ReleaseError> {
    match change {
        ReleaseChange::Push { version, name } => {
            releases.push(now, &version, &name, who);
            Ok(())
        }
        ReleaseChange::Shadow { version } => releases.shadow(now, version.as_deref(), who),
        ReleaseChange::Activate { version, percent, per_hour } => {
            releases.activate(now, &version, percent, per_hour, who)
        }
        ReleaseChange::RollBack => releases.roll_back(now, who),
        ReleaseChange::Approve { version, offers } => releases.approve(now, &version, &offers, who),
    }
}

fn revoke(standing: &mut Standing, jti: Option<String>, epoch: Option<u32>) -> Outcome<()> {
    if let Some(epoch) = epoch
        && !standing.revoked_epochs.contains(&epoch)
    {
        standing.revoked_epochs.push(epoch);
        // New links must not be born dead.
        while standing.revoked_epochs.contains(&standing.epoch) {
            standing.epoch = standing.epoch.saturating_add(1);
        }
    }
    if let Some(jti) = jti
        && !standing.revoked.contains(&jti)
    {
        if standing.revoked.len() >= MOST_REVOKED {
            return Err(Failure::internal("too many single links revoked; revoke the key"));
        }
        standing.revoked.push(jti);
    }
    Ok(())
}
