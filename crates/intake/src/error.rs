//! Why a webhook was not taken. Says where in the body, never what was there: bodies are personal
//! data and errors are logged.

/// A webhook that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntakeError {
    /// The signature is missing, not base64, or not this body's under this secret. Answer 401.
    #[error("the signature does not fit the body")]
    BadSignature,
    /// More than [`crate::MAX_BODY`]; nothing was read of it. Answer 413.
    #[error("the body has {bytes} bytes, more than {max}", max = crate::MAX_BODY)]
    TooLarge {
        /// Size of the body.
        bytes: usize,
    },
    /// Signed, but not what the topic promises: for quarantine. Repeating it will not help.
    #[error("malformed at `{at}`: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
        /// Where, `line_items[3].price`; empty for the whole body.
        at: String,
    },
    /// A topic that is not read. Not a fault: acknowledge it, or the platform repeats it and at
    /// last removes the subscription.
    #[error("the topic is not one that is read")]
    UnsupportedTopic,
}

impl IntakeError {
    /// Whether the platform should be told that all is well.
    #[must_use]
    pub const fn is_acknowledged(&self) -> bool {
        matches!(self, Self::UnsupportedTopic)
    }
}
