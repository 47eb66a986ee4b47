//! A whole shop in memory on a virtual clock: carts, persons, the `sends` queue and a provider
//! around the real core, as a shell that can crash at any step. Dev-dependency only.
//!
//! It knows no rule of its own: what may be sent is the core's to decide, and whether the core
//! decided well is judged by [`judge`], which reads only what was acknowledged and what the
//! provider received. No real time, no real randomness: a run is a function of its scenario.
//!
//! The way through: a [`scenario::Scenario`] is a list of [`act::Act`]s; [`world::World`] plays
//! them, writes a [`timeline::Timeline`], and that is what tests compare or hand to the judge.

#![allow(clippy::panic, reason = "a broken scenario is a broken test: it should stop at once and say where")]

pub mod act;
pub mod claims;
pub mod faults;
pub mod fixture;
pub mod judge;
pub mod provider;
pub mod scenario;
pub mod timeline;
pub mod world;

pub use act::*;
pub use claims::{BOTH, asking, reachable};
pub use fixture::*;
pub use scenario::{Scenario, check};
