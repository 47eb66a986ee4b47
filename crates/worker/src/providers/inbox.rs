//! The inbox of a local run: takes every message, keeps it under its send id, shows it at
//! `/dev/inbox`. Refuses what a real server would refuse.

use comeback_core::consent::Channel;
use comeback_core::decision::Clearance;
use comeback_core::id::SendKey;
use comeback_core::time::Timestamp;
use comeback_message::{Email, Mailbox, to_mime};
use worker::Env;

use super::{Message, Provider, Refusal};
use crate::dev_do::{self, DevCall, InboxMessage};

/// The local inbox.
pub(crate) struct Inbox<'e> {
    env: &'e Env,
}

impl<'e> Inbox<'e> {
    pub(crate) fn new(env: &'e Env) -> Self {
        Self { env }
    }
}

impl Provider for Inbox<'_> {
    fn channels(&self) -> Vec<Channel> {
        if crate::platform::is_local(self.env) { vec![Channel::Email, Channel::Sms] } else { vec![] }
    }

    fn is_idempotent(&self) -> bool {
        true
    }

    async fn send(
        &self,
        clearance: &Clearance,
        from: &str,
        message: &Message,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let down = |e: crate::failure::Failure| Refusal::Temporary(format!("{e:?}"));
        dev_do::fail_if(self.env, "provider").await.map_err(down)?;
        let mut kept = InboxMessage {
            send_id: clearance.key().to_string(),
            channel: clearance.channel().to_string(),
            to: clearance.address().to_owned(),
            from: from.to_owned(),
            subject: String::new(),
            text: String::new(),
            html: None,
            headers: vec![],
            at: now.to_rfc3339(),
            mime: None,
        };
        match message {
            Message::Email(email) => fill(&mut kept, email, clearance.key(), now)?,
            Message::Sms(sms) => kept.text.clone_from(&sms.text),
        }
        dev_do::call(self.env, &DevCall::Put { message: Box::new(kept) }).await.map_err(down)?;
        Ok(())
    }
}

fn fill(kept: &mut InboxMessage, email: &Email, key: &SendKey, now: Timestamp) -> Result<(), Refusal> {
    let mailbox = |address: &str| Mailbox { name: None, address: address.to_owned() };
    let mime = to_mime(email, &mailbox(&kept.from), &mailbox(&kept.to), now, key)
        .map_err(|e| Refusal::Final(e.to_string()))?;
    kept.subject.clone_from(&email.subject);
    kept.text.clone_from(&email.text);
    kept.html = Some(email.html.clone());
    kept.headers = email.headers.iter().map(|h| (h.name.to_string(), h.value.clone())).collect();
    kept.mime = String::from_utf8(mime).ok();
    Ok(())
}
