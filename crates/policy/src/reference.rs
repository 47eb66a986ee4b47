//! The policy language, table by table. Only words here; the code is in the private modules.
//!
//! Unknown tables and keys are errors. A span is a whole number and a unit: `30s`, `15m`, `24h`,
//! `3d`. A name is a lower-case letter followed by lower-case letters, digits and `_`, at most 40.
//!
//! | key | form | default |
//! |---|---|---|
//! | `[policy] name` | lower-case letters, digits, `_` and `-` | required |
//! | `[policy] description` | at most 500 characters | empty |
//! | `[abandonment] idle` | span, 5s to 7d | `15m` |
//! | `[[segment]] name`, `when` | name, condition | |
//! | `[[offer]] name`, `kind`, `percent`, `valid_for` | name, `"percent"`, 1 to 100, span 1m to 90d | required |
//! | `[[offer]] when` | condition: to whom it may go | everyone |
//! | `[[sequence]] name`, `steps` | name, 1 to 16 steps in the order of `at` | required |
//! | `[[sequence]] for` | condition; the first sequence that matches is followed | everyone |
//! | step `name`, `at`, `channel`, `template` | name, span 0s to 60d from the abandonment, list of `email` `sms` `push` in order of preference, template | required |
//! | step `offer` | name of an offer | none |
//! | `[caps] per_person = { day, week }` | 0 to 100 messages in any 24 hours, any 7 days | 1, 3 |
//! | `[caps] sms_per_abandonment` | 0 to 2 | 1 |
//! | `[caps] unverified` | span, 1m to 365d: one recovery per unverified address | `30d` |
//! | `[quiet_hours] from`, `to` | `"HH:MM"`, local to the recipient; equal means none | `21:00`, `09:00` |
//! | `[quiet_hours] default_zone` | IANA zone for people whose zone is unknown | `UTC` |
//! | `[holdout] percent` | 0 to 100 | 10 |
//! | `[attribution] click` | span, 1h to 30d | `5d` |
//! | `[link] valid_for` | span, 1h to 90d | `14d` |
//! | `[retention] cart` | span, 1d to 730d | `90d` |
//!
//! Templates: `reminder` for every channel, `incentive` and `last_call` for email and push,
//! `sms_reminder` for sms.
//!
//! Conditions:
//!
//! ```text
//! condition = all { "or" all }
//! all       = test { "and" test }
//! test      = "not" test | "(" condition ")" | field op number | flag | segment
//! op        = "<" | "<=" | ">" | ">=" | "==" | "!="
//! field     = cart.value cart.items cart.margin person.orders person.lifetime_value
//!             person.offers_90d score.buy
//! flag      = session.mobile session.checkout_error
//! number    = up to 15 digits, 6 of them after the point, perhaps with a minus before
//! ```
//!
//! `not` binds tighter than `and`, `and` tighter than `or`. A comparison with something unknown does
//! not hold, so `not cart.margin < 0.2` holds for an unknown margin and `cart.margin >= 0.2` does not.
//! Nesting, segments included, is at most 32 deep.
