//! Every decision Comeback takes, as pure functions over data.
//!
//! The core holds no clock, no randomness, no I/O and no text formats: time and random ids are
//! arguments, output is data. The same code runs in the browser, at the edge and on a desk, so the
//! panel, the score, the message and a replay agree by construction.
//!
//! The way through: a page or a platform reports [`signal::Signal`]s; [`recovery::Recovery`] (one
//! per cart) turns them into states and, when a step is due, into [`effect::Effect`]s; the person's
//! [`person::Person`] answers a claim through the one [`gate`]. A shell loads, calls, stores, obeys.

pub mod cart;
pub mod cause;
pub mod consent;
pub mod decision;
pub mod effect;
pub mod experiment;
pub mod gate;
pub mod id;
pub mod jurisdiction;
pub mod money;
pub mod offer;
pub mod onsite;
pub mod person;
pub mod policy;
pub mod recovery;
pub mod release;
pub mod signal;
pub mod time;
