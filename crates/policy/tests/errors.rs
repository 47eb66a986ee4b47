//! What a merchant reads when a policy is wrong: each case is a sound policy with one thing broken
//! and the exact text that is shown for it.

const SOUND: &str = include_str!("sound.toml");

/// Replaces `from` by `to` in the sound policy, then compares what is shown.
#[track_caller]
fn check(from: &str, to: &str, expect: &str) {
    assert_eq!(SOUND.matches(from).count(), 1, "{from:?} must be there once");
    check_text(&SOUND.replace(from, to), expect);
}

#[track_caller]
fn check_text(text: &str, expect: &str) {
    let shown = match comeback_policy::parse("shop.toml", text) {
        Ok(_) => "accepted".to_owned(),
        Err(errors) => errors.to_string(),
    };
    let expect = expect.trim_matches('\n');
    assert!(shown == expect, "shown:\n{shown}\n\nexpected:\n{expect}");
}

#[test]
fn the_sound_policy_is_sound() {
    check_text(SOUND, "accepted");
    assert!(comeback_policy::parse("shop.toml", SOUND).unwrap().1.is_empty());
}

#[test]
fn structure() {
    check(
        "percent = 10",
        "percnet = 10",
        r#"
error: [[offer]] needs `percent`
  --> shop.toml:11:1
   |
11 | [[offer]]
   | ^^^^^^^^^

error: unknown key `percnet` in [[offer]]
  --> shop.toml:14:1
   |
14 | percnet = 10
   | ^^^^^^^
   = help: did you mean `percent`?
"#,
    );
    check(
        "[caps]",
        "[cap]",
        r#"
error: unknown key `cap` in the policy
  --> shop.toml:25:2
   |
25 | [cap]
   |  ^^^
   = help: did you mean `caps`?
"#,
    );
    check(
        "steps = [",
        "step = [",
        r#"
error: [[sequence]] needs `steps`
  --> shop.toml:18:1
   |
18 | [[sequence]]
   | ^^^^^^^^^^^^

error: unknown key `step` in [[sequence]]
  --> shop.toml:20:1
   |
20 | step = [
   | ^^^^
   = help: did you mean `steps`?
"#,
    );
    check(
        r#"valid_for = "72h""#,
        "",
        r#"
error: [[offer]] needs `valid_for`
  --> shop.toml:11:1
   |
11 | [[offer]]
   | ^^^^^^^^^
"#,
    );
    check(
        "[quiet_hours]",
        "[quiet_hours",
        r#"
error: not TOML: unclosed table, expected `]`
  --> shop.toml:28:13
   |
28 | [quiet_hours
   |             ^
"#,
    );
    check(
        r#"idle = "15m""#,
        r#"idle = "15m"
idle = "20m""#,
        r#"
error: not TOML: duplicate key
 --> shop.toml:6:1
  |
6 | idle = "20m"
  | ^^^^
"#,
    );
}

#[test]
fn keys_and_values() {
    check(
        r#"idle = "15m""#,
        r#"idle = "15min""#,
        r#"
error: `idle` is not a span of time: "15min"
 --> shop.toml:5:8
  |
5 | idle = "15min"
  |        ^^^^^^^
  = help: a span is a whole number and a unit: "30s", "15m", "24h" or "3d"
"#,
    );
    check(
        r#"idle = "15m""#,
        "idle = 15",
        r#"
error: `idle` must be a span such as "15m", not a whole number
 --> shop.toml:5:8
  |
5 | idle = 15
  |        ^^
"#,
    );
    check(
        r#"idle = "15m""#,
        r#"idle = "4s""#,
        r#"
error: `idle` must be from 5s to 7d
 --> shop.toml:5:8
  |
5 | idle = "4s"
  |        ^^^^
"#,
    );
    check(
        "percent = 10",
        "percent = 110",
        r#"
error: `percent` must be a whole number from 1 to 100
  --> shop.toml:14:11
   |
14 | percent = 110
   |           ^^^
"#,
    );
    check(
        "percent = 10",
        "percent = 10.5",
        r#"
error: `percent` must be a whole number, not a number with a fraction
  --> shop.toml:14:11
   |
14 | percent = 10.5
   |           ^^^^
"#,
    );
    check(
        r#"from = "21:00""#,
        r#"from = "25:00""#,
        r#"
error: `from` is not a time of day: "25:00"
  --> shop.toml:29:8
   |
29 | from = "25:00"
   |        ^^^^^^^
   = help: a time of day is "21:00"
"#,
    );
    check(
        "day = 1",
        r#"day = "one""#,
        r#"
error: `day` must be a whole number, not a string
  --> shop.toml:26:22
   |
26 | per_person = { day = "one", week = 3 }
   |                      ^^^^^
"#,
    );
    check(
        r#"channel = ["email"], template = "reminder""#,
        r#"channel = [], template = "reminder""#,
        r#"
error: a step has at least one channel
  --> shop.toml:21:46
   |
21 |   { name = "reminder", at = "24h", channel = [], template = "reminder" },
   |                                              ^^
"#,
    );
}

#[test]
fn conditions() {
    check(
        "person.orders >= 3",
        "person.order >= 3",
        r#"
error: there is no field `person.order`
 --> shop.toml:9:9
  |
9 | when = "person.order >= 3"
  |         ^^^^^^^^^^^^
  = help: did you mean `person.orders`?
"#,
    );
    check(
        "person.orders >= 3",
        "person.orders = 3",
        r#"
error: `=` means nothing here
 --> shop.toml:9:23
  |
9 | when = "person.orders = 3"
  |                       ^
  = help: write `==`
"#,
    );
    check(
        "person.orders >= 3",
        "not vip",
        r#"
error: segment `vip` leads to itself: vip -> vip
 --> shop.toml:9:8
  |
9 | when = "not vip"
  |        ^^^^^^^^^
"#,
    );
    check(
        r#"when = "vip""#,
        r#"when = "vpi""#,
        r#"
error: there is no segment `vpi`
  --> shop.toml:16:9
   |
16 | when = "vpi"
   |         ^^^
   = help: did you mean `vip`?
"#,
    );
}

#[test]
fn names_and_references() {
    check(
        r#"kind = "percent""#,
        r#"kind = "free_shiping""#,
        r#"
error: there is no kind of offer "free_shiping"
  --> shop.toml:13:8
   |
13 | kind = "free_shiping"
   |        ^^^^^^^^^^^^^^
   = help: did you mean `free_shipping`?
"#,
    );
    check(
        r#"kind = "percent""#,
        r#"kind = "amount""#,
        r#"
error: [[offer]] needs `amount`
  --> shop.toml:11:1
   |
11 | [[offer]]
   | ^^^^^^^^^

error: `percent` says nothing about an offer of another kind
  --> shop.toml:14:11
   |
14 | percent = 10
   |           ^^
   = help: write `kind = "percent"`, or leave it out
"#,
    );
    check(
        r#"offer = "ten""#,
        r#"offer = "tne""#,
        r#"
error: there is no offer `tne`
  --> shop.toml:22:90
   |
22 |   { name = "last_call", at = "72h", channel = ["email"], template = "last_call", offer = "tne" },
   |                                                                                          ^^^^^
   = help: did you mean `ten`?
"#,
    );
    check(
        r#""email"], template = "reminder""#,
        r#""emial"], template = "reminder""#,
        r#"
error: there is no channel "emial"
  --> shop.toml:21:47
   |
21 |   { name = "reminder", at = "24h", channel = ["emial"], template = "reminder" },
   |                                               ^^^^^^^
   = help: did you mean `email`?
"#,
    );
    check(
        r#"template = "reminder""#,
        r#"template = "sms_reminder""#,
        r#"
error: template `sms_reminder` cannot be sent by email
  --> shop.toml:21:68
   |
21 |   { name = "reminder", at = "24h", channel = ["email"], template = "sms_reminder" },
   |                                                                    ^^^^^^^^^^^^^^
   = help: templates for email: reminder, incentive, last_call, follow_up, help, looked
"#,
    );
    check(
        r#""email"], template = "last_call""#,
        r#""email", "sms"], template = "last_call""#,
        r#"
error: template `last_call` cannot be sent by sms
  --> shop.toml:22:76
   |
22 |   { name = "last_call", at = "72h", channel = ["email", "sms"], template = "last_call", offer = "ten" },
   |                                                                            ^^^^^^^^^^^
   = help: templates for sms: reminder, sms_reminder, sms_follow_up
"#,
    );
    check(
        r#"template = "reminder""#,
        r#"template = "remainder""#,
        r#"
error: there is no template `remainder`
  --> shop.toml:21:68
   |
21 |   { name = "reminder", at = "24h", channel = ["email"], template = "remainder" },
   |                                                                    ^^^^^^^^^^^
   = help: did you mean `reminder`?
"#,
    );
    check(
        r#"at = "72h""#,
        r#"at = "12h""#,
        r#"
error: steps are in the order of `at`; this one is not later than 1d
  --> shop.toml:22:30
   |
22 |   { name = "last_call", at = "12h", channel = ["email"], template = "last_call", offer = "ten" },
   |                              ^^^^^
"#,
    );
    check(
        r#"name = "last_call""#,
        r#"name = "reminder""#,
        r#"
error: there are two steps named `reminder`
  --> shop.toml:22:12
   |
22 |   { name = "reminder", at = "72h", channel = ["email"], template = "last_call", offer = "ten" },
   |            ^^^^^^^^^^
"#,
    );
    check(
        r#"from = "21:00""#,
        r#"default_zone = "Mars/Olympus""#,
        r#"
error: there is no time zone "Mars/Olympus"
  --> shop.toml:29:16
   |
29 | default_zone = "Mars/Olympus"
   |                ^^^^^^^^^^^^^^
   = help: zones are named after cities: "Europe/Berlin"
"#,
    );
    check(
        "[[segment]]",
        "[segment]",
        r#"
error: `segment` must be a list of tables [[segment]], not a table
 --> shop.toml:7:1
  |
7 | [segment]
  | ^^^^^^^^^

error: there is no segment `vip`
  --> shop.toml:16:9
   |
16 | when = "vip"
   |         ^^^
   = help: docs/policy.md lists every field
"#,
    );
    check(
        r#"name = "test""#,
        r#"name = "Test Policy""#,
        r#"
error: "Test Policy" cannot name a policy
 --> shop.toml:2:8
  |
2 | name = "Test Policy"
  |        ^^^^^^^^^^^^^
  = help: a name is a lower-case letter, then lower-case letters, digits, `_` and `-`
"#,
    );
    check(
        r#"name = "vip""#,
        r#"name = "and""#,
        r#"
error: "and" cannot name a segment
 --> shop.toml:8:8
  |
8 | name = "and"
  |        ^^^^^
  = help: a name is a lower-case letter, then lower-case letters, digits and `_`; not `and`, `or`, `not`, `in`, `has`, `none`

error: there is no segment `vip`
  --> shop.toml:16:9
   |
16 | when = "vip"
   |         ^^^
   = help: docs/policy.md lists every field
"#,
    );
}

#[test]
fn segments_that_lead_to_each_other() {
    check(
        "when = \"person.orders >= 3\"\n",
        "when = \"loyal or cart.items > 9\"\n\n[[segment]]\nname = \"loyal\"\nwhen = \"not vip\"\n",
        r#"
error: segment `vip` leads to itself: vip -> loyal -> vip
 --> shop.toml:9:8
  |
9 | when = "loyal or cart.items > 9"
  |        ^^^^^^^^^^^^^^^^^^^^^^^^^

error: segment `loyal` leads to itself: loyal -> vip -> loyal
  --> shop.toml:13:8
   |
13 | when = "not vip"
   |        ^^^^^^^^^
"#,
    );
}

#[test]
fn every_error_is_found_in_one_run() {
    let text = SOUND.replace("\"15m\"", "15").replace("percent = 10", "percent = 0").replace("week", "weak");
    let errors = comeback_policy::parse("shop.toml", &text).unwrap_err().errors;
    let places: Vec<_> = errors.iter().map(|e| (e.line, e.column)).collect();
    assert_eq!(places, [(5, 8), (14, 11), (26, 25)]);
}

/// Segments that name the one before twice would cost 2^n comparisons, nested ones overflow stacks.
#[test]
fn segments_cannot_add_up_without_bound() {
    type When = fn(usize) -> String;
    let chain = |n: usize, when: When| {
        (1..n).fold(
            SOUND.replace("name = \"vip\"", "name = \"s0\"").replace("when = \"vip\"\n", ""),
            |text, i| format!("{text}[[segment]]\nname = \"s{i}\"\nwhen = \"{}\"\n", when(i)),
        )
    };
    let cases: [(usize, When, &str); 4] = [
        (10, |i| format!("not s{}", i - 1), ""),
        (
            32,
            |i| format!("not s{}", i - 1),
            "with its segments, the condition is nested deeper than 32 levels",
        ),
        (9, |i| format!("s{0} and cart.items > {i} or not s{0}", i - 1), ""),
        (
            11,
            |i| format!("s{0} and cart.items > {i} or not s{0}", i - 1),
            "with its segments, the condition makes more than 1000 comparisons",
        ),
    ];
    for (n, when, expect) in cases {
        let message = comeback_policy::parse("shop.toml", &chain(n, when))
            .map_or_else(|errors| errors.errors[0].message.clone(), |_| String::new());
        assert_eq!(message, expect, "{n}");
    }
}

#[test]
fn size_is_bounded() {
    let text = format!("{SOUND}# {}", "x".repeat(comeback_policy::MAX_TEXT));
    let errors = comeback_policy::parse("shop.toml", &text).unwrap_err();
    assert_eq!(
        errors.errors[0].message,
        format!("a policy has at most 65536 bytes, this one has {}", text.len())
    );
    let many = format!("{SOUND}[retention]\n{}", "x = 1\n".repeat(2));
    assert!(comeback_policy::parse("shop.toml", &many).is_err());
    let many: String = (0..2_000).map(|i| format!("k{i} = 1\n")).collect();
    assert_eq!(comeback_policy::parse("shop.toml", &many).unwrap_err().errors.len(), 50);
}
