//! Handing a finished message to somebody who delivers it. A provider takes a clearance of the
//! gate and nothing less.

#[cfg(feature = "dev")]
mod inbox;

use comeback_core::consent::Channel;
use comeback_core::decision::Clearance;
use comeback_core::time::Timestamp;
use comeback_message::{Email, Sms};
use worker::Env;

/// A finished message.
pub(crate) enum Message {
    /// Email.
    Email(Box<Email>),
    /// Text message.
    Sms(Sms),
}

/// How a provider refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "dev"), expect(dead_code, reason = "no provider ships in a deployed build yet"))]
pub(crate) enum Refusal {
    /// For good: the address does not exist, the content is refused.
    Final(String),
    /// For now: it could not be reached or is too busy.
    Temporary(String),
}

/// Somebody who delivers.
pub(crate) trait Provider {
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

/// The providers of this deployment.
pub(crate) struct Providers<'e> {
    #[cfg_attr(
        not(feature = "dev"),
        expect(dead_code, reason = "no provider ships in a deployed build yet")
    )]
    env: &'e Env,
}

impl<'e> Providers<'e> {
    /// From the environment.
    pub(crate) fn of(env: &'e Env) -> Self {
        Self { env }
    }

    /// Channels that somebody delivers.
    pub(crate) fn channels(&self) -> Vec<Channel> {
        #[cfg(feature = "dev")]
        if crate::platform::is_local(self.env) {
            return vec![Channel::Email, Channel::Sms];
        }
        vec![]
    }

    /// Channels whose provider takes idempotency keys.
    pub(crate) fn idempotent(&self) -> Vec<Channel> {
        #[cfg(feature = "dev")]
        if inbox::Inbox::new(self.env).is_idempotent() {
            return self.channels();
        }
        vec![]
    }

    /// Hands a message to the provider of the clearance's channel.
    pub(crate) async fn send(
        &self,
        clearance: &Clearance,
        from: &str,
        message: &Message,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        #[cfg(feature = "dev")]
        return inbox::Inbox::new(self.env).send(clearance, from, message, now).await;
        #[cfg(not(feature = "dev"))]
        {
            let _ = (clearance, from, message, now);
            Err(Refusal::Temporary("no provider is configured".to_owned()))
        }
    }
}
