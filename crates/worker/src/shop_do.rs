//! The object of one shop: what must never be stale. The stop switch, the policy in force, revoked
//! keys and links. Asked on the send path, on links and for administration, never per event.

use comeback_wire::calls::{ShopCall, Standing};
use wasm_bindgen::prelude::*;
use worker::{Env, State, worker_sys};

use crate::failure::{Failure, Outcome};
use crate::store::Store;

/// Revoked links kept. Links die of age after two weeks; whoever must revoke more revokes the key.
const MOST_REVOKED: usize = 10_000;

/// The Rust side of `ShopDo`.
#[wasm_bindgen]
pub struct ShopObject {
    store: Store,
}

#[wasm_bindgen]
impl ShopObject {
    /// Made by entry.js.
    #[wasm_bindgen(constructor)]
    pub fn new(state: worker_sys::DurableObjectState, _env: Env) -> Result<Self, JsValue> {
        Ok(Self { store: Store::open(State::from(state)) })
    }

    /// A call, as JSON in and out.
    #[expect(clippy::unused_async, reason = "objects are called by promise")]
    pub async fn call(&self, _now: f64, body: String) -> Result<String, JsValue> {
        let call: ShopCall = serde_json::from_str(&body).map_err(Failure::from)?;
        let standing = self.answer(call)?;
        Ok(serde_json::to_string(&standing).map_err(Failure::from)?)
    }

    /// A shop has no timers yet.
    #[expect(clippy::unused_async, reason = "objects are woken by promise")]
    pub async fn alarm(&self) {}
}

impl ShopObject {
    fn answer(&self, call: ShopCall) -> Outcome<Standing> {
        let mut standing: Standing =
            self.store.read()?.unwrap_or_else(|| Standing { epoch: 1, ..Standing::default() });
        match call {
            ShopCall::Standing => return Ok(standing),
            ShopCall::Put { shop } => standing.shop = Some(shop),
            ShopCall::Stop { stopped } => standing.stopped = stopped,
            ShopCall::Revoke { jti, epoch } => {
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
            }
        }
        self.store.write(&standing, &[])?;
        Ok(standing)
    }
}
