//! A policy that nobody should use: so many steps, by all channels, that every rule has something to hold back. For
//! trials of the checker with a rule switched off.

use comeback_core::consent::Channel;
use comeback_core::policy::{Caps, Policy, Sequence, Step};
use comeback_core::time::{HOUR, MINUTE, Millis, QuietHours};

/// How bad the weather is in a trial: bad enough that every duty of a shell is called upon.
pub const TROUBLE: u32 = 3;

/// The policy: two messages a day, four a week, two texts, quiet from 23 to 7, and the law as given.
#[must_use]
pub fn policy(law_of: &Policy) -> Policy {
    let step = |n: usize, at_ms: Millis, channels: &[Channel]| Step {
        name: format!("step_{n}"),
        at_ms,
        window_ms: 0,
        channels: channels.to_vec(),
        // No two say the same, or the gate would hold the second back as a repetition.
        template: format!("template_{n}"),
        offer: None,
        when: None,
    };
    let (mail, text, push) = (Channel::Email, Channel::Sms, Channel::Push);
    let plan: &[(Millis, &[Channel])] = &[
        (20 * MINUTE, &[text]),
        (40 * MINUTE, &[mail]),
        (2 * HOUR, &[text]),
        (3 * HOUR, &[push]),
        (8 * HOUR, &[mail, text]),
        (20 * HOUR, &[text]),
        (26 * HOUR, &[mail]),
        (44 * HOUR, &[text, mail]),
        (60 * HOUR, &[mail]),
        (84 * HOUR, &[mail]),
    ];
    let steps = plan.iter().enumerate().map(|(n, (at, channels))| step(n, *at, channels)).collect();
    let sequence = Sequence { name: "trial".to_owned(), on: vec![], audience: None, steps };
    Policy {
        version: "trial".to_owned(),
        description: "For trials of the checker.".to_owned(),
        caps: Caps { day: 2, week: 4, sms_per_abandonment: 2, ..Caps::default() },
        quiet_hours: Some(QuietHours { from: 23 * 60, to: 7 * 60 }),
        jurisdictions: law_of.jurisdictions.clone(),
        ..Policy::plain("trial", vec![sequence])
    }
}
