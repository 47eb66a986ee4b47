//! Policies with experiments on their steps: nobody is wronged by an arm, and nothing is taken for a wrong that is only
//! an arm.

use comeback_sim::run::run;
use comeback_sim::world::Setup;

/// Three messages, the second of which is tried in two ways.
fn three_messages(arm: &str) -> String {
    format!(
        r#"
[policy]
name = "tried"

[[offer]]
name = "five"
kind = "percent"
percent = 5
valid_for = "48h"

[[offer]]
name = "six"
kind = "percent"
percent = 6
valid_for = "48h"

[[learner]]
name = "which"
arms = ["none", "five", "six"]

[[sequence]]
name = "left"
steps = [
  {{ name = "one", at = "1h", channel = ["email"], template = "reminder" }},
  {{ name = "two", at = "24h", channel = ["email"], template = "incentive", offer = "five" }},
  {{ name = "three", at = "48h", channel = ["email", "sms"], template = "reminder" }},
]

[[experiment]]
name = "second"
hypothesis = "It matters how the second message goes."
sequence = "left"
step = "two"
arms = [{{ name = "control" }}, {{ name = "other", {arm} }}]

[[experiment]]
name = "first"
hypothesis = "It matters when the first message goes."
sequence = "left"
step = "one"
arms = [{{ name = "control" }}, {{ name = "later", at = "5h", weight = 2 }}, {{ name = "sooner", at = "30m" }}]
"#
    )
}

#[test]
fn arms_of_every_kind_are_clean() {
    let arms = [
        "silent = true",
        r#"at = "6h""#,
        r#"at = "40h""#,
        r#"offer = "six""#,
        r#"offer = "none""#,
        r#"offer = "which""#,
        r#"channel = ["push", "sms"], template = "reminder""#,
        r#"template = "follow_up", at = "30h", offer = "none""#,
    ];
    for arm in arms {
        let policy = comeback_policy::parse("tried", &three_messages(arm)).unwrap().0;
        for seed in [5, 6] {
            let report = run(seed, 3_000, &Setup::of(policy.clone()));
            let told: Vec<&str> = report.told.iter().map(|(_, b)| b.what.as_str()).collect();
            assert!(report.is_clean(), "{arm}, seed {seed}: {told:#?}");
            assert!(report.sends > 1_000, "{arm}: {} sends", report.sends);
        }
    }
}
