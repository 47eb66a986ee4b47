//! The object of one shop: what must never be stale. The stop switch, the policy in force, revoked
//! keys and links. Asked on the send path, on links and for administration, never per event.

use comeback_wire::calls::{ShopCall, Standing};
use std::rc::Rc;

use wasm_bindgen::prelude::*;
use worker::{Env, State, worker_sys};

use crate::failure::{Failure, Outcome};
use crate::store::Store;
use crate::tasks;

/// Revoked links kept. Links die of age after two weeks; whoever must revoke more revokes the key.
const MOST_REVOKED: usize = 10_000;

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
    pub fn call(&self, call: u32, _now: f64, body: String) {
        let object = self.0.clone();
        tasks::begin(call, async move { object.call(&body) });
    }

    /// A shop has no timers yet.
    pub fn alarm(&self, call: u32) {
        tasks::begin(call, async { Ok(String::new()) });
    }
}

impl Object {
    fn call(&self, body: &str) -> Outcome<String> {
        let standing = self.answer(serde_json::from_str(body)?)?;
        Ok(serde_json::to_string(&standing)?)
    }

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
