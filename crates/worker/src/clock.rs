//! The one door to time. A local run with a virtual clock asks the `DevDo`; everything else asks
//! the platform. Read once per request, alarm or message and passed on as an argument.

use comeback_core::time::Timestamp;
use worker::Env;

use crate::failure::Outcome;

/// The time now.
#[cfg(not(feature = "dev"))]
#[expect(clippy::unused_async, reason = "the virtual clock must be asked")]
pub(crate) async fn now(_env: &Env) -> Outcome<Timestamp> {
    Ok(platform_now())
}

/// The time now, virtual in a local run.
#[cfg(feature = "dev")]
pub(crate) async fn now(env: &Env) -> Outcome<Timestamp> {
    if !crate::platform::is_local(env) {
        return Ok(platform_now());
    }
    crate::dev_do::now(env).await
}

/// The platform's own clock.
pub(crate) fn platform_now() -> Timestamp {
    Timestamp::from_millis(i64::try_from(worker::Date::now().as_millis()).unwrap_or(i64::MAX))
}
