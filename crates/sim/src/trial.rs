//! A policy that nobody should use: so many steps, by all channels, that every rule has something to hold back. For
//! trials of the checker with a rule switched off.

use std::collections::BTreeMap;

use comeback_core::consent::Channel;
use comeback_core::jurisdiction::{Law, Pack, Rule};
use comeback_core::policy::{
    Arm, Browse, Caps, ConsentRules, Experiment, Expr, Fatigue, Field, Learner, Offer, OfferKind, Op, Policy,
    Rollout, Sequence, Step, Subject,
};
use comeback_core::recovery::Trigger;
use comeback_core::time::{DAY, HOUR, MINUTE, Millis, QuietHours, SECOND};

/// How bad the weather is in a trial: bad enough that every duty of a shell is called upon.
pub const TROUBLE: u32 = 3;

fn offer(name: &str) -> Offer {
    Offer {
        name: name.to_owned(),
        kind: OfferKind::Percent,
        percent: 0,
        amount: 0.0,
        valid_ms: 2 * DAY,
        when: None,
        min_margin: None,
        not_for: vec![],
        per_90d: None,
        budget_day: None,
        first_message: false,
        approval: false,
        honour_price_ms: None,
    }
}

/// Laws of a kind of which the known ones have none that a trial would come up against.
fn laws() -> [Pack; 2] {
    let pack = |code: &str, countries: &[&str], laws: Vec<Law>| Pack {
        code: code.to_owned(),
        name: code.to_owned(),
        countries: countries.iter().map(|c| (*c).to_owned()).collect(),
        regions: vec![],
        as_of: "2026-01-01".to_owned(),
        holidays: vec![],
        rules: laws
            .into_iter()
            .map(|law| Rule { id: "invented".to_owned(), source: "nowhere".to_owned(), law })
            .collect(),
    };
    let (mail, sms) = (Channel::Email, Channel::Sms);
    [
        pack(
            "few",
            &["JP", "IN", "NP", "BR", "CL"],
            vec![
                Law::PerAbandonment { channel: mail, most: 2 },
                Law::Within { channel: mail, span_ms: 55 * HOUR },
            ],
        ),
        pack(
            "seldom",
            &["NZ", "IL", "EG", "NG"],
            vec![
                Law::PerDay { channel: sms, most: 1 },
                Law::NoDays { channels: vec![mail], sundays: true, holidays: false },
            ],
        ),
    ]
}

/// An experiment on a step: nothing is changed for most.
fn experiment(number: usize, step: usize, arm: Arm) -> Experiment {
    let control = Arm { name: "control".to_owned(), weight: 3, ..Arm::default() };
    Experiment {
        name: format!("experiment_{number}"),
        hypothesis: "That the checker knows who is in which arm.".to_owned(),
        subject: Subject::Step { sequence: "trial".to_owned(), step: format!("step_{step}") },
        arms: vec![control, Arm { name: "other".to_owned(), weight: 2, ..arm }],
    }
}

/// The policy: two messages a day, four a week, two texts, quiet from 23 to 7, rest after five that nothing followed, offers
/// with a budget, an approval or a margin and a choice between them that is learned, one a week about things looked at, some held out, some not reached yet, experiments on some steps, and the law as given.
#[must_use]
pub fn policy(law_of: &Policy) -> Policy {
    let offered = |n: usize| match n {
        1 | 9 => Some("five"),
        3 | 5 | 7 => Some("learned"),
        4 | 6 => Some("twelve"),
        8 => Some("fifth"),
        _ => None,
    };
    let condition = |n: usize| {
        let (field, op, value) = match n {
            3 => (Field::AbandonmentNumber, Op::Le, 1.0),
            6 => (Field::AbandonmentClicks, Op::Eq, 0.0),
            7 => (Field::AbandonmentContacts, Op::Lt, 3.0),
            _ => return None,
        };
        Some(Expr::Compare { field, op, value })
    };
    let step = |n: usize, at_ms: Millis, channels: &[Channel], text: usize| Step {
        name: format!("step_{n}"),
        at_ms,
        window_ms: 0,
        channels: channels.to_vec(),
        template: format!("template_{text}"),
        offer: offered(n).map(str::to_owned),
        when: condition(n),
    };
    let (mail, sms, push) = (Channel::Email, Channel::Sms, Channel::Push);
    let plan: &[(Millis, &[Channel])] = &[
        (20 * MINUTE, &[sms]),
        (40 * MINUTE, &[mail]),
        (2 * HOUR, &[sms]),
        (3 * HOUR, &[push]),
        (8 * HOUR, &[mail, sms]),
        (20 * HOUR, &[sms]),
        (26 * HOUR, &[mail]),
        (44 * HOUR, &[sms, mail]),
        (60 * HOUR, &[mail]),
        (84 * HOUR, &[mail]),
    ];
    // One only says again what an early one said, and is for those whom that did not reach.
    let text = |n: usize| if n == 8 { 1 } else { n };
    let steps = plan.iter().enumerate().map(|(n, (at, channels))| step(n, *at, channels, text(n))).collect();
    let left = Sequence { name: "trial".to_owned(), on: vec![], audience: None, steps };
    let looked: &[(Millis, &[Channel])] = &[(HOUR, &[mail, push]), (6 * HOUR, &[sms, mail])];
    let looked = Sequence {
        name: "looked".to_owned(),
        on: vec![Trigger::Browse],
        audience: None,
        steps: looked.iter().zip(100..).map(|((at, channels), n)| step(n, *at, channels, n)).collect(),
    };
    Policy {
        version: "trial".to_owned(),
        description: "For trials of the checker.".to_owned(),
        caps: Caps { day: 2, week: 4, sms_per_abandonment: 2, ..Caps::default() },
        quiet_hours: Some(QuietHours { from: 23 * 60, to: 7 * 60 }),
        fatigue: Some(Fatigue { unanswered: 5, rest_ms: 20 * DAY }),
        browse: Some(Browse {
            dwell_ms: 200 * SECOND,
            dwell_by_class: BTreeMap::new(),
            idle_ms: 30 * MINUTE,
            per_week: 1,
        }),
        holdout_percent: 5,
        consent: ConsentRules { soft_opt_in: true, ..ConsentRules::default() },
        rollout: Rollout { percent: 95, per_hour: None },
        jurisdictions: law_of.jurisdictions.iter().cloned().chain(laws()).collect(),
        offers: vec![
            Offer { percent: 5, budget_day: Some(16.0), per_90d: Some(1), ..offer("five") },
            Offer { kind: OfferKind::Amount, amount: 12.0, approval: true, ..offer("twelve") },
            Offer { percent: 20, min_margin: Some(0.2), ..offer("fifth") },
        ],
        learners: vec![Learner {
            name: "learned".to_owned(),
            arms: vec!["none".to_owned(), "five".to_owned(), "twelve".to_owned()],
            least_share: 0.2,
            cohorts: vec![],
            cost: BTreeMap::new(),
        }],
        experiments: [
            (1, Arm { silent: true, ..Arm::default() }),
            (4, Arm { channels: Some(vec![push, sms]), ..Arm::default() }),
            (6, Arm { offer: Some("fifth".to_owned()), at_ms: Some(25 * HOUR), ..Arm::default() }),
            (8, Arm { template: Some("template_0".to_owned()), ..Arm::default() }),
        ]
        .into_iter()
        // Most are at another hour: that a cart knows its person by an id with another arm is rare.
        .chain(
            [(2, 9), (3, 28), (4, 48), (5, 92), (7, 220), (8, 300), (9, 400)]
                .map(|(step, quarters)| (step, Arm { at_ms: Some(quarters * HOUR / 4), ..Arm::default() })),
        )
        .enumerate()
        .map(|(number, (step, arm))| experiment(number, step, arm))
        .collect(),
        ..Policy::plain("trial", vec![left, looked])
    }
}
