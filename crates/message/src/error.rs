//! Why a message could not be rendered. Names fields and templates, never what was in them: a
//! render error is logged, and the model holds personal data.

/// A message that would have been incomplete, broken or unsafe, and so was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A field that the message cannot do without is empty, or nothing was left after cleaning.
    #[error("`{field}` is empty")]
    Missing {
        /// The field, as in [`crate::MessageModel`].
        field: &'static str,
    },
    /// A link that the message cannot do without is not an absolute https address (or http to
    /// this machine), or is too long.
    #[error("`{field}` is not an absolute https address of sensible length")]
    Url {
        /// The field.
        field: &'static str,
    },
    /// A sender or recipient is not a plain ASCII mail address. Internationalised local parts
    /// need SMTPUTF8, which most providers do not offer.
    #[error("`{field}` is not a plain mail address")]
    Address {
        /// The field.
        field: &'static str,
    },
    /// An offer's percentage is not within 1 to 100.
    #[error("an offer of {percent} percent is not an offer")]
    Offer {
        /// What was asked for.
        percent: u8,
    },
    /// The template is broken, or names a variable that the model does not have.
    #[error("template `{template}`, line {line}: {kind}")]
    Template {
        /// File, as under `templates/`.
        template: String,
        /// Line in that file; 0 where it is not known.
        line: usize,
        /// What kind of fault.
        kind: String,
    },
    /// The template left a merge tag (`{{`, `{%`, `{#` or their ends) in its own output.
    #[error("template `{template}` left a merge tag unfilled")]
    MergeTag {
        /// File, as under `templates/`.
        template: String,
    },
    /// The HTML exceeds what Gmail shows before it clips (102 KB), hiding the unsubscribe link.
    #[error("the message has {bytes} bytes of HTML, more than mail clients show")]
    TooLarge {
        /// Size of the HTML part.
        bytes: usize,
    },
    /// Brand, link and STOP do not fit into one text message segment, even without a product.
    #[error("the text message needs {units} of {limit} units of one segment")]
    TooLong {
        /// What it would take: septets for GSM-7, UTF-16 units for UCS-2.
        units: usize,
        /// What one segment has.
        limit: usize,
    },
}
