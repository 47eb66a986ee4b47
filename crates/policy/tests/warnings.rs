//! What a policy that stands is warned about: each case is a sound policy with one thing changed.

const SOUND: &str = include_str!("sound.toml");

/// The warnings of a policy that stands.
#[track_caller]
fn check_warning(from: &str, to: &str, expect: &[&str]) {
    assert_eq!(SOUND.matches(from).count(), 1, "{from:?} must be there once");
    let (_, warnings) =
        comeback_policy::parse("shop.toml", &SOUND.replace(from, to)).expect("a warning does not refuse");
    let messages: Vec<_> = warnings.iter().map(|w| w.message.as_str()).collect();
    assert_eq!(messages, expect);
}

#[test]
fn warnings() {
    check_warning("when = \"vip\"", "", &["segment `vip` is not used"]);
    check_warning(", offer = \"ten\"", "", &["offer `ten` is not used"]);
    check_warning("percent = 10", "percent = 60", &["offer `ten` gives more than half away"]);
    check_warning(
        "\"vip\"\n\n[[sequence]]",
        "\"vip and cart.margin > 25\"\n[[sequence]]",
        &["this condition never holds", "`cart.margin` is a share between 0 and 1"],
    );
    check_warning(
        "template = \"reminder\"",
        "template = \"reminder\", offer = \"ten\"",
        &["offer `ten` is withheld from the first message, `reminder`"],
    );
    check_warning(
        "template = \"reminder\"",
        "template = \"incentive\"",
        &["step `reminder` uses the template `incentive` without an offer"],
    );
    check_warning(
        "at = \"24h\"",
        "at = \"49h\"",
        &["step `last_call` is message 2 within a day, and the cap is 1: it will wait"],
    );
    check_warning("day = 1", "day = 0", &["with a cap of 0 nothing is ever sent"]);
    check_warning("day = 1", "day = 5", &["the cap per day is above the cap per week and never reached"]);
    check_warning(
        "[caps]",
        "[caps]\nunverified = \"1h\"",
        &["strangers can type an address into the shop and have it written to again after less than a week"],
    );
    check_warning(
        "from = \"21:00\"",
        "from = \"09:00\"",
        &["without quiet hours people are written to at night"],
    );
    check_warning(
        "[caps]",
        "[holdout]\npercent = 0\n[caps]",
        &["without a holdout nobody can tell what the messages earn beyond what would have come anyway"],
    );
    check_warning(
        "[caps]",
        "[link]\nvalid_for = \"2d\"\n[caps]",
        &["resume links die after 2d, before offer `ten` does"],
    );
    check_warning(
        "[caps]",
        "[[sequence]]\nname = \"late\"\nsteps = [{ name = \"a\", at = \"1m\", channel = [\"sms\"], template = \"sms_reminder\" }]\n[caps]\nsms_per_abandonment = 0",
        &[
            "sequence `late` is never followed: `standard` before it is for everyone",
            "step `a` sends text messages, and nothing says what a yes to them rests on",
        ],
    );
}
