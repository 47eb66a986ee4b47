//! Every decision of Comeback: no clock, no randomness, no I/O, no text formats.
