//! `comeback simulate --log` on an archive: a replay writes to nobody of whom the archive tells a no, and to
//! nobody as if they had left a cart who only looked.

#![allow(clippy::unwrap_used, reason = "a broken rig is a broken test: it should stop at once and say where")]

mod desk;

use serde_json::{Value, json};

use desk::{Temporary, comeback};

/// Noon of a Monday, 2026-01-05.
const NOON: i64 = 1_767_614_400_000;
const HOUR: i64 = 3_600_000;

/// A line of the archive, so many hours after noon.
fn line(cart: &str, seq: u64, hours: i64, what: &Value) -> String {
    let entry = json!({ "at": NOON + hours * HOUR, "what": what });
    json!({ "shop": "shop_a", "cart": cart, "seq": seq, "entry": entry }).to_string()
}

fn left(trigger: &str, value: u32) -> Value {
    json!({ "type": "left", "trigger": trigger, "likely": { "cause": "distraction", "reasons": [] }, "sequence": "standard",
        "policy": "pol_a", "facts": { "cart_value": value, "abandonment_trigger": trigger } })
}

fn moved(from: &str, to: &str, because: &str) -> Value {
    json!({ "type": "moved", "from": from, "to": to, "because": because })
}

/// A decision with these checks; a yes rests on a consent.
fn decided(verdict: &str, checks: &Value) -> Value {
    let consent = (verdict == "send").then(
        || json!({ "channel": "email", "granted": true, "wording": "v1", "at": NOON, "source": "signed" }),
    );
    json!({ "type": "decided", "record": { "key": "snd_a", "verdict": verdict, "why": "", "policy": "pol_a", "checks": checks,
        "consent": consent, "events": [] } })
}

/// A cart that is left at noon and written to an hour later, and what comes then; the archive goes on for
/// ten days.
fn archive(name: &str, rest: &[(i64, Value)]) -> Temporary {
    let mut entries = vec![
        (0, json!({ "type": "born" })),
        (0, json!({ "type": "linked", "person": "per_a" })),
        (0, left("idle", 40)),
        (0, moved("active", "abandoned", "idle")),
        (1, decided("send", &json!([]))),
    ];
    entries.extend(rest.iter().cloned());
    let mut lines: Vec<String> =
        (1..).zip(&entries).map(|(seq, (hours, what))| line("cart_a", seq, *hours, what)).collect();
    lines.push(line("cart_z", 1, 240, &json!({ "type": "born" })));
    Temporary::with(name, &lines.join("\n"))
}

/// Steps after 1, 24 and 48 hours, by email.
fn policy(name: &str) -> Temporary {
    let step = |step: &str, at: u32| {
        format!("{{ name = \"{step}\", at = \"{at}h\", channel = [\"email\"], template = \"{step}\" }}")
    };
    let steps = [step("reminder", 1), step("follow_up", 24), step("last_call", 48)].join(", ");
    let text = format!(
        "[policy]\nname = \"three\"\n\n[[sequence]]\nname = \"standard\"\nsteps = [{steps}]\n\n[jurisdiction]\npacks = []\n\n\
         [quiet_hours]\nfrom = \"00:00\"\nto = \"00:00\"\n\n[holdout]\npercent = 0\n"
    );
    Temporary::with(&format!("{name}.toml"), &text)
}

/// Messages, and what the result says.
fn replayed(log: &Temporary, policy: &Temporary) -> (u64, Value) {
    let arguments = ["simulate", "--policy", policy.path(), "--against", policy.path(), "--log", log.path()];
    let (code, out, err) = comeback(&[&arguments[..], &["--json"]].concat());
    assert_eq!(code, Some(0), "{out}{err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    (told["b"]["replay"]["sends"].as_u64().unwrap(), told)
}

fn unknown(told: &Value) -> String {
    told["log"]["unknown"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t.as_str().unwrap())
        .collect::<Vec<_>>()
        .join("; ")
}

#[test]
fn whoever_said_no_is_not_written_to_after_it() {
    let policy = policy("no");
    let failed = |rule: &str, found: &str| json!([{ "rule": rule, "found": found, "passed": false }]);
    let told = |name: &str, rest: &[(i64, Value)]| replayed(&archive(name, rest), &policy).0;
    assert_eq!(told("yes.ndjson", &[]), 3, "nobody said no");

    let out = |found: &str| (24, decided("skip", &failed("opted_out", found)));
    let moved_out = (24, moved("recovering", "opted_out", "the person has opted out"));
    // At 8 in the morning of the next day, before the second step; the archive heard of it with that step.
    let at_eight = "opted out at 2026-01-06T08:00:00Z";
    assert_eq!(told("out.ndjson", &[out(at_eight), moved_out.clone()]), 1);
    assert_eq!(told("out-moved.ndjson", &[moved_out]), 1, "the decision is missing");
    let long_ago = out("opted out at 2025-03-01T00:00:00Z");
    assert_eq!(
        told("out-before.ndjson", &[long_ago]),
        0,
        "what was said long before the log is not forgotten"
    );

    let channel = decided("skip", &failed("email.opted_out", "opted out of this channel"));
    assert_eq!(told("channel.ndjson", &[(24, channel)]), 1);
    let refused = failed("email.consent", "refused at 2026-01-05T20:00:00Z under wording \"v1\"");
    assert_eq!(told("refused.ndjson", &[(24, decided("skip", &refused))]), 1);
    let pause = failed("paused", "paused until 2026-01-07T00:00:00Z");
    let log = archive("pause.ndjson", &[(20, decided("defer", &pause))]);
    let (_, waits) = replayed(&log, &policy);
    assert_eq!(waits["b"]["replay"]["deferred"]["the person asked for a pause"], 1, "{waits:#}");
    let ordered = failed("ordered", "an order was placed after the cart was begun");
    assert_eq!(told("ordered.ndjson", &[(24, decided("skip", &ordered))]), 1);
    // What a candidate in shadow was told of the person is as true.
    let summary = decided("skip", &failed("opted_out", at_eight))["record"].clone();
    let shadowed =
        json!({ "type": "shadowed", "key": "snd_a", "policy": "pol_b", "due": null, "record": summary });
    assert_eq!(told("shadowed.ndjson", &[(24, shadowed)]), 1);
    assert_eq!(told("forgotten.ndjson", &[(24, json!({ "type": "forgotten" }))]), 0, "left out");
}

#[test]
fn the_story_says_since_when_and_the_head_what_is_not_known() {
    let policy = policy("since");
    let checks =
        json!([{ "rule": "opted_out", "found": "opted out at 2026-01-06T08:00:00Z", "passed": false }]);
    let log = archive(
        "since.ndjson",
        &[(24, decided("skip", &checks)), (24, moved("recovering", "opted_out", "the person has opted out"))],
    );
    let arguments = ["simulate", "--policy", policy.path(), "--against", policy.path(), "--log", log.path()];
    let (_, story, _) = comeback(&[&arguments[..], &["--cart", "cart_a"]].concat());
    assert!(story.contains("- opted_out    opted out at 2026-01-06T08:00:00Z"), "{story}");
    let unknown = unknown(&replayed(&log, &policy).1);
    assert!(unknown.contains("a no, a pause or an order elsewhere that no decision met"), "{unknown}");
}

#[test]
fn who_only_looked_left_no_cart() {
    let policy = policy("looked");
    let rest = [
        (2, moved("recovering", "active", "a page was opened")),
        (3, left("browse", 0)),
        (3, moved("active", "abandoned", "a product was looked at for long, and the cart is empty")),
    ];
    let (sends, told) = replayed(&archive("looked.ndjson", &rest), &policy);
    assert_eq!(sends, 1, "the cart is empty by then");
    assert!(unknown(&told).contains("episodes of looking that are left out: 1"), "{}", unknown(&told));

    let only = [
        line("cart_b", 1, 0, &json!({ "type": "born" })),
        line("cart_b", 2, 0, &json!({ "type": "linked", "person": "per_a" })),
        line("cart_b", 3, 0, &left("browse", 0)),
        line(
            "cart_b",
            4,
            0,
            &moved("active", "abandoned", "a product was looked at for long, and the cart is empty"),
        ),
        line("cart_b", 5, 1, &decided("send", &json!([]))),
        line("cart_z", 1, 240, &json!({ "type": "born" })),
    ];
    let log = Temporary::with("only.ndjson", &only.join("\n"));
    let (sends, told) = replayed(&log, &policy);
    assert_eq!((sends, told["carts"].as_u64()), (0, Some(0)), "{told:#}");
}

#[test]
fn each_episode_has_the_value_it_was_left_with() {
    let policy = policy("values");
    let rest = [
        (2, moved("recovering", "active", "a page was opened")),
        (50, left("idle", 90)),
        (50, moved("active", "abandoned", "idle")),
    ];
    let log = archive("values.ndjson", &rest);
    let arguments = ["simulate", "--policy", policy.path(), "--against", policy.path(), "--log", log.path()];
    let (_, story, _) = comeback(&[&arguments[..], &["--cart", "cart_a"]].concat());
    assert!(story.contains("knew: cart.value 40,") && story.contains("knew: cart.value 90,"), "{story}");
    // No sequence was for it under the policy in force; under another there may be one.
    let lines = [
        line("cart_c", 1, 0, &json!({ "type": "born" })),
        line("cart_c", 2, 0, &json!({ "type": "linked", "person": "per_c" })),
        line("cart_c", 3, 0, &left("idle", 40)),
        line("cart_c", 4, 0, &moved("active", "exhausted", "abandoned; no sequence is for this cart")),
        line("cart_z", 1, 240, &json!({ "type": "born" })),
    ];
    let (_, told) = replayed(&Temporary::with("none-for-it.ndjson", &lines.join("\n")), &policy);
    assert_eq!(told["carts"], 1, "it was left all the same");
}
