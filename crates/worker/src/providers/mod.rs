//! Handing a finished message to somebody who delivers it. A provider takes a clearance of the
//! gate and nothing less.

#[cfg(feature = "dev")]
mod inbox;
#[cfg(not(feature = "dev"))]
mod unconfigured;

use comeback_core::consent::Channel;
use comeback_core::decision::Clearance;
use comeback_core::time::Timestamp;
use comeback_message::{Email, Sms};
use worker::Env;

#[cfg(feature = "dev")]
use inbox::Inbox as Configured;
#[cfg(not(feature = "dev"))]
use unconfigured::Unconfigured as Configured;

/// A finished message.
#[cfg_attr(
    not(feature = "dev"),
    expect(dead_code, reason = "no provider that reads it ships in a deployed build yet")
)]
pub(crate) enum Message {
    /// Email.
    Email(Box<Email>),
    /// Text message.
    Sms(Sms),
}

/// How a provider refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "dev"),
    expect(dead_code, reason = "nothing is refused for good without a provider")
)]
pub(crate) enum Refusal {
    /// For good: the address does not exist, the content is refused.
    Final(String),
    /// For now: it could not be reached or is too busy.
    Temporary(String),
}

/// Somebody who delivers.
pub(crate) trait Provider {
    /// Channels that it delivers on.
    fn channels(&self) -> Vec<Channel>;

    /// Whether the same key twice is delivered once.
    fn is_idempotent(&self) -> bool;

    /// Hands a message over under the clearance's key.
    async fn send(
        &self,
        clearance: &Clearance,
        from: &str,
        message: &Message,
        now: Timestamp,
    ) -> Result<(), Refusal>;
}

/// The provider of this deployment, as the send path sees it.
pub(crate) struct Providers<'e>(Configured<'e>);

impl<'e> Providers<'e> {
    /// From the environment.
    pub(crate) fn of(env: &'e Env) -> Self {
        Self(Configured::new(env))
    }

    /// Channels that somebody delivers.
    pub(crate) fn channels(&self) -> Vec<Channel> {
        self.0.channels()
    }

    /// Channels whose provider takes idempotency keys.
    pub(crate) fn idempotent(&self) -> Vec<Channel> {
        if self.0.is_idempotent() { self.0.channels() } else { vec![] }
    }

    /// Hands a message to the provider of the clearance's channel.
    pub(crate) async fn send(
        &self,
        clearance: &Clearance,
        from: &str,
        message: &Message,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.0.send(clearance, from, message, now).await
    }
}
