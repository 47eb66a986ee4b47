//! Strict rendering of email and SMS.
