//! Stories of carts and persons on a virtual clock, each a few lines and what came of them.
//! Day 0 is a Monday in January; times are UTC; carts are idle after 15 minutes.

use comeback_core::policy::Policy;
use comeback_testkit::{Scenario, adds, signs_in};

mod browse;
mod causes;
mod consents;
mod delivery;
mod devices;
mod forgotten;
mod law;
mod orders;
mod patience;
mod returns;
mod sequence;
mod triggers;

/// Ada signs in and puts boots into her cart at 10:00 on day 0.
fn ada_leaves_boots(policy: Policy) -> Scenario {
    Scenario::new(policy).at("0 10:00", "ada", signs_in()).at("0 10:00", "ada", adds("boots"))
}
