//! Strict rendering of email and SMS: a [`MessageModel`] and a template in, finished text out.
//!
//! What leaves here is whole or does not leave: a missing variable, an empty price or a merge tag
//! that nobody filled is an error, never a gap in somebody's inbox. Whatever a shop or a shopper
//! wrote is data: it is cleaned, cut, escaped, and never evaluated.
//!
//! Deliberately not here: whether to send, to whom and when (the core's gate), signing of links,
//! formatting of money and dates for a locale (the model brings finished text), transport.
//!
//! Invariant: same model, same template, same bytes, on every target. No clock, no randomness.

mod clean;
mod error;
mod mime;
mod model;
mod render;
mod sms;
mod web_url;

pub use error::RenderError;
pub use mime::{Mailbox, to_mime};
pub use model::{Gives, MessageModel, ModelLine, Offer};
pub use render::{Email, EmailTemplate, Header, render_email};
pub use sms::{Encoding, Segments, Sms, SmsTemplate, render_sms, segments};
