//! Errors as answers: problem details for HTTP APIs (RFC 9457).

use serde::Serialize;

/// The media type.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// A problem document. `detail` is for the caller's developer and holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A name that does not change, as a relative URI.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What to do about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}
