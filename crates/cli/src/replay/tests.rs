//! A journal in parts tells the same as in one piece: random journals of the simulator, with lines out
//! of order, lines that are broken and a shop that is stopped for a while.

use std::path::PathBuf;

use comeback_core::time::{HOUR, MINUTE};
use comeback_sim::journal::{Header, write_line};
use comeback_sim::random::Random;
use comeback_sim::run;
use comeback_sim::world::{Setup, shop};
use serde_json::Value;

use super::*;

struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn journal(seed: u64) -> Temporary {
    let setup = Setup { days: 25, ..Setup::of(policy::load("multichannel").unwrap()) };
    let mut events = run::journal(seed, 0, 150, &setup);
    events.sort_by_key(|e| e.at);
    let (from, to) = (events[0].at, events[events.len() - 1].at);
    let mut random = Random::of(seed, &[77]);
    for n in 0..6 {
        let at = from.plus(i64::from(n) * 90 * HOUR);
        events.push(Event { at, what: Input::Stop { stopped: n % 2 == 0 } });
    }
    // Most lines are where they belong, some a few minutes off, a few come far too late.
    let mut lines: Vec<(Timestamp, String)> = vec![];
    for event in events {
        let off = match random.below(20) {
            0..=3 => i64::try_from(random.below(9)).unwrap() * MINUTE,
            4 => i64::try_from(random.below(400)).unwrap() * HOUR,
            _ => 0,
        };
        lines.push((event.at.plus(off), write_line(&event).unwrap()));
    }
    lines.sort_by_key(|(at, _)| *at);
    // The head may say less than the lines: what comes after its end is left out.
    let head = Header::new(shop(), from, to.plus(-100 * HOUR), "a test");
    let mut text = write_line(&head).unwrap();
    for (n, (_, line)) in lines.iter().enumerate() {
        text.push('\n');
        text.push_str(if n % 97 == 50 { "{\"at\":" } else { line });
    }
    let name = format!("comeback-parts-{}-{seed}.jsonl", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).unwrap();
    Temporary(path)
}

fn open(log: &Temporary, parts: u64) -> Source {
    let bytes = std::fs::metadata(&log.0).unwrap().len();
    let source = Source::open_in_parts(log.0.to_str().unwrap(), None, bytes.div_ceil(parts)).unwrap();
    assert_eq!(source.parts(), usize::try_from(parts).unwrap());
    source
}

fn compared(log: &Temporary, parts: u64) -> Value {
    let [a, b] = ["classic", "multichannel"].map(|name| policy::load(name).unwrap());
    let rates = rates(Some("email=0.001,sms=0.07")).unwrap();
    let outcome = compare(a, b, open(log, parts), rates).unwrap();
    let mut told = report::json(&outcome);
    for volatile in ["peak_rss_kb", "parts"] {
        assert!(told[volatile].is_number(), "{volatile}");
        told[volatile] = Value::Null;
    }
    told
}

#[test]
fn a_journal_in_parts_is_compared_as_in_one_piece() {
    for seed in 1..=6 {
        let log = journal(seed);
        let whole = compared(&log, 1);
        assert!(whole["difference"]["all"]["added"].as_u64() > Some(20), "something is sent: {whole:#}");
        assert!(whole["broken"]["late"].as_u64() > Some(0) && whole["broken"]["lines"].as_u64() > Some(5));
        for parts in [2, 7, 60] {
            assert_eq!(compared(&log, parts), whole, "seed {seed} in {parts} parts");
        }
    }
}

#[test]
fn every_line_of_every_story_is_the_same_in_parts() {
    let policy = policy::load("multichannel").unwrap();
    for seed in 11..=14 {
        let log = journal(seed);
        let of = |parts| stories([&policy], open(&log, parts), |_, _| true).unwrap();
        let ([whole], broken) = of(1);
        assert!(whole.len() > 100, "{}", whole.len());
        for parts in [3, 40] {
            let ([divided], also) = of(parts);
            assert_eq!(serde_json::to_value(&also).unwrap(), serde_json::to_value(&broken).unwrap());
            assert!(whole.keys().eq(divided.keys()));
            for (cart, story) in &whole {
                assert_eq!(divided.get(cart), Some(story), "seed {seed} in {parts} parts: {cart}");
            }
        }
    }
}
