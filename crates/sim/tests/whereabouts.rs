//! Shoppers of whom only a part is known, under policies that fill the gap in one way or another.

use comeback_sim::run::run;
use comeback_sim::world::Setup;

fn policy(rest: &str) -> String {
    format!(
        r#"
[policy]
name = "somewhere"

[[sequence]]
name = "left"
steps = [
  {{ name = "one", at = "1h", channel = ["email"], template = "reminder" }},
  {{ name = "two", at = "24h", channel = ["sms"], template = "sms_follow_up" }},
  {{ name = "three", at = "48h", channel = ["push", "email"], template = "last_call" }},
]
{rest}
"#
    )
}

#[test]
fn whatever_is_known_of_where_they_are_nobody_is_wronged() {
    let rests = [
        "",
        // A shop of one country, of many zones.
        "[jurisdiction]\ndefault_country = \"US\"\n",
        // So long a night that there is no day everywhere at once.
        "[quiet_hours]\nfrom = \"20:00\"\nto = \"11:00\"\ndefault_zone = \"Asia/Tokyo\"\n",
        "[jurisdiction]\npacks = []\n[quiet_hours]\nfrom = \"22:00\"\nto = \"08:00\"\n",
    ];
    for rest in rests {
        let policy = comeback_policy::parse("somewhere", &policy(rest)).unwrap().0;
        for seed in [5, 6] {
            let report = run(seed, 3_000, &Setup::of(policy.clone()));
            let told: Vec<&str> = report.told.iter().map(|(_, b)| b.what.as_str()).collect();
            assert!(report.is_clean(), "{rest}, seed {seed}: {told:#?}");
            assert!(report.sends > 1_000, "{rest}: {} sends", report.sends);
        }
    }
}
