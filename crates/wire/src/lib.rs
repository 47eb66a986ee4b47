//! Formats that cross a boundary: capture batches, object calls, queue jobs, stored state, the
//! shop's document. Parsing happens here once, into types of the core that cannot be wrong.
//! Decides nothing.

pub mod calls;
pub mod capture;
pub mod cart_view;
pub mod check;
pub mod classes;
pub mod jobs;
pub mod onsite;
pub mod problem;
pub mod push;
pub mod shop;
pub mod stored;
