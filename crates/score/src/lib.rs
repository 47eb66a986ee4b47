//! Signals to features to a probability with reasons.
