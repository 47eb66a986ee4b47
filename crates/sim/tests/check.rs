//! The check itself: clean over seeds and policies, and able to fail.

use comeback_core::policy::Policy;
use comeback_sim::run::{Report, run};
use comeback_sim::world::Setup;

fn preset(name: &str) -> Policy {
    let (_, text) = comeback_policy::presets().iter().find(|(n, _)| *n == name).unwrap();
    comeback_policy::parse(name, text).unwrap().0
}

fn setup(policy: Policy) -> Setup {
    Setup { policy, broken: None, foul: true, journal: false }
}

fn told(report: &Report) -> String {
    report.told.iter().map(|(found, b)| format!("{found:?} {:?} {}: {}\n", b.kind, b.at, b.what)).collect()
}

#[test]
fn nobody_is_wronged() {
    for policy in ["classic", "early"] {
        for seed in [1, 2, 3] {
            let report = run(seed, 5_000, &setup(preset(policy)));
            println!("{policy} {seed}: {:?}", Report { told: vec![], ..report.clone() });
            assert!(report.is_clean(), "{policy}, seed {seed}:\n{}", told(&report));
            assert_eq!(report.carts, 5_000);
            assert!(report.sends > 500, "{} sends", report.sends);
        }
    }
}
