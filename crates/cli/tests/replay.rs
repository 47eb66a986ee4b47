//! `comeback simulate` and `comeback explain --log` on files: what is read, what is reported, and what the
//! report holds.

#![allow(clippy::unwrap_used, reason = "a broken rig is a broken test: it should stop at once and say where")]

mod desk;

use serde_json::{Value, json};

use desk::{Temporary, comeback};

const OTTO: &str = "../../tests/vectors/otto/sessions.jsonl";
const ASSUMED: &str = "contact=email,consent=email,price=40";
/// Noon of a Monday, 2026-01-05.
const NOON: i64 = 1_767_614_400_000;
const HOUR: i64 = 3_600_000;

/// One cart of somebody who agreed to email, left at noon; nobody is in the holdout by this name or the
/// test that expects a message says so.
fn journal(cart: u32) -> Vec<String> {
    let line = |what: Value| json!({ "at": NOON, "what": what }).to_string();
    let person = format!("per_{cart}");
    let item = json!({ "item_id": "mug", "quantity": 1, "unit_price_minor": 4900, "title": "Mug", "trust": "signed" });
    vec![
        line(
            json!({ "contact": { "person": person, "channel": "email", "contact": "c", "verified": true, "source": "signed" } }),
        ),
        line(json!({ "consent": { "person": person, "consent":
            { "channel": "email", "granted": true, "wording": "v1", "at": NOON, "source": "signed" } } })),
        line(
            json!({ "capture": { "cart": format!("cart_{cart}"), "person": person, "currency": "EUR", "zone": "UTC", "signals":
            [{ "id": format!("evt_{cart}"), "at": NOON, "kind": { "cart": { "currency": "EUR", "change": { "add": [item] } } } }] } }),
        ),
    ]
}

fn header(hours: i64) -> String {
    json!({ "journal": "comeback", "version": 1, "shop": "shop_a", "from": NOON, "to": NOON + hours * HOUR, "source": "a test" }).to_string()
}

fn policy(name: &str, hours: u32) -> Temporary {
    let text = format!(
        "[policy]\nname = \"{name}\"\n\n[[sequence]]\nname = \"standard\"\nsteps = [{{ name = \"reminder\", at = \"{hours}h\", channel = [\"email\"], \
         template = \"reminder\" }}]\n\n[quiet_hours]\nfrom = \"00:00\"\nto = \"00:00\"\n\n[holdout]\npercent = 0\n"
    );
    Temporary::with(&format!("{name}.toml"), &text)
}

#[test]
fn two_policies_over_a_journal() {
    let (early, late) = (policy("early_one", 1), policy("late_one", 5));
    let mut lines = vec![header(48)];
    lines.extend((1..=3).flat_map(journal));
    let log = Temporary::with("month.ndjson", &lines.join("\n"));
    let page = Temporary::with("report.html", "");
    let arguments = [
        "simulate",
        "--policy",
        early.path(),
        "--against",
        late.path(),
        "--log",
        log.path(),
        "--cost",
        "email=0.5",
        "--html",
        page.path(),
        "--json",
    ];
    let (code, out, err) = comeback(&arguments);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        told["difference"]["all"],
        json!({ "same": 0, "moved": 3, "reworded": 0, "added": 0, "removed": 0 })
    );
    assert_eq!(told["a"]["total_cost"], 1.5);
    assert_eq!(told["events"], 9);
    assert_eq!(told["a"]["replay"]["by_hour"][13], 3, "idle 15 minutes, then an hour");
    assert_eq!(told["b"]["replay"]["by_hour"][17], 3);
    assert_eq!(told["broken"]["lines"], 0);

    let html = std::fs::read_to_string(page.path()).unwrap();
    assert!(html.contains("early_one") && html.contains("late_one") && html.contains("<svg"));
    for outside in ["<script", "http://", "https://", "src=", "@import", "url("] {
        assert!(!html.contains(outside), "the report needs nothing else, but has {outside}");
    }

    let (code, out, _) = comeback(&[
        "simulate",
        "--policy",
        early.path(),
        "--against",
        late.path(),
        "--log",
        log.path(),
        "--cart",
        "cart_2",
    ]);
    assert_eq!(code, Some(0));
    let [a, b] = out.split("B: under").collect::<Vec<_>>().try_into().unwrap();
    assert!(
        a.contains("2026-01-05T13:15:00Z  decided on") && b.contains("2026-01-05T17:15:00Z  decided on"),
        "{out}"
    );
    let (code, _, err) = comeback(&[
        "simulate",
        "--policy",
        early.path(),
        "--against",
        late.path(),
        "--log",
        log.path(),
        "--cart",
        "cart_9",
    ]);
    assert_eq!(code, Some(1), "{err}");
}

/// The same policy in other words.
fn worded(policy: &Temporary, template: &str) -> Temporary {
    let text = std::fs::read_to_string(policy.path()).unwrap();
    let other = text.replace("template = \"reminder\"", &format!("template = \"{template}\""));
    assert_ne!(text, other);
    Temporary::with(&format!("worded-{template}.toml"), &other)
}

#[test]
fn the_same_message_in_other_words_is_a_difference() {
    let one = policy("words", 1);
    let other = worded(&one, "help");
    let lines: Vec<String> = std::iter::once(header(48)).chain((1..=2).flat_map(journal)).collect();
    let log = Temporary::with("words.ndjson", &lines.join("\n"));
    let page = Temporary::with("words.html", "");
    let arguments = ["simulate", "--policy", one.path(), "--against", other.path(), "--log", log.path()];
    let with = |more: &[&str]| comeback(&[&arguments[..], more].concat()).1;
    let told: Value = serde_json::from_str(&with(&["--json", "--html", page.path()])).unwrap();
    let all = json!({ "same": 0, "moved": 0, "reworded": 2, "added": 0, "removed": 0 });
    for table in ["all", "by_channel", "by_step", "by_segment"] {
        let found = &told["difference"][table];
        let found = if table == "all" { found } else { found.as_object().unwrap().values().next().unwrap() };
        assert_eq!(found, &all, "{table}");
    }
    assert_eq!(told["difference"]["listed"][0]["changes"][0]["kind"], "reworded");
    let html = std::fs::read_to_string(page.path()).unwrap();
    assert!(html.contains("2 reworded") && html.contains("reminder -&gt; help"), "the report says so");
    let text = with(&[]);
    assert!(text.lines().any(|l| l.split_whitespace().eq(["all", "0", "0", "2", "0", "0"])), "{text}");
    assert!(text.contains("~ standard / reminder reminder -> help"), "{text}");
    let story = with(&["--cart", "cart_1"]);
    assert!(story.contains("template reminder") && story.contains("template help"), "{story}");
}

#[test]
fn amounts_have_the_places_of_their_currency() {
    let (early, late) = (policy("yen_early", 1), policy("yen_late", 5));
    let lines: Vec<String> = std::iter::once(header(48)).chain(journal(1)).collect();
    let log = Temporary::with("yen.ndjson", &lines.join("\n").replace("EUR", "JPY"));
    let page = Temporary::with("yen.html", "");
    let arguments = ["simulate", "--policy", early.path(), "--against", late.path(), "--log", log.path()];
    let (_, out, _) = comeback(&[&arguments[..], &["--html", page.path(), "--json"]].concat());
    let told: Value = serde_json::from_str(&out).unwrap();
    let cart = &told["difference"]["listed"][0];
    assert_eq!((&cart["value_minor"], &cart["currency"]), (&json!(4900), &json!("JPY")));
    let html = std::fs::read_to_string(page.path()).unwrap();
    assert!(html.contains("<td>4900 JPY</td>") && !html.contains("49.00"), "the report says so");

    let yen = "contact=email,consent=email,price=4000,currency=JPY";
    let otto = ["simulate", "--policy", "classic", "--against", "early", "--log", OTTO, "--assume", yen];
    let (_, out, _) = comeback(&otto);
    assert!(out.contains("an article costs 4000 JPY;"), "{out}");
}

#[test]
fn broken_lines_are_named_by_number_and_the_rest_is_told() {
    let policy = policy("broken_log", 1);
    let mut lines = vec![header(48)];
    lines.extend(journal(1));
    lines.insert(2, "{\"at\":1,\"what\":{\"secret\":{}}}".to_owned());
    lines.insert(4, "not JSON at all".to_owned());
    let log = Temporary::with("broken.ndjson", &lines.join("\n"));
    let arguments = ["simulate", "--policy", policy.path(), "--against", policy.path(), "--log", log.path()];
    let (code, out, _) = comeback(&arguments);
    assert_eq!(code, Some(0), "the rest is processed");
    assert!(out.contains("left out   2 lines (line 3: ") && out.contains("line 5: "), "{out}");
    assert!(!out.contains("secret"), "places, not contents");
    assert!(!out.contains("-0.00"), "costs of nothing are nothing: {out}");
    assert!(out.lines().any(|l| l.split_whitespace().eq(["all", "1", "0", "0", "0", "0"])), "{out}");
    let one = comeback(&["explain", "cart_1", "--log", log.path(), "--policy", policy.path()]);
    assert!(one.2.contains("left out 2 lines (line 3: "), "a story says so too: {}", one.2);
    let strict: Vec<&str> = arguments.iter().copied().chain(["--strict"]).collect();
    let (code, _, err) = comeback(&strict);
    assert_eq!(code, Some(1));
    assert!(err.contains("--strict"), "a failure says why: {err}");

    let newer = Temporary::with("newer.ndjson", &header(1).replace("\"version\":1", "\"version\":9"));
    let (code, _, err) =
        comeback(&["simulate", "--policy", "classic", "--against", "early", "--log", newer.path()]);
    assert_eq!(code, Some(1));
    assert!(err.contains("version 9"), "{err}");
}

/// What a replay of a log under one policy tells, as JSON.
fn told_of(log: &Temporary, policy: &Temporary, assume: &[&str]) -> Value {
    let arguments = ["simulate", "--policy", policy.path(), "--against", policy.path(), "--log", log.path()];
    let (code, out, err) = comeback(&[&arguments[..], &["--json"], assume].concat());
    assert_eq!(code, Some(0), "{out}{err}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn a_log_that_begins_badly_is_read_from_where_it_is_one() {
    let policy = policy("torn", 1);
    let lines: Vec<String> = std::iter::once(header(48)).chain(journal(1)).collect();
    let whole = lines.join("\n");
    let archive = archive();
    let otto = std::fs::read_to_string(OTTO).unwrap();
    let assume = ["--assume", ASSUMED];
    for (name, text, assume) in [("j", &whole, &[][..]), ("a", &archive, &[]), ("o", &otto, &assume[..])] {
        let told = |name: String, text: &str| told_of(&Temporary::with(&name, text), &policy, assume);
        let fine = told(format!("fine-{name}.jsonl"), text);
        let marked = told(format!("marked-{name}.jsonl"), &format!("\u{feff}{text}"));
        assert_eq!((&marked["events"], &marked["broken"]["lines"]), (&fine["events"], &json!(0)), "{name}");
        let torn = told(format!("torn-{name}.jsonl"), &format!("{{\"shop\":\"shop_de\n{text}"));
        assert_eq!((&torn["events"], &torn["broken"]["lines"]), (&fine["events"], &json!(1)), "{name}");
        assert_eq!(torn["broken"]["first"][0][0], 1, "{name}: by its number");
    }
    let upside_down = Temporary::with("upside-down.jsonl", &header(-48));
    let arguments = ["simulate", "--policy", "classic", "--against", "early", "--log", upside_down.path()];
    let (code, _, err) = comeback(&arguments);
    assert!(code == Some(1) && err.contains(":1: the span of the header ends before it begins"), "{err}");
    let headless = Temporary::with("headless.jsonl", &lines[1..].join("\n"));
    let arguments = ["simulate", "--policy", policy.path(), "--against", "early", "--log", headless.path()];
    let (code, _, err) = comeback(&arguments);
    assert!(code == Some(1) && err.contains("a journal without its header"), "{err}");
}

#[test]
fn an_event_outside_the_headers_span_is_a_broken_line() {
    let policy = policy("span", 1);
    let mut lines: Vec<String> = std::iter::once(header(48)).chain(journal(1)).collect();
    let fine = told_of(&Temporary::with("inside.ndjson", &lines.join("\n")), &policy, &[]);
    let at = |at: i64| json!({ "at": at, "what": { "stop": { "stopped": true } } }).to_string();
    // Microseconds, and a clock that stands at its beginning.
    lines.push(at(NOON * 1_000));
    lines.insert(1, at(0));
    let told = told_of(&Temporary::with("outside.ndjson", &lines.join("\n")), &policy, &[]);
    assert_eq!(told["broken"]["lines"], 2, "{}", told["broken"]);
    assert_eq!(told["broken"]["first"][0][0], 2);
    assert_eq!(told["broken"]["first"][1][0], lines.len());
    assert_eq!(told["b"]["replay"], fine["b"]["replay"]);
}

#[test]
fn what_came_too_late_is_named_by_its_lines() {
    let policy = policy("late", 1);
    let stop = |minute: i64| {
        json!({ "at": NOON + minute * 60_000, "what": { "stop": { "stopped": false } } }).to_string()
    };
    let mut lines: Vec<String> = std::iter::once(header(48)).chain(journal(1)).collect();
    lines.extend([stop(60), stop(120), stop(7), stop(180), stop(8)]);
    let log = Temporary::with("late.ndjson", &lines.join("\n"));
    let told = told_of(&log, &policy, &[]);
    assert_eq!((&told["broken"]["late"], &told["broken"]["late_lines"]), (&json!(2), &json!([7, 9])));
    let arguments = ["simulate", "--policy", policy.path(), "--against", "early", "--log", log.path()];
    let (_, out, _) = comeback(&arguments);
    assert!(out.contains("late       2 events (lines 7, 9), taken when they came"), "{out}");
}

#[test]
fn what_cannot_be_a_log_is_named() {
    let arguments = |log: &str| {
        let base =
            ["simulate", "--policy", "classic", "--against", "early", "--assume", ASSUMED, "--log", log];
        let (code, out, err) = comeback(&base);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        err
    };
    assert!(arguments("tests").contains("tests: "), "a folder is named");
    let empty = Temporary::with("sessions.jsonl", "{\"session\":1,\"events\":[]}\n");
    assert!(arguments(empty.path()).contains("nothing happens in any of its sessions"));
    let nothing = Temporary::with("nothing.jsonl", "");
    assert!(arguments(nothing.path()).contains("not a log"));
}

#[test]
fn lines_a_little_out_of_order_change_nothing() {
    let policy = policy("order", 1);
    let told = |lines: Vec<String>, name: &str| {
        let log = Temporary::with(name, &lines.join("\n"));
        let (_, out, _) = comeback(&[
            "simulate",
            "--policy",
            policy.path(),
            "--against",
            "early",
            "--log",
            log.path(),
            "--json",
        ]);
        let mut told: Value = serde_json::from_str(&out).unwrap();
        told["log"]["file"] = Value::Null;
        told["peak_rss_kb"] = Value::Null;
        told
    };
    let back = |n: i64| {
        json!({ "at": NOON + n, "what": { "opt_out": { "person": "per_1", "channel": null } } }).to_string()
    };
    let mut straight = vec![header(48)];
    straight.extend(journal(1));
    let mut mixed = straight.clone();
    straight.push(back(60_000));
    straight.push(back(300_000));
    mixed.push(back(300_000));
    mixed.push(back(60_000));
    assert_eq!(told(straight, "straight.ndjson"), told(mixed, "mixed.ndjson"));
}

#[test]
fn ottos_sessions_need_assumptions_and_say_them() {
    let base = ["simulate", "--policy", "classic", "--against", "early", "--log", OTTO];
    let (code, _, err) = comeback(&base);
    assert_eq!(code, Some(2));
    assert!(err.contains("no contact and no consent and no price"), "{err}");
    let assumed: Vec<&str> = base.iter().copied().chain(["--assume", ASSUMED]).collect();
    let (code, out, _) = comeback(&assumed);
    assert_eq!(code, Some(0));
    let said = out.lines().find(|l| l.starts_with("ASSUMED")).unwrap();
    assert!(said.contains("everybody agreed to email") && said.contains("40.00 EUR"), "{said}");
    assert!(out.contains("CC BY 4.0"));
    let unknown = |out: &str| out.lines().find(|l| l.starts_with("not known")).unwrap().to_owned();
    assert!(unknown(&out).contains("every pack of a policy applies"), "{out}");
    let firm = "contact=email,consent=email:confirmed,price=40,country=DE";
    let (_, out, _) = comeback(&[&base[..], &["--assume", firm]].concat());
    assert!(out.contains("everybody agreed to email (confirmed from the address itself);"), "{out}");
    assert!(out.contains("everybody is in DE") && !unknown(&out).contains("every pack"), "{out}");
}

#[test]
fn a_yes_that_is_too_weak_is_no_missing_yes() {
    let policy = policy("firm", 1);
    let text = std::fs::read_to_string(policy.path()).unwrap();
    let firm = Temporary::with("firmer.toml", &format!("{text}\n[consent]\nemail = \"confirmed\"\n"));
    let log = Temporary::with("otto.jsonl", &std::fs::read_to_string(OTTO).unwrap());
    let sides = |consent: &str| {
        let assume = format!("contact=email,consent={consent},price=40,country=DE");
        let told = told_of(&log, &firm, &["--assume", &assume])["b"]["replay"].clone();
        (told["sends"].as_u64().unwrap(), told["skipped"].clone())
    };
    let (sends, skipped) = sides("email");
    assert_eq!(sends, 0);
    assert!(
        skipped["the person's yes rests on less than the policy asks for"].as_u64() > Some(0),
        "{skipped}"
    );
    assert_eq!(skipped.as_object().unwrap().len(), 1, "and for no other reason: {skipped}");
    let (_, skipped) = sides("none");
    let never = "the person has not agreed to be written to on any channel of this step";
    assert!(skipped[never].as_u64() > Some(0), "{skipped}");
    assert!(sides("email:confirmed").0 > 0);
}

/// The stories of explain's own tests as an archive holds them.
fn archive() -> String {
    let mut lines = vec![];
    for story in [include_str!("fixtures/recovered.json"), include_str!("fixtures/no_consent.json")] {
        let story: Value = serde_json::from_str(story).unwrap();
        for numbered in story["log"].as_array().unwrap() {
            lines.push(
                json!({ "shop": "shop_demo", "cart": story["state"]["id"], "seq": numbered["seq"], "entry": numbered["entry"] })
                    .to_string(),
            );
        }
    }
    // A queue delivers again, and in any order.
    lines.push(lines[0].clone());
    lines.reverse();
    lines.join("\n")
}

#[test]
fn a_story_is_told_from_an_archive_by_cart_send_and_decision() {
    let log = Temporary::with("archive.ndjson", &archive());
    let tell = |subject: &str| comeback(&["explain", subject, "--log", log.path()]);
    let (code, whole, _) = tell("cart_9b4d7e3e286f5111261b9a");
    assert_eq!(code, Some(0));
    assert!(whole.contains("ordered -> recovered: a paid order after a click on our link"), "{whole}");
    let send = "snd_v3w599vxh7xaex311ryf604yz0";
    let (_, one, _) = tell(send);
    assert!(one.contains("NOT YET") && one.contains("SEND") && !one.contains("`incentive`"), "{one}");
    let (_, decision, _) = tell(&format!("{send}@2026-06-02T20:15:00Z"));
    assert!(decision.contains("NOT YET, it is a quiet hour") && !decision.contains("SEND"), "{decision}");
    assert!(decision.contains(&format!("this decision: {send}@2026-06-02T20:15:00Z")), "{decision}");
    assert_eq!(tell(&format!("{send}@2020-01-01T00:00:00Z")).0, Some(1));
    assert_eq!(tell("snd_nobody").0, Some(1));
    assert_eq!(tell("cart_nobody").0, Some(1));

    let cut = Temporary::with("cut.ndjson", &format!("{}\n{{\"shop\":\"shop_de", archive()));
    let (code, told, err) = comeback(&["explain", "cart_9b4d7e3e286f5111261b9a", "--log", cut.path()]);
    assert_eq!((code, told), (Some(0), whole), "the rest is told");
    let line = format!("left out 1 line (line {}: ", archive().lines().count() + 1);
    assert!(err.contains(&line), "{err}");

    let torn = Temporary::with("torn.ndjson", &format!("op_demo\",\"cart\":1}}\n{}", archive()));
    let (code, told, err) = comeback(&["explain", "cart_9b4d7e3e286f5111261b9a", "--log", torn.path()]);
    assert!(code == Some(0) && told.contains("ordered -> recovered"), "a torn first line: {told}{err}");
    assert!(err.contains("left out 1 line (line 1: "), "{err}");
    let none = Temporary::with("none.ndjson", "not a log\nat all\n");
    let (code, _, err) = comeback(&["explain", "cart_1", "--log", none.path()]);
    assert!(code == Some(1) && err.contains("none of its first lines is an entry or an event"), "{err}");
}

#[test]
fn an_archive_is_replayed_as_far_as_it_can_be() {
    let log = Temporary::with("replayed.ndjson", &archive());
    let (code, out, _) =
        comeback(&["simulate", "--policy", "classic", "--against", "early", "--log", log.path()]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("log        archive of shop_demo"), "{out}");
    assert!(out.contains("ASSUMED    a cart is one article at its value when it was left"), "{out}");
    assert!(out.contains("not known  articles, classes and visits"), "{out}");
    assert!(out.contains(", 2 carts"), "{out}");
}

#[test]
fn a_story_in_a_journal_is_told_under_a_policy() {
    let policy = policy("told", 1);
    let lines: Vec<String> = std::iter::once(header(48)).chain(journal(1)).collect();
    let log = Temporary::with("told.ndjson", &lines.join("\n"));
    assert_eq!(comeback(&["explain", "cart_1", "--log", log.path()]).0, Some(2), "under which policy?");
    let (code, out, _) = comeback(&["explain", "cart_1", "--log", log.path(), "--policy", policy.path()]);
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "cart_1, as its log tells");
    for expected in [
        "knew: cart.value 49, cart.items 1",
        "message: email, template reminder",
        "offer: none",
        "consent: email, given at 2026-01-05T12:00:00Z under wording \"v1\"; the shop's server reported it, signed",
        "events: evt_1",
    ] {
        assert!(lines.iter().any(|l| l.trim().starts_with(expected)), "{expected}\n{out}");
    }
}
