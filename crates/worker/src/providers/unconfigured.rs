//! A deployment without a provider. It delivers on no channel, so the gate clears nothing; it is here
//! so that the send path has one shape, and refuses for now should it ever be asked.

use core::marker::PhantomData;

use comeback_core::consent::Channel;
use comeback_core::decision::Clearance;
use comeback_core::time::Timestamp;
use worker::Env;

use super::{Message, Provider, Refusal};

/// Nobody.
pub(crate) struct Unconfigured<'e>(PhantomData<&'e Env>);

impl<'e> Unconfigured<'e> {
    pub(crate) fn new(_env: &'e Env) -> Self {
        Self(PhantomData)
    }
}

impl Provider for Unconfigured<'_> {
    fn channels(&self) -> Vec<Channel> {
        vec![]
    }

    fn is_idempotent(&self) -> bool {
        false
    }

    async fn send(&self, clearance: &Clearance, _: &str, _: &Message, _: Timestamp) -> Result<(), Refusal> {
        Err(Refusal::Temporary(format!("nobody delivers {}", clearance.channel())))
    }
}
