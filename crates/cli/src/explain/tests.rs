//! Stories as a running system told them (captured over HTTP from the local engine), and what must be
//! in their telling, line by line and in this order.

use comeback_core::recovery::Phase;

use super::*;

fn story(name: &str) -> Story {
    let text = match name {
        "recovered" => include_str!("../../tests/fixtures/recovered.json"),
        "no_consent" => include_str!("../../tests/fixtures/no_consent.json"),
        "nobody" => include_str!("../../tests/fixtures/nobody.json"),
        "stopped" => include_str!("../../tests/fixtures/stopped.json"),
        other => panic!("no fixture {other}"),
    };
    serde_json::from_str(text).unwrap()
}

/// Every expected line is there, in order; white space at the ends does not count.
#[track_caller]
fn check(told: &str, expect: &[&str]) {
    let mut lines = told.lines().map(str::trim);
    for wanted in expect {
        assert!(lines.any(|l| l == *wanted), "missing, or out of order: {wanted:?}\n\n{told}");
    }
}

#[test]
fn a_cart_that_came_back() {
    check(
        &tell(&story("recovered"), None),
        &[
            "cart_9b4d7e3e286f5111261b9a of shop_demo is recovered",
            "in it    2 pieces, 48.00 EUR at the prices a page named",
            "2 x harbour-mug, 250 ml / Tide",
            "session  got as far as checkout, 1 checkout error",
            "trouble  payment: card_declined (card), at 2026-06-01T20:00:00Z",
            "person   per_4w3URUYT0a8QhkqxzY6EXn",
            "score    27 % to buy without help, by baseline-1",
            "order    A-1001, paid, 2026-06-03T22:01:00Z",
            "2026-06-01T20:00:00Z  the cart was born",
            "2026-06-01T20:15:00Z  active -> abandoned: idle",
            "2026-06-02T20:15:00Z  step `reminder` came due and went to the queue as snd_v3w599vxh7xaex311ryf604yz0",
            "2026-06-02T20:15:00Z  decided on `reminder`: NOT YET, it is a quiet hour where the person is; asked again at 2026-06-03T07:00:00Z",
            "+ sent_before       0 earlier sends of this person",
            "+ email.consent     given at 2026-06-01T20:00:00Z under wording \"2026-11\"",
            "- quiet_hours       by the person's zone",
            "consent: email, given at 2026-06-01T20:00:00Z under wording \"2026-11\"; a page reported it",
            "policy: pol_4543vtqqhtg3s4e2nqyupj6eas, model: baseline-1",
            "events: evt_42e98b68c1944a7b28c581",
            "2026-06-03T07:00:00Z  step `reminder` went to the queue again, attempt 2",
            "2026-06-03T07:00:00Z  decided on `reminder`: SEND, all checks passed; by email",
            "2026-06-03T07:00:00Z  `reminder` is settled: sent",
            "2026-06-03T07:00:00Z  abandoned -> recovering: a message went out",
            "2026-06-03T20:15:00Z  decided on `incentive`: NOT YET, the daily cap for this person is reached; asked again at 2026-06-04T07:00:00Z",
            "- cap_day           1 of 1",
            "2026-06-03T22:00:00Z  the link of `reminder` was followed",
            "2026-06-03T22:01:00Z  an order was seen, not yet known to be paid",
            "2026-06-03T22:01:00Z  an order was seen, paid",
            "2026-06-03T22:01:00Z  ordered -> recovered: a paid order after a click on our link",
            "Next: nothing; an order has ended it.",
        ],
    );
}

#[test]
fn a_message_that_was_not_sent_says_why() {
    let cases: [(&str, &[&str]); 3] = [
        (
            "no_consent",
            &[
                "2026-06-11T09:15:00Z  decided on `reminder`: NO, the person has not agreed to be written to on any channel of this step",
                "- email.consent  never asked or never answered",
                "consent: none taken into account",
                "2026-06-11T09:15:00Z  `reminder` is settled: skipped: the person has not agreed to be written to on any channel of this step",
                "2026-06-13T09:15:00Z  abandoned -> exhausted: every step is settled",
                "Next: nothing, unless the shopper comes back.",
            ],
        ),
        (
            "nobody",
            &[
                "person   nobody is known behind it",
                "2026-06-14T17:15:00Z  snd_q4858vcmhs2bv4pk1tgcka0a6w is settled: skipped: nobody is known behind the cart",
                "Next: nothing, unless the shopper comes back.",
            ],
        ),
        (
            "stopped",
            &[
                "2026-06-18T01:15:00Z  decided on `reminder`: NOT YET, the shop has stopped all sends; asked again at 2026-06-18T02:15:00Z",
                "- stopped      the shop's stop switch is on",
                "Next: the gate is asked about `reminder` again at 2026-06-18T03:15:00Z, unless a later step comes due first.",
            ],
        ),
    ];
    for (name, expect) in cases {
        check(&tell(&story(name), None), expect);
    }
}

#[test]
fn every_entry_of_the_log_is_told_once() {
    for name in ["recovered", "no_consent", "nobody", "stopped"] {
        let story = story(name);
        let told = tell(&story, None);
        let dated = told.lines().filter(|l| l.starts_with("20")).count();
        assert_eq!(dated, story.log.len(), "{name}");
    }
}

#[test]
fn what_may_come_next_follows_the_state() {
    let cases = [
        (Phase::Abandoned, false, "the sequence's next step"),
        (Phase::Active, false, "idle time"),
        (Phase::Active, true, "automated"),
        (Phase::OptedOut, false, "wants no messages"),
        (Phase::Expired, false, "deleted"),
        (Phase::Forgotten, false, "forgotten"),
    ];
    for (phase, automated, expect) in cases {
        let mut state = story("stopped").state.unwrap();
        (state.pending, state.phase, state.automated) = (None, phase, automated);
        let told = standing::next(&state, &Steps::new());
        assert!(told.contains(expect), "{told}");
    }
    let mut waiting = story("stopped").state.unwrap();
    waiting.pending.iter_mut().for_each(|pending| pending.deferred = false);
    assert!(standing::next(&waiting, &Steps::new()).contains("with the queue"));
}

#[test]
fn a_log_without_its_beginning_says_so() {
    let mut story = story("nobody");
    assert!(!tell(&story, None).contains("in the ledger"));
    story.log.remove(0);
    assert!(tell(&story, None).contains("what came before is in the ledger"));
}

#[test]
fn strangers_do_not_steer_the_terminal() {
    let text = include_str!("../../tests/fixtures/recovered.json")
        .replace("A-1001", "A\\u001b[2J")
        .replace("a paid order after a click on our link", "x\\n2026-01-01T00:00:00Z  forged");
    let told = tell(&serde_json::from_str(&text).unwrap(), None);
    assert!(!told.contains('\u{1b}'));
    assert!(!told.lines().any(|l| l.starts_with("2026-01-01")), "{told}");
}

fn everything() -> Story {
    serde_json::from_str(include_str!("../../tests/fixtures/everything.json")).unwrap()
}

#[test]
fn what_an_offer_gives_away_is_in_the_shops_currency() {
    let told = |code: Option<&str>| {
        let story = Story { currency: code.map(|code| Currency::parse(code).unwrap()), ..everything() };
        tell(&story, None)
    };
    assert!(told(Some("JPY")).contains("offer: ten, at most 1205 JPY given away"), "{}", told(Some("JPY")));
    assert!(told(Some("KWD")).contains("at most 1.205 KWD given away"));
    assert!(told(None).contains("at most 1205 minor units of the shop's currency given away"));
}

/// The whole text, as it is: look at the new one before you accept it.
#[test]
fn a_story_with_everything_in_it() {
    let mut story = everything();
    story.currency = Currency::parse("EUR").ok();
    let cart = CartId::parse("cart_1").unwrap();
    assert_eq!(tell(&story, Some(&cart)), include_str!("../../tests/fixtures/everything.txt"));
    let send = SendKey::parse("snd_1").unwrap();
    let one = about(story, &Subject::Decision(send, "2026-06-01T22:00:00Z".to_owned()));
    let kinds: Vec<u64> = one.log.iter().map(|n| n.seq).collect();
    assert_eq!(kinds, [3, 7, 9], "how it was left, the decision, the shadow's");
}
