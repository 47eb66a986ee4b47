//! The baseline's scores, frozen to the bit, and what must hold for every session.

use comeback_core::signal::{CheckoutError, SessionFacts, SignalKind, Stage};
use comeback_core::time::MINUTE;
use comeback_score::{Baseline, Context, FEATURES, Feature, Features, MAX_REASONS, Model, Score};
use proptest::prelude::*;

fn score(session: &SessionFacts, context: &Context) -> Score {
    Baseline.predict(&Features::of(session, context))
}

const QUIET: Context = Context { cart_value: None, cart_pieces: 1, idle_ms: 0, returning: None };

fn at(stage: Stage) -> SessionFacts {
    SessionFacts { stage, ..SessionFacts::default() }
}

#[test]
fn features_are_in_their_own_order() {
    for (index, (feature, name)) in FEATURES.iter().enumerate() {
        assert_eq!(*feature as usize, index);
        assert_eq!(feature.name(), *name);
    }
    let session = SessionFacts {
        stage: Stage::Shipping,
        pages: 2,
        product_views: 3,
        dwell_ms: 4_500,
        adds: 5,
        removes: 6,
        shipping_estimates: 7,
        coupons_refused: 8,
        coupons_accepted: 9,
        checkout_errors: 10,
        exit_intents: 11,
        mobile: true,
    };
    let context =
        Context { cart_value: Some(12.5), cart_pieces: 13, idle_ms: 14 * MINUTE, returning: Some(false) };
    let features = Features::of(&session, &context);
    assert_eq!(
        *features.values(),
        [3.0, 2.0, 3.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 1.0, 12.5, 13.0, 14.0, 0.0],
    );
    let unknown =
        Features::of(&session, &Context { cart_value: None, returning: None, idle_ms: -5, ..context });
    assert!(unknown.get(Feature::CartValue).is_nan() && unknown.get(Feature::Returning).is_nan());
    assert!(unknown.get(Feature::IdleMin).abs() < f64::EPSILON);
}

#[test]
fn the_stages_stand_where_their_reasons_put_them() {
    let cases = [
        (Stage::Browse, 0.03),
        (Stage::Cart, 0.30),
        (Stage::Checkout, 0.45),
        (Stage::Shipping, 0.60),
        (Stage::Payment, 0.75),
    ];
    for (stage, expect) in cases {
        let buy = score(&at(stage), &QUIET).buy;
        assert!((buy - expect).abs() < 0.005, "{stage:?}: {buy}");
    }
}

#[test]
fn reasons_are_the_largest_effects_first() {
    let session =
        SessionFacts { checkout_errors: 2, mobile: true, exit_intents: 1, removes: 1, ..at(Stage::Checkout) };
    let got = score(&session, &QUIET);
    let reasons: Vec<_> = got.reasons.iter().map(|r| (r.feature, r.effect)).collect();
    assert_eq!(reasons, [("checkout_errors", -1.6), ("stage", 0.65), ("mobile", -0.35)]);
    assert_eq!(got.model, "baseline-1");
    // A cart and nothing else is the base itself: nothing moved it.
    assert!(score(&at(Stage::Cart), &QUIET).reasons.is_empty());
}

/// Scores of `baseline-1`, as bits. A change here is a new version of the model, never an edit.
#[test]
fn scores_are_frozen_to_the_bit() {
    let busy = SessionFacts {
        pages: 9,
        product_views: 4,
        dwell_ms: 95_250,
        adds: 2,
        removes: 1,
        shipping_estimates: 1,
        coupons_refused: 1,
        ..at(Stage::Cart)
    };
    let stopped =
        SessionFacts { checkout_errors: 1, coupons_accepted: 1, mobile: true, ..at(Stage::Payment) };
    let leaving = SessionFacts { exit_intents: 7, removes: 9, ..at(Stage::Browse) };
    let long = Context { idle_ms: 17 * MINUTE, returning: Some(true), ..QUIET };
    let cases: [(&SessionFacts, &Context, u64); 8] = [
        (&SessionFacts::default(), &Context::default(), 0x3f9e_b172_8694_3cfb),
        (&at(Stage::Cart), &QUIET, 0x3fd3_3439_927b_c2ef),
        (&at(Stage::Payment), &QUIET, 0x3fe8_06bb_6cd0_cfcd),
        (&busy, &QUIET, 0x3fc9_c3e0_9ea1_20cc),
        (&busy, &long, 0x3fbd_3e22_1e30_3858),
        (&stopped, &QUIET, 0x3fe2_cb87_7e39_79c9),
        (&stopped, &long, 0x3fda_f855_406a_453b),
        (&leaving, &long, 0x3f68_cd09_fbf9_cbdc),
    ];
    let got: Vec<String> =
        cases.iter().map(|(s, c, _)| format!("{:#018x}", score(s, c).buy.to_bits())).collect();
    let expect: Vec<String> = cases.iter().map(|(_, _, bits)| format!("{bits:#018x}")).collect();
    assert_eq!(got, expect);
}

fn any_stage() -> impl Strategy<Value = Stage> {
    proptest::sample::select(vec![
        Stage::Browse,
        Stage::Cart,
        Stage::Checkout,
        Stage::Shipping,
        Stage::Payment,
    ])
}

prop_compose! {
    fn any_session()(
        stage in any_stage(),
        counts in proptest::array::uniform9(prop_oneof![0u32..6, Just(u32::MAX)]),
        dwell_ms in prop_oneof![0i64..1_000_000, Just(i64::MAX)],
        mobile in any::<bool>(),
    ) -> SessionFacts {
        let [pages, product_views, adds, removes, shipping_estimates, coupons_refused, coupons_accepted, checkout_errors, exit_intents] = counts;
        SessionFacts {
            stage, pages, product_views, dwell_ms, adds, removes, shipping_estimates, coupons_refused,
            coupons_accepted, checkout_errors, exit_intents, mobile,
        }
    }
}

prop_compose! {
    fn any_context()(
        cart_value in proptest::option::of(prop_oneof![0.0..5_000.0f64, Just(f64::INFINITY)]),
        cart_pieces in any::<u32>(),
        idle_ms in prop_oneof![-5_000i64..10_000_000, Just(i64::MIN), Just(i64::MAX)],
        returning in proptest::option::of(any::<bool>()),
    ) -> Context {
        Context { cart_value, cart_pieces, idle_ms, returning }
    }
}

fn card_declined() -> SignalKind {
    SignalKind::CheckoutError(CheckoutError {
        step: "payment".into(),
        code: "card_declined".into(),
        method: "card".into(),
    })
}

proptest! {
    #[test]
    fn every_score_is_a_probability_with_honest_reasons(session in any_session(), context in any_context()) {
        let got = score(&session, &context);
        prop_assert!(got.buy > 0.0 && got.buy < 1.0);
        prop_assert!(got.reasons.len() <= MAX_REASONS);
        prop_assert!(got.reasons.iter().all(|r| r.effect != 0.0 && r.effect.is_finite()));
        prop_assert!(got.reasons.windows(2).all(|pair| pair[0].effect.abs() >= pair[1].effect.abs()));
    }

    #[test]
    fn a_further_stage_never_lowers_a_score(session in any_session(), context in any_context(), next in any_stage()) {
        let further = SessionFacts { stage: session.stage.max(next), ..session.clone() };
        prop_assert!(score(&further, &context).buy >= score(&session, &context).buy);
    }

    /// As it is observed, that is with the stage that the error itself proves: from a cart on, being
    /// stopped never raises a score. (Before a cart was seen, an error proves there is one.)
    #[test]
    fn an_error_never_raises_a_score(mut session in any_session(), context in any_context()) {
        session.stage = session.stage.max(Stage::Cart);
        // A cart with three errors and no checkout cannot be: the first error proves one.
        let mut after = session.clone();
        after.observe(&card_declined());
        if session.stage > Stage::Cart || session.checkout_errors < 3 {
            prop_assert!(score(&after, &context).buy <= score(&session, &context).buy);
        }
    }

    #[test]
    fn obstacles_never_raise_a_score(session in any_session(), context in any_context(), which in 0..5usize) {
        let mut after = session.clone();
        match which {
            0 => after.observe(&SignalKind::ExitIntent),
            1 => after.observe(&SignalKind::TryCoupon { accepted: false }),
            2 => after.observe(&SignalKind::ViewShippingEstimate),
            3 => after.removes = after.removes.saturating_add(1),
            _ => after.mobile = true,
        }
        prop_assert!(score(&after, &context).buy <= score(&session, &context).buy);
        let longer = Context { idle_ms: context.idle_ms.saturating_add(30_000), ..context };
        prop_assert!(score(&session, &longer).buy <= score(&session, &context).buy);
    }

    /// Without consent to profiling nothing of the person may show, and value is not weighed.
    #[test]
    fn what_is_unknown_has_no_effect(session in any_session(), context in any_context()) {
        let unknown = Context { returning: None, ..context };
        let stranger = Context { returning: Some(false), cart_value: None, cart_pieces: 0, ..context };
        prop_assert_eq!(score(&session, &unknown).buy.to_bits(), score(&session, &stranger).buy.to_bits());
    }
}
