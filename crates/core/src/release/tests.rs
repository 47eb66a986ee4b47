//! Versions over time: what is in force, what is touched, what is kept.

use super::*;

fn at(hour: i64) -> Timestamp {
    Timestamp::from_millis(hour * crate::time::HOUR)
}

/// Versions `pol_aaaa1`, `pol_bbbb2`, `pol_cccc3`, pushed at 1; the first activated at 2.
fn shop() -> Releases {
    let mut shop = Releases::default();
    for version in ["pol_aaaa1", "pol_bbbb2", "pol_cccc3"] {
        assert!(shop.push(at(1), version, "mine", "ada"));
    }
    shop.activate(at(2), "pol_aaaa1", 100, None, "ada").unwrap();
    shop
}

fn live(shop: &Releases) -> &str {
    &shop.live.as_ref().unwrap().version
}

#[test]
fn a_version_is_pushed_once_and_found_by_its_beginning() {
    let mut shop = shop();
    assert!(!shop.push(at(9), "pol_aaaa1", "mine", "eve"));
    assert_eq!(shop.find("pol_bbbb").unwrap().version, "pol_bbbb2");
    assert_eq!(shop.find("pol_b"), Err(ReleaseError::Unknown("pol_b".to_owned())));
    shop.push(at(9), "pol_bbbb9", "mine", "ada");
    assert_eq!(shop.find("pol_bbbb"), Err(ReleaseError::Ambiguous("pol_bbbb".to_owned())));
    assert_eq!(shop.find("pol_bbbb9").unwrap().pushed_at, at(9));
}

#[test]
fn a_shadow_is_another_version_and_ends_with_its_activation() {
    let mut shop = shop();
    assert_eq!(shop.shadow(at(3), Some("pol_aaaa1"), "ada"), Err(ReleaseError::InForce));
    shop.shadow(at(3), Some("pol_bbbb2"), "ada").unwrap();
    assert_eq!(shop.in_force().shadow.as_deref(), Some("pol_bbbb2"));
    shop.activate(at(4), "pol_bbbb2", 100, None, "ada").unwrap();
    assert_eq!((live(&shop), shop.shadow.as_deref()), ("pol_bbbb2", None));
}

#[test]
fn what_was_left_before_an_activation_goes_on_as_it_began() {
    let mut shop = shop();
    shop.activate(at(5), "pol_bbbb2", 100, None, "ada").unwrap();
    let force = shop.in_force();
    let (version, activation) = force.version_for(at(9), "pol_aaaa1", "");
    assert_eq!((version, activation.unwrap().at), ("pol_aaaa1", Timestamp::default()));
    let (version, activation) = force.version_for(at(9), "pol_bbbb2", "");
    assert_eq!((version, activation.unwrap().at), ("pol_bbbb2", at(5)));
    // Of a cart from before versions were noted only its time is known.
    assert_eq!(force.version_for(at(9), "", "").1.unwrap().at, at(5));
}

#[test]
fn a_rollback_ends_what_was_left_under_the_withdrawn_version_and_nothing_else() {
    let mut shop = shop();
    shop.activate(at(5), "pol_bbbb2", 100, None, "ada").unwrap();
    shop.roll_back(at(7), "ada").unwrap();
    let force = shop.in_force();
    let (version, activation) = force.version_for(at(9), "pol_bbbb2", "");
    assert_eq!((version, activation.unwrap().at), ("pol_aaaa1", at(9)), "older than now: not touched");
    let (version, activation) = force.version_for(at(9), "pol_aaaa1", "");
    assert_eq!(
        (version, activation.unwrap().at),
        ("pol_aaaa1", at(0)),
        "the first: left under it at any time"
    );
    assert_eq!(shop.roll_back(at(8), "ada"), Err(ReleaseError::NothingBefore));
    assert_eq!(live(&shop), "pol_aaaa1");

    // Activated again, it begins anew.
    shop.activate(at(10), "pol_bbbb2", 100, None, "ada").unwrap();
    let force = shop.in_force();
    assert_eq!(force.version_for(at(11), "pol_bbbb2", "").1.unwrap().at, at(10));
    assert!(force.withdrawn.is_empty());
}

#[test]
fn going_back_twice_goes_back_twice() {
    let mut shop = shop();
    shop.activate(at(3), "pol_bbbb2", 100, None, "ada").unwrap();
    shop.activate(at(4), "pol_cccc3", 100, None, "ada").unwrap();
    shop.roll_back(at(5), "ada").unwrap();
    assert_eq!(live(&shop), "pol_bbbb2");
    shop.roll_back(at(6), "ada").unwrap();
    assert_eq!(live(&shop), "pol_aaaa1");
    assert_eq!(shop.in_force().withdrawn, ["pol_bbbb2", "pol_cccc3"]);
}

#[test]
fn activating_twice_changes_bounds_only() {
    let mut shop = shop();
    shop.activate(at(5), "pol_bbbb2", 10, Some(50), "ada").unwrap();
    let changes = shop.changes.len();
    shop.activate(at(6), "pol_bbbb2", 10, Some(50), "ada").unwrap();
    assert_eq!(shop.changes.len(), changes);
    shop.activate(at(7), "pol_bbbb2", 100, None, "ada").unwrap();
    assert_eq!(shop.live.as_ref().unwrap().at, at(5));
    assert_eq!(shop.before.len(), 1);
    shop.roll_back(at(8), "ada").unwrap();
    assert_eq!(live(&shop), "pol_aaaa1");
}

#[test]
fn a_rollout_to_some_leaves_the_others_where_they_were() {
    let mut shop = shop();
    shop.activate(at(5), "pol_bbbb2", 25, None, "ada").unwrap();
    let trial = shop.trial().unwrap();
    assert_eq!(trial.before, "pol_aaaa1");
    let reached = |percent: u8, n: u32| {
        Trial { percent, before: String::new() }.reaches("shop_a", "pol_bbbb2", &format!("per_{n}"))
    };
    let share = (0..4_000).filter(|n| reached(25, *n)).count();
    assert!((900..1_100).contains(&share), "{share}");
    assert!((0..4_000).all(|n| !reached(25, n) || reached(50, n)), "raising it keeps those who were in");
    shop.activate(at(6), "pol_bbbb2", 100, None, "ada").unwrap();
    assert_eq!(shop.trial(), None);
}

#[test]
fn a_rollout_that_another_takes_the_place_of_reaches_nobody_more() {
    for percent in [10, 100] {
        let mut shop = shop();
        shop.activate(at(5), "pol_bbbb2", 10, None, "ada").unwrap();
        shop.activate(at(6), "pol_cccc3", percent, None, "ada").unwrap();
        assert_eq!(shop.trial().map(|t| t.before), (percent < 100).then(|| "pol_aaaa1".to_owned()));
        shop.roll_back(at(7), "ada").unwrap();
        assert_eq!((live(&shop), shop.live.as_ref().unwrap().percent), ("pol_aaaa1", 100));
        assert_eq!(shop.in_force().withdrawn, ["pol_cccc3"], "what was left under the first goes on");
    }
    // Ended by the version that the others followed.
    let mut shop = shop();
    shop.activate(at(5), "pol_bbbb2", 10, None, "ada").unwrap();
    shop.activate(at(6), "pol_aaaa1", 100, None, "ada").unwrap();
    assert_eq!((live(&shop), shop.trial()), ("pol_aaaa1", None));
    let before = shop.clone();
    assert_eq!(shop.roll_back(at(7), "ada"), Err(ReleaseError::NothingBefore));
    assert_eq!(shop.activate(at(7), "pol_aaaa1", 50, None, "ada"), Err(ReleaseError::NobodyElse));
    assert_eq!(shop.live, before.live);
    // One that was reached by fewer and then by all may be gone back to.
    shop.activate(at(8), "pol_bbbb2", 10, None, "ada").unwrap();
    shop.activate(at(9), "pol_bbbb2", 100, None, "ada").unwrap();
    shop.activate(at(10), "pol_cccc3", 100, None, "ada").unwrap();
    shop.roll_back(at(11), "ada").unwrap();
    assert_eq!(live(&shop), "pol_bbbb2");
}

#[test]
fn what_cannot_be_done_changes_nothing() {
    let mut shop = Releases::default();
    shop.push(at(1), "pol_aaaa1", "mine", "ada");
    let before = shop.clone();
    assert_eq!(shop.activate(at(2), "pol_aaaa1", 50, None, "ada"), Err(ReleaseError::NobodyElse));
    assert!(shop.activate(at(2), "pol_aaaa1", 0, None, "ada").is_err());
    assert!(shop.activate(at(2), "pol_aaaa1", 100, Some(0), "ada").is_err());
    assert!(shop.activate(at(2), "pol_zzzz9", 100, None, "ada").is_err());
    assert_eq!(shop.roll_back(at(2), "ada"), Err(ReleaseError::NothingBefore));
    assert_eq!(shop, before);
    let mut shop = self::shop();
    let before = shop.clone();
    assert_eq!(shop.activate(at(3), "pol_aaaa1", 50, None, "ada"), Err(ReleaseError::NobodyElse));
    assert_eq!(shop, before);
}

#[test]
fn versions_and_changes_are_bounded_and_what_is_needed_stays() {
    let mut shop = shop();
    shop.activate(at(3), "pol_bbbb2", 100, None, "ada").unwrap();
    shop.shadow(at(3), Some("pol_cccc3"), "ada").unwrap();
    for n in 0..300 {
        shop.push(at(4), &format!("pol_n{n:04}"), "mine", "ada");
    }
    assert_eq!(shop.versions.len(), MOST_VERSIONS);
    assert_eq!(shop.changes.len(), MOST_CHANGES);
    for kept in ["pol_aaaa1", "pol_bbbb2", "pol_cccc3", "pol_n0299"] {
        assert!(shop.find(kept).is_ok(), "{kept}");
    }
    shop.roll_back(at(5), "ada").unwrap();
    assert_eq!(live(&shop), "pol_aaaa1");
}

#[test]
fn approvals_belong_to_a_version() {
    let mut shop = shop();
    shop.approve(at(3), "pol_bbbb2", &["ten".to_owned()], "ada").unwrap();
    shop.approve(at(4), "pol_bbbb2", &["ten".to_owned()], "ada").unwrap();
    assert_eq!(shop.in_force().approved_of("pol_bbbb2"), ["ten"]);
    assert!(shop.in_force().approved_of("pol_aaaa1").is_empty());
    assert_eq!(shop.changes.iter().filter(|c| matches!(c.act, Act::Approved { .. })).count(), 1);
}

#[test]
fn a_withdrawn_version_stays_withdrawn_however_many_are_pushed_after_it() {
    let mut shop = shop();
    shop.activate(at(5), "pol_bbbb2", 100, None, "ada").unwrap();
    shop.roll_back(at(7), "ada").unwrap();
    for n in 0..2 * MOST_VERSIONS {
        shop.push(at(8), &format!("pol_x{n:04}"), "mine", "ci");
    }
    assert_eq!(shop.versions.len(), MOST_VERSIONS);
    let force = shop.in_force();
    let (version, activation) = force.version_for(at(9), "pol_bbbb2", "");
    assert_eq!((version, activation.unwrap().at), ("pol_aaaa1", at(9)), "nothing left under it goes on");
}

#[test]
fn the_way_back_is_as_short_as_the_list_of_versions() {
    let mut shop = shop();
    for n in 0..3 * MOST_VERSIONS {
        let version = format!("pol_x{n:04}");
        shop.push(at(8), &version, "mine", "ci");
        shop.activate(at(8), &version, 100, None, "ci").unwrap();
    }
    assert!(shop.before.len() < MOST_VERSIONS, "{} ways back are kept", shop.before.len());
    shop.roll_back(at(9), "ada").unwrap();
    assert_eq!(live(&shop), format!("pol_x{:04}", 3 * MOST_VERSIONS - 2));
}
