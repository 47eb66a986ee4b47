//! The law of a place, channels that complement each other, rest, and the hour that suits, in whole runs.

use comeback_core::consent::Channel;
use comeback_core::jurisdiction::{Law, Pack, Rule};
use comeback_core::policy::{Caps, Fatigue, Policy, Step};
use comeback_core::time::{DAY, HOUR, QuietHours};
use comeback_testkit::*;

/// No text messages in Germany at night and on Sundays; everybody's number here is German, and so, for
/// want of a better word, is their clock.
fn with_law(policy: Policy) -> Policy {
    let channels = || vec![Channel::Sms];
    let rule = |id: &str, law| Rule { id: id.into(), source: "a story".into(), law };
    let window = QuietHours { from: 22 * 60, to: 8 * 60 };
    let pack = Pack {
        code: "de".into(),
        name: "Germany".into(),
        countries: vec!["DE".into()],
        regions: vec![],
        as_of: "2026-11-21".into(),
        holidays: vec![],
        rules: vec![
            rule("night", Law::Quiet { channels: channels(), window, days: vec![] }),
            rule("sundays", Law::NoDays { channels: channels(), sundays: true, holidays: false }),
        ],
    };
    Policy { jurisdictions: vec![pack], ..policy }
}

fn left_on_saturday_night(policy: Policy) -> Scenario {
    Scenario::new(policy).at("5 20:00", "ada", signs_in()).at("5 20:00", "ada", gives_phone()).at(
        "5 20:00",
        "ada",
        adds("boots"),
    )
}

#[test]
fn what_the_law_puts_off_gives_way_to_the_next_step() {
    // A quarter past ten in Berlin; the first lawful hour is eight o'clock on Monday.
    let policy = with_law(policy(&[by("text", HOUR, &[Channel::Sms]), email("mail", 30 * HOUR)]));
    check(
        &left_on_saturday_night(policy),
        r#"5 20:15 ada is abandoned
           5 21:15 ada "text" waits until 7 07:00: the law where the person is forbids it at this hour or on this day
           7 02:15 ada "text" skipped: a later step came due first
           7 02:15 ada gets email "mail"
           7 02:15 ada is recovering
           7 02:15 ada is exhausted"#,
    );
}

#[test]
fn a_channel_that_may_be_used_now_goes_before_one_that_must_wait() {
    let policy = with_law(policy(&[by("either", HOUR, &[Channel::Sms, Channel::Email])]));
    check(
        &left_on_saturday_night(policy),
        r#"5 20:15 ada is abandoned
           5 21:15 ada gets email "either"
           5 21:15 ada is recovering
           5 21:15 ada is exhausted"#,
    );
}

#[test]
fn a_text_message_complements_an_email_and_does_not_repeat_it() {
    let text =
        |name: &str, at, template: &str| Step { template: template.into(), ..by(name, at, &[Channel::Sms]) };
    let mail = Step { template: "reminder".into(), ..email("mail", HOUR) };
    let steps = [mail, text("again", 2 * HOUR, "reminder"), text("more", 4 * HOUR, "sms_reminder")];
    let caps = Caps { day: 9, week: 9, ..Caps::default() };
    let scenario = Scenario::new(Policy { caps, ..policy(&steps) })
        .at("0 10:00", "ada", signs_in())
        .at("0 10:00", "ada", gives_phone())
        .at("0 10:00", "ada", adds("boots"));
    check(
        &scenario,
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "mail"
           0 11:15 ada is recovering
           0 12:15 ada "again" skipped: a message with this template went out in this abandonment already
           0 14:15 ada gets sms "more"
           0 14:15 ada is exhausted"#,
    );
}

#[test]
fn who_follows_nothing_is_left_alone_and_who_comes_back_is_not() {
    let fatigue = Some(Fatigue { unanswered: 2, rest_ms: 20 * DAY });
    let steps = [email("first", HOUR), email("second", 25 * HOUR), email("third", 49 * HOUR)];
    let tired = Policy { fatigue, ..policy(&steps) };
    check(
        &crate::ada_leaves_boots(tired.clone()),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           1 11:15 ada gets email "second"
           2 11:15 ada "third" skipped: the person has followed none of the last messages and rests
           2 11:15 ada is exhausted"#,
    );
    check(
        &crate::ada_leaves_boots(tired).at("1 12:00", "ada", Act::Clicks),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           1 11:15 ada gets email "second"
           1 12:00 ada is active
           1 12:15 ada is recovering
           2 11:15 ada gets email "third"
           2 11:15 ada is exhausted"#,
    );
}

#[test]
fn a_step_waits_for_the_hour_at_which_somebody_follows_links() {
    let caps = Caps { day: 9, week: 9, ..Caps::default() };
    let steps = [Step { window_ms: 20 * HOUR, ..email("first", HOUR) }, email("next", 40 * HOUR)];
    let mut scenario = crate::ada_leaves_boots(Policy { caps, ..policy(&steps) });
    for day in 0..3 {
        scenario = scenario.at(&format!("{day} 19:10"), "ada", Act::Clicks);
        scenario = scenario.at(&format!("{} 10:00", day + 1), "ada", adds("hat"));
    }
    check(
        &scenario.at("0 10:00", "ada", Act::IsIn("UTC")).until("4 00:00"),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 19:10 ada is active
           0 19:25 ada is recovering
           1 10:00 ada is active
           1 10:15 ada is abandoned
           1 11:15 ada gets email "first"
           1 11:15 ada is recovering
           1 19:10 ada is active
           1 19:25 ada is recovering
           2 10:00 ada is active
           2 10:15 ada is abandoned
           2 11:15 ada gets email "first"
           2 11:15 ada is recovering
           2 19:10 ada is active
           2 19:25 ada is recovering
           3 10:00 ada is active
           3 10:15 ada is abandoned
           3 11:15 ada "first" waits until 3 19:00: another hour suits the person better
           3 19:00 ada gets email "first"
           3 19:00 ada is recovering"#,
    );
}
