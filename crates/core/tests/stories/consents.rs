//! Yes, no, and a pause.

use comeback_core::consent::{Channel, Source};
use comeback_core::time::{DAY, HOUR};
use comeback_testkit::*;

use super::ada_leaves_boots;

#[test]
fn an_opt_out_ends_the_sequence_and_holds() {
    check(
        &ada_leaves_boots(three_emails())
            .at("0 12:00", "ada", unsubscribes())
            .at("2 10:00", "ada", adds("hat"))
            .at("2 10:00", "ada", types_email()),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           1 11:15 ada "second" skipped: the person has opted out
           1 11:15 ada is opted_out
           2 10:00 ada is active
           2 10:15 ada is abandoned
           2 11:15 ada "first" skipped: the person has opted out
           2 11:15 ada is opted_out"#,
    );
}

#[test]
fn no_answer_is_no_consent() {
    check(
        &Scenario::new(policy(&[email("first", HOUR)]))
            .at("0 10:00", "ada", leaves(Channel::Email, Source::Signed, None))
            .at("0 10:00", "ada", adds("boots")),
        r#"0 10:15 ada is abandoned
           0 11:15 ada "first" skipped: the person has not agreed to be written to on any channel of this step
           0 11:15 ada is exhausted"#,
    );
}

#[test]
fn a_page_cannot_undo_an_opt_out_but_the_shop_can() {
    let yes = |source| Act::Consents { channel: Channel::Email, granted: true, source };
    let no = Act::OptsOut(Some(Channel::Email));
    let opted_out = ada_leaves_boots(policy(&[email("first", HOUR)])).at("0 10:10", "ada", no);
    check(
        &opted_out.clone().at("0 10:20", "ada", yes(Source::Page)),
        r#"0 10:15 ada is abandoned
           0 11:15 ada "first" skipped: the person has opted out of every channel of this step
           0 11:15 ada is exhausted"#,
    );
    check(
        &opted_out.at("0 10:20", "ada", yes(Source::Signed)),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 11:15 ada is exhausted"#,
    );
}

#[test]
fn an_old_yes_that_comes_late_does_not_lift_a_newer_opt_out() {
    let no = || Act::OptsOut(Some(Channel::Email));
    let yes = Act::Consents { channel: Channel::Email, granted: true, source: Source::Signed };
    check(
        &ada_leaves_boots(policy(&[email("first", HOUR)]))
            .at("0 10:01", "ada", no())
            .at("0 10:03", "ada", no())
            .held_back("0 10:02", "0 10:30", "ada", yes),
        r#"0 10:15 ada is abandoned
           0 11:15 ada "first" skipped: the person has opted out of every channel of this step
           0 11:15 ada is exhausted"#,
    );
}

#[test]
fn a_pause_holds_a_step_back_and_a_later_step_takes_its_place() {
    check(
        &ada_leaves_boots(three_emails()).at("0 10:30", "ada", Act::PausesFor(2 * DAY)).until("3 12:00"),
        r#"0 10:15 ada is abandoned
           0 11:15 ada "first" waits until 2 10:30: the person asked for a pause
           1 11:15 ada "first" skipped: a later step came due first
           1 11:15 ada "second" waits until 2 10:30: the person asked for a pause
           2 10:30 ada gets email "second"
           2 10:30 ada is recovering
           3 11:15 ada gets email "last"
           3 11:15 ada is exhausted"#,
    );
}
