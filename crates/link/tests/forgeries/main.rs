//! Tokens that must be refused, and for which reason.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml's exemption covers #[test] functions, not what they call"
)]

mod content;
mod forger;
mod form;
mod keys;
