//! A shop simulated: shoppers by the thousand on a virtual clock, an in-memory shell around the core, and a
//! checker that recomputes from what truly happened whether anybody was written to who should not have been.
//! Also the journal of a shop's events and its replay under a policy.
//!
//! Pure: everything is a function of its arguments. Reading files, threads and printing are the command line's.

pub mod bench;
pub mod broken;
pub mod checker;
pub mod families;
pub mod faults;
pub mod journal;
pub mod life;
pub mod place;
pub mod provider;
pub mod random;
pub mod reading;
pub mod run;
pub mod shell;
pub mod trial;
pub mod world;
