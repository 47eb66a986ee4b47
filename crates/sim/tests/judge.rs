//! The checker on stories written by hand: what it must see, and what it must let pass.
#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use comeback_sim::checker::{
    Arm, Contact, Counted, Deal, End, Entry, Fact, Gift, Gives, Kind, Lot, Message, Owner, Plan, Reason,
    Rules, Sheet, Spot, Story, Voice, Way, When, check,
};

const HOUR: i64 = 3_600_000;
/// 2026-06-10T00:00:00Z.
const MIDNIGHT: i64 = 1_781_049_600_000;
const BERLIN: Spot = Spot { zone: "Europe/Berlin", country: "DE", region: "" };
const TOKYO: Spot = Spot { zone: "Asia/Tokyo", country: "JP", region: "" };
const FIRST: Contact = Contact { cart: 0, episode: 1, step: 0 };

fn rules() -> Rules {
    Rules {
        shop: "shop_1".to_owned(),
        per_day: 9,
        per_week: 9,
        texts_per_abandonment: 9,
        unverified_ms: 1,
        quiet: Some((21 * 60, 9 * 60)),
        rollout_percent: 100,
        default_zone: "UTC".to_owned(),
        plans: [("followed".to_owned(), plans())].into(),
        ..Rules::default()
    }
}

fn story(facts: &[(i64, Fact)]) -> Story {
    let owners = vec![Owner { way: Way::Email, home: BERLIN }];
    let facts = facts.iter().map(|(hour, fact)| Entry { at: MIDNIGHT + hour * HOUR, fact: fact.clone() });
    Story { owners, facts: facts.collect(), ..Story::default() }
}

/// Somebody with one address, who agreed, and left a cart at eight in the morning (UTC).
fn left(session: Spot) -> Vec<(i64, Fact)> {
    let told = Fact::Session { cart: 0, call: 7, spot: session, is_new: true };
    vec![
        (6, Fact::Heard(Box::new(told.clone()))),
        (6, told),
        (6, touched()),
        (6, Fact::Begun { visitor: Some(0), addresses: vec![0] }),
        (6, Fact::Said { address: 0, way: Way::Email, granted: true, voice: Voice::Page, said: MIDNIGHT }),
        (6, Fact::Typed { visitor: 0, cart: Some(0), email: Some(0), phone: None }),
        (6, Fact::Agreed { addresses: vec![0] }),
        (8, Fact::Considered { cart: 0 }),
        (8, left_now()),
        (8, Fact::Runs { cart: 0 }),
    ]
}

fn left_now() -> Fact {
    let sequence = "followed".to_owned();
    Fact::Left { cart: 0, episode: 1, began: MIDNIGHT + 8 * HOUR, browse: false, sequence }
}

fn touched() -> Fact {
    let said = MIDNIGHT + 6 * HOUR;
    Fact::Touched { cart: 0, visitor: 0, said, alive: true, pieces: 1, bought: false, automated: false }
}

fn plans() -> Vec<Plan> {
    let plan = |hours: i64| Plan {
        after: hours * HOUR,
        ways: vec![Way::Email],
        text: format!("text {hours}"),
        ..Plan::default()
    };
    vec![plan(2), plan(40)]
}

fn sent(hour: i64) -> Vec<(i64, Fact)> {
    let message = Message {
        contact: FIRST,
        way: Way::Email,
        address: 0,
        browse: false,
        text: "text 2".to_owned(),
        person: "per_1".to_owned(),
        gift: None,
        asked: MIDNIGHT + hour * HOUR,
    };
    vec![(hour, Fact::Leave(message.clone())), (hour, Fact::Delivered(message)), (hour, ended(End::Sent))]
}

fn ended(how: End) -> Fact {
    Fact::Ended { contact: FIRST, how }
}

fn skipped(hour: i64, why: Reason) -> Vec<(i64, Fact)> {
    let refused = Fact::Refused { contact: FIRST, person: "per_1".to_owned(), addresses: vec![0], why };
    vec![(hour, refused), (hour, ended(End::Skipped(why)))]
}

/// What is wrong with a story, and how often.
fn wrong(parts: &[&[(i64, Fact)]]) -> Vec<Kind> {
    let mut facts = parts.concat();
    facts.sort_by_key(|(hour, _)| *hour);
    check(&story(&facts), &rules()).into_iter().map(|b| b.kind).collect()
}

#[test]
fn the_clock_is_the_profiles_else_the_sessions() {
    // At noon in Berlin it is seven in the evening in Tokyo; three hours later it is ten.
    assert_eq!(wrong(&[&left(TOKYO), &sent(10)]), []);
    assert_eq!(wrong(&[&left(TOKYO), &sent(13)]), [Kind::Quiet]);
    assert_eq!(wrong(&[&left(BERLIN), &sent(13)]), []);
    // The shop said that they live in Berlin, wherever their session was.
    let lives = Fact::Lives { address: 0, spot: BERLIN, place: false };
    assert_eq!(wrong(&[&left(TOKYO), &[(7, lives.clone())], &sent(13)]), []);
    assert_eq!(wrong(&[&left(BERLIN), &[(7, lives.clone())], &sent(20)]), [Kind::Quiet]);
    // While that is on its way either clock may count, and it is wrong only by both.
    let heard = Fact::Heard(Box::new(lives));
    assert_eq!(wrong(&[&left(TOKYO), &[(12, heard.clone())], &sent(13)]), []);
    assert_eq!(wrong(&[&left(TOKYO), &[(12, heard)], &sent(20)]), [Kind::Quiet]);
}

#[test]
fn where_less_is_known_it_must_be_day_in_more_places() {
    let at = |country, hour| {
        let spot = Spot { zone: "", country, region: "" };
        wrong(&[&left(spot), &sent(hour)])
    };
    // Nine in the morning in New York and three in Honolulu; six hours later it is day there, too.
    assert_eq!(at("US", 13), [Kind::Quiet]);
    assert_eq!(at("US", 19), []);
    assert_eq!(at("DE", 13), []);
    // Of whom nothing is known, the shop's clock counts, which here is UTC,
    assert_eq!(at("", 13), []);
    assert_eq!(at("", 22), [Kind::Quiet]);
    // or that of its country.
    let unknown = Spot { zone: "", country: "", region: "" };
    let told = story(&[left(unknown), sent(13)].concat());
    let rules = Rules { default_country: Some("JP".to_owned()), ..rules() };
    assert_eq!(check(&told, &rules).into_iter().map(|b| b.kind).collect::<Vec<_>>(), [Kind::Quiet]);
    // Nobody told anything at all.
    let silent: Vec<_> = left(unknown).into_iter().skip(2).collect();
    assert_eq!(wrong(&[&silent, &sent(22)]), [Kind::Quiet]);
}

#[test]
fn where_nothing_is_known_every_law_holds_and_where_no_region_is_all_of_the_countrys() {
    let sheet = |countries: &[&str], regions: &[&str]| Sheet {
        countries: countries.iter().map(|c| (*c).to_owned()).collect(),
        regions: regions.iter().map(|r| (*r).to_owned()).collect(),
        least_voice: vec![(Way::Email, 1)],
        ..Sheet::default()
    };
    let under = |sheet: Sheet, country, region| {
        let spot = Spot { zone: "Europe/Berlin", country, region };
        let told = story(&[left(spot), sent(11)].concat());
        let found = check(&told, &Rules { laws: vec![sheet], ..rules() });
        found.into_iter().map(|b| b.kind).collect::<Vec<_>>()
    };
    // Their yes is a page's.
    assert_eq!(under(sheet(&["DE"], &[]), "DE", ""), [Kind::Other]);
    assert_eq!(under(sheet(&["FR"], &[]), "DE", ""), []);
    assert_eq!(under(sheet(&["FR"], &[]), "", ""), [Kind::Other]);
    assert_eq!(under(sheet(&["US"], &["FL"]), "US", "FL"), [Kind::Other]);
    assert_eq!(under(sheet(&["US"], &["FL"]), "US", "NY"), []);
    assert_eq!(under(sheet(&["US"], &["FL"]), "US", ""), [Kind::Other]);
}

#[test]
fn the_law_is_a_reason_only_where_it_forbids() {
    let over = |sheet: Sheet| {
        let told = story(&[left(BERLIN), skipped(10, Reason::Law)].concat());
        check(&told, &Rules { laws: vec![sheet], ..rules() }).len()
    };
    let of = |country: &str| Sheet { countries: vec![country.to_owned()], ..Sheet::default() };
    // A refusal without a reason is told twice: of the leave, and of the step.
    assert_eq!(over(of("DE")), 2);
    assert_eq!(over(Sheet { least_voice: vec![(Way::Email, 1)], ..of("DE") }), 0);
    assert_eq!(over(Sheet { least_voice: vec![(Way::Email, 1)], ..of("FR") }), 2);
    assert_eq!(over(Sheet { least_voice: vec![(Way::Text, 1)], ..of("DE") }), 2);
    assert_eq!(over(Sheet { least_voice: vec![(Way::Email, 0)], ..of("DE") }), 2);
    assert_eq!(over(Sheet { within: vec![(Way::Email, HOUR)], ..of("DE") }), 0);
    assert_eq!(over(Sheet { within: vec![(Way::Email, 9 * HOUR)], ..of("DE") }), 2);
    assert_eq!(over(Sheet { per_abandonment: vec![(Way::Email, 1)], ..of("DE") }), 2);
    assert_eq!(over(Sheet { per_abandonment: vec![(Way::Email, 0)], ..of("DE") }), 0);
}

#[test]
fn a_message_is_judged_by_its_own_leave_though_another_was_given_since() {
    // Leave three minutes before nine in the evening and again two minutes later; the first holder hands over at one past nine.
    let minute = 60_000;
    let nine = MIDNIGHT + 19 * HOUR;
    let Some(Fact::Leave(first)) = sent(19).into_iter().map(|(_, fact)| fact).next() else { panic!() };
    let at = |minutes: i64| Message { asked: nine + minutes * minute, ..first.clone() };
    let mut told = story(&left(BERLIN));
    let mut tell = |minutes: i64, fact| told.facts.push(Entry { at: nine + minutes * minute, fact });
    tell(-3, Fact::Leave(at(-3)));
    tell(-1, Fact::Leave(at(-1)));
    tell(1, Fact::Delivered(at(-3)));
    tell(1, ended(End::Sent));
    let kinds = |story: &Story| check(story, &rules()).into_iter().map(|b| b.kind).collect::<Vec<_>>();
    assert_eq!(kinds(&told), []);
    // A leave from too long ago is none.
    for entry in &mut told.facts {
        if let Fact::Leave(message) = &entry.fact
            && message.asked == nine - 3 * minute
        {
            entry.at -= 3 * minute;
        }
    }
    assert_eq!(kinds(&told), [Kind::Quiet]);
}

#[test]
fn a_session_that_is_not_yet_answered_may_count_or_not() {
    let told = Fact::Session { cart: 0, call: 8, spot: TOKYO, is_new: false };
    let heard = (12, Fact::Heard(Box::new(told.clone())));
    assert_eq!(wrong(&[&left(BERLIN), std::slice::from_ref(&heard), &sent(13)]), []);
    assert_eq!(wrong(&[&left(BERLIN), &[heard, (12, told)], &sent(13)]), [Kind::Quiet]);
}

#[test]
fn nobody_is_passed_over_for_a_reason_that_is_none() {
    // Once for leave that was refused, once for the step that ended by it.
    let twice = [Kind::Lost, Kind::Lost];
    let order = |placed| Fact::Ordered {
        order: 1,
        placed: MIDNIGHT + placed * HOUR,
        cart: None,
        visitor: None,
        addresses: vec![0],
        postal: None,
    };
    let heard = |fact| (9, Fact::Heard(Box::new(fact)));
    assert_eq!(wrong(&[&left(BERLIN), &skipped(10, Reason::Ordered)]), twice);
    assert_eq!(wrong(&[&left(BERLIN), &[heard(order(9))], &skipped(10, Reason::Ordered)]), []);
    // From before the cart.
    assert_eq!(wrong(&[&left(BERLIN), &[heard(order(5))], &skipped(10, Reason::Ordered)]), twice);
    let no = |way| Fact::OptedOut { address: 0, way, said: MIDNIGHT };
    assert_eq!(wrong(&[&left(BERLIN), &skipped(10, Reason::WayOptedOut)]), twice);
    let by_mail = no(Some(Way::Email));
    assert_eq!(wrong(&[&left(BERLIN), &[heard(by_mail)], &skipped(10, Reason::WayOptedOut)]), []);
    let by_text = no(Some(Way::Text));
    assert_eq!(wrong(&[&left(BERLIN), &[heard(by_text)], &skipped(10, Reason::WayOptedOut)]), twice);
    for why in [
        Reason::OptedOut,
        Reason::Automated,
        Reason::Newer,
        Reason::Condition,
        Reason::Repeats,
        Reason::NoAddress,
        Reason::NoYes,
        Reason::Unproved,
        Reason::Law,
        Reason::Night,
        Reason::Unshown,
        Reason::Shadow,
        Reason::Forgotten,
        Reason::Silent,
        Reason::Holdout,
        Reason::Rollout,
        Reason::Older,
        Reason::Tired,
        Reason::BrowseCap,
        Reason::SentBefore,
        Reason::Unknown,
        Reason::Never,
    ] {
        assert_eq!(wrong(&[&left(BERLIN), &skipped(10, why)]), twice, "{why:?}");
    }
}

#[test]
fn a_step_gives_way_to_the_next_only_when_that_is_due() {
    let gives_way = |hour| vec![(hour, ended(End::Skipped(Reason::Superseded)))];
    assert_eq!(wrong(&[&left(BERLIN), &gives_way(40)]), [Kind::Lost]);
    // The next is due 40 hours after the cart was left.
    assert_eq!(
        wrong(&[&left(BERLIN), &gives_way(48), &[(48, Fact::Rests { cart: 0, exhausted: false })]]),
        []
    );
    let nobody = vec![(10, ended(End::Skipped(Reason::Nobody)))];
    assert_eq!(wrong(&[&left(BERLIN), &nobody]), [Kind::Lost]);
    let declined = vec![(10, ended(End::Skipped(Reason::Declined)))];
    assert_eq!(wrong(&[&left(BERLIN), &declined]), [Kind::Lost]);
    let refused = vec![(10, Fact::Declined { contact: FIRST })];
    assert_eq!(wrong(&[&left(BERLIN), &refused, &declined]), []);
}

/// A second message of the abandonment with an offer on a cart of 80.00, twenty hours after the first.
fn with(gift: impl FnOnce(&mut Gift)) -> Vec<(i64, Fact)> {
    let until = MIDNIGHT + 90 * HOUR;
    let mut held = Gift { offer: "ten".to_owned(), value: 8_000, margin: Some(400), until, again: false };
    gift(&mut held);
    let message = Message {
        contact: Contact { step: 1, ..FIRST },
        way: Way::Email,
        address: 0,
        browse: false,
        text: "text 40".to_owned(),
        person: "per_1".to_owned(),
        gift: Some(held),
        asked: MIDNIGHT + 34 * HOUR,
    };
    vec![(34, Fact::Leave(message.clone())), (34, Fact::Delivered(message))]
}

/// What is wrong with that message, under an offer and a bound per hour, where the rest of the shop gave something.
fn wrong_with(deal: &Deal, per_hour: Option<usize>, elsewhere: &[i64], second: &[(i64, Fact)]) -> Vec<Kind> {
    let rest = elsewhere.iter().map(|minor| {
        let gift = (*minor > 0).then(|| ("ten".to_owned(), *minor));
        (34, Fact::Elsewhere { gift })
    });
    let mut facts = [left(BERLIN), sent(11), rest.collect(), second.to_vec()].concat();
    facts.sort_by_key(|(hour, _)| *hour);
    let mut story = story(&facts);
    story.per_hour = per_hour;
    let mut rules = Rules { offers: vec![deal.clone()], ..rules() };
    for step in rules.plans.values_mut().flatten() {
        step.gifts = vec!["ten".to_owned()];
        step.after = step.after.min(20 * HOUR);
    }
    let ours = check(&story, &rules).into_iter().map(|b| b.kind);
    ours.filter(|kind| *kind != Kind::Lost).collect()
}

#[test]
fn what_messages_give_away_is_judged() {
    let ten = Deal {
        name: "ten".to_owned(),
        gives: Gives::Percent(10),
        per_day: Some(2_000),
        per_90d: Some(1),
        least_left: Some(300),
        at_once: false,
        approval: false,
    };
    let plain = || with(|_| {});
    assert_eq!(wrong_with(&ten, None, &[], &plain()), []);
    // 8.00 of 20.00, of which the rest of the shop leaves just enough, or a cent too little.
    assert_eq!(wrong_with(&ten, None, &[1_200], &plain()), []);
    assert_eq!(wrong_with(&ten, None, &[1_201], &plain()), [Kind::Cap]);
    assert_eq!(wrong_with(&ten, Some(2), &[0], &plain()), []);
    assert_eq!(wrong_with(&ten, Some(2), &[0, 0], &plain()), [Kind::Cap]);
    assert_eq!(wrong_with(&ten, None, &[], &with(|g| g.margin = None)), [Kind::Other]);
    assert_eq!(wrong_with(&ten, None, &[], &with(|g| g.margin = Some(399))), [Kind::Other]);
    assert_eq!(wrong_with(&ten, None, &[], &with(|g| g.until = MIDNIGHT + 34 * HOUR)), [Kind::Other]);
    assert_eq!(wrong_with(&ten, None, &[], &with(|g| g.again = true)), [Kind::Other], "nothing gave it");
    // Neither the policy knows it nor the step.
    assert_eq!(wrong_with(&ten, None, &[], &with(|g| g.offer = "all".to_owned())), [Kind::Other; 2]);
    assert_eq!(wrong_with(&Deal { approval: true, ..ten }, None, &[], &plain()), [Kind::Other]);
}

/// What is wrong with the first message or its absence, where half of all people have an arm that is another plan.
/// Of two persons by id one is in the control and one in the other arm.
fn wrong_under(arm: Arm, parts: &[&[(i64, Fact)]]) -> Vec<Kind> {
    let mut facts = parts.concat();
    facts.sort_by_key(|(hour, _)| *hour);
    let mut rules = rules();
    let arms = vec![Arm { weight: 1, ..Arm::default() }, Arm { weight: 1, ..arm }];
    let first = rules.plans.values_mut().flatten().next();
    first.unwrap().lots = vec![Lot { name: "reminder_time".to_owned(), arms }];
    rules.shop = "shop_demo".to_owned();
    check(&story(&facts), &rules).into_iter().map(|b| b.kind).collect()
}

/// Tickets in this experiment: 6535, which is a frozen vector and in the second half, and 4893, in the first.
const CONTROL: &str = "per_3";
const OTHER: &str = "per_1";

fn to(person: &str, mut facts: Vec<(i64, Fact)>) -> Vec<(i64, Fact)> {
    for (_, fact) in &mut facts {
        match fact {
            Fact::Leave(m) | Fact::Delivered(m) => m.person = person.to_owned(),
            Fact::Refused { person: of, .. } => *of = person.to_owned(),
            _ => {}
        }
    }
    facts.insert(0, (8, Fact::Behind { cart: 0, person: person.to_owned() }));
    facts
}

#[test]
fn a_silent_arm_is_silent_for_those_who_are_in_it_and_for_nobody_else() {
    let silent = || Arm { silent: true, ..Arm::default() };
    let passed_over = |who| to(who, skipped(10, Reason::Silent));
    assert_eq!(wrong_under(silent(), &[&left(BERLIN), &to(CONTROL, sent(10))]), []);
    assert_eq!(wrong_under(silent(), &[&left(BERLIN), &to(OTHER, sent(10))]), [Kind::Other]);
    assert_eq!(wrong_under(silent(), &[&left(BERLIN), &passed_over(OTHER)]), []);
    assert_eq!(wrong_under(silent(), &[&left(BERLIN), &passed_over(CONTROL)]), [Kind::Lost, Kind::Lost]);
    // No arm of theirs is silent at all.
    assert_eq!(wrong_under(Arm::default(), &[&left(BERLIN), &passed_over(OTHER)]), [Kind::Lost, Kind::Lost]);
}

#[test]
fn a_message_is_as_the_arm_of_its_recipient_has_it() {
    let arms = [
        Arm { after: Some(3 * HOUR), ..Arm::default() },
        Arm { ways: Some(vec![Way::Push]), ..Arm::default() },
        Arm { text: Some("another".to_owned()), ..Arm::default() },
    ];
    for arm in arms {
        assert_eq!(wrong_under(arm.clone(), &[&left(BERLIN), &to(CONTROL, sent(10))]), [], "{arm:?}");
        assert_eq!(
            wrong_under(arm.clone(), &[&left(BERLIN), &to(OTHER, sent(10))]),
            [Kind::Other],
            "{arm:?}"
        );
    }
    // In time for the arm.
    let later = Arm { after: Some(3 * HOUR), ..Arm::default() };
    assert_eq!(wrong_under(later, &[&left(BERLIN), &to(OTHER, sent(11))]), []);
    // Too early for everybody.
    assert_eq!(wrong(&[&left(BERLIN), &sent(9)]), [Kind::Other]);
}

#[test]
fn whoever_was_shown_an_arm_stays_in_it_under_another_id() {
    // Under this id they were not written to for the sake of comparison; then the shop knows them by another.
    let silent = || Arm { silent: true, ..Arm::default() };
    let shown = to(OTHER, skipped(10, Reason::Silent));
    let again = |how: Vec<(i64, Fact)>| -> Vec<(i64, Fact)> {
        let next = Contact { episode: 2, ..FIRST };
        let mut facts = to(CONTROL, how);
        for (_, fact) in &mut facts {
            match fact {
                Fact::Leave(m) | Fact::Delivered(m) => m.contact = next,
                Fact::Refused { contact, .. } | Fact::Ended { contact, .. } => *contact = next,
                Fact::Behind { .. } => *fact = Fact::Considered { cart: 0 },
                _ => {}
            }
        }
        let began = MIDNIGHT + 32 * HOUR;
        let sequence = "followed".to_owned();
        facts.push((32, Fact::Rests { cart: 0, exhausted: false }));
        facts.push((32, Fact::Left { cart: 0, episode: 2, began, browse: false, sequence }));
        facts
    };
    assert_eq!(wrong_under(silent(), &[&left(BERLIN), &shown, &again(sent(34))]), [Kind::Other]);
    assert_eq!(wrong_under(silent(), &[&left(BERLIN), &shown, &again(skipped(34, Reason::Silent))]), []);
}

#[test]
fn a_condition_is_counted_where_it_can_be() {
    let second = |after: Vec<(i64, Fact)>, when: When| {
        let mut rules = rules();
        for step in rules.plans.values_mut().flatten().skip(1) {
            step.after = 20 * HOUR;
            step.when = Some(when.clone());
        }
        let told = story(&[left(BERLIN), sent(11), after].concat());
        check(&told, &rules).into_iter().map(|b| b.kind).collect::<Vec<_>>()
    };
    let next = Contact { step: 1, ..FIRST };
    let goes = || -> Vec<(i64, Fact)> {
        with(|_| {})
            .into_iter()
            .map(|(hour, fact)| match fact {
                Fact::Leave(m) => (hour, Fact::Leave(Message { gift: None, ..m })),
                Fact::Delivered(m) => (hour, Fact::Delivered(Message { gift: None, ..m })),
                other => (hour, other),
            })
            .chain([(34, Fact::Ended { contact: next, how: End::Sent })])
            .collect()
    };
    let passed_over = || {
        let why = Reason::Condition;
        let refused = Fact::Refused { contact: next, person: "per_1".to_owned(), addresses: vec![0], why };
        vec![(34, refused), (34, Fact::Ended { contact: next, how: End::Skipped(why) })]
    };
    // One message was sent by then.
    let one = || When::Between(Counted::Sent, 1, 1);
    assert_eq!(second(goes(), one()), []);
    assert_eq!(second(passed_over(), one()), [Kind::Lost, Kind::Lost]);
    let none = || When::Not(Box::new(one()));
    assert_eq!(second(goes(), none()), [Kind::Other]);
    assert_eq!(second(passed_over(), none()), []);
    let nothing_known = || When::All(vec![one(), When::Unread]);
    assert_eq!(second(goes(), nothing_known()), []);
    assert_eq!(second(passed_over(), nothing_known()), []);
    assert_eq!(second(goes(), When::Any(vec![])), [Kind::Other]);
    // A link that was followed counts as soon as that is heard, and surely once it is acknowledged.
    let clicked = (20, Fact::Clicked { address: 0, contact: FIRST });
    let followed = (21, Fact::Followed { contact: FIRST });
    let no_click = || When::Between(Counted::Followed, 0, 0);
    let after =
        |clicks: &[(i64, Fact)], then: Vec<(i64, Fact)>| second([clicks.to_vec(), then].concat(), no_click());
    assert_eq!(after(&[], passed_over()), [Kind::Lost, Kind::Lost]);
    assert_eq!(after(std::slice::from_ref(&clicked), passed_over()), []);
    assert_eq!(after(std::slice::from_ref(&clicked), goes()), []);
    assert_eq!(after(&[clicked, followed], goes()), [Kind::Other]);
}

#[test]
fn nothing_goes_out_in_shadow_or_about_nothing() {
    let kinds = |change: &dyn Fn(&mut Story), rest: Vec<(i64, Fact)>| {
        let mut told = story(&[left(BERLIN), rest].concat());
        change(&mut told);
        check(&told, &rules()).into_iter().map(|b| b.kind).collect::<Vec<_>>()
    };
    let shadow = |told: &mut Story| told.shadow = true;
    assert_eq!(kinds(&shadow, sent(11)), [Kind::Other]);
    assert_eq!(kinds(&shadow, skipped(11, Reason::Shadow)), []);
    let unshown = |told: &mut Story| told.unshown = vec![0];
    assert_eq!(kinds(&unshown, sent(11)), [Kind::Other]);
    assert_eq!(kinds(&unshown, skipped(11, Reason::Unshown)), []);
}

#[test]
fn a_customer_needs_no_recorded_yes_where_the_law_lets_that_be() {
    let bought = |by_page: bool, address| Fact::Ordered {
        order: 1,
        placed: MIDNIGHT + 5 * HOUR,
        cart: None,
        visitor: by_page.then_some(0),
        addresses: vec![address],
        postal: None,
    };
    let kinds = |at: Spot, law_of: &str, order: Fact, proof: Option<Fact>| {
        let mut facts = left(at);
        facts.retain(|(_, fact)| !matches!(fact, Fact::Said { .. } | Fact::Agreed { .. }));
        facts.insert(0, (5, Fact::Heard(Box::new(order))));
        facts.extend(proof.map(|proof| (9, proof)));
        facts.extend(sent(11));
        let soft = Sheet {
            countries: vec![law_of.to_owned()],
            soft_opt_in: vec![(Way::Email, 30 * HOUR)],
            ..Sheet::default()
        };
        let rules = Rules { laws: vec![soft], soft_opt_in: true, ..rules() };
        let mut told = story(&facts);
        told.owners.push(Owner { way: Way::Email, home: BERLIN });
        check(&told, &rules).into_iter().map(|b| b.kind).collect::<Vec<_>>()
    };
    let proved = || Some(Fact::Proved { address: 0 });
    assert_eq!(kinds(BERLIN, "DE", bought(false, 0), proved()), []);
    assert_eq!(kinds(BERLIN, "DE", bought(false, 0), None), [Kind::Other], "only typed");
    assert_eq!(kinds(BERLIN, "DE", bought(false, 1), proved()), [Kind::Other], "somebody else's");
    assert_eq!(kinds(BERLIN, "DE", bought(true, 0), proved()), [Kind::Other], "a page's word");
    assert_eq!(kinds(BERLIN, "FR", bought(false, 0), proved()), [Kind::Other], "another law");
    let nowhere = Spot { country: "", ..BERLIN };
    assert_eq!(kinds(nowhere, "DE", bought(false, 0), proved()), [Kind::Other], "nobody knows where");
}

#[test]
fn a_forgotten_cart_is_not_written_about() {
    let forgotten = Fact::Forgotten { cart: 0 };
    let heard = (9, Fact::Heard(Box::new(forgotten.clone())));
    let known = (10, forgotten);
    assert_eq!(wrong(&[&left(BERLIN), &[heard.clone(), known.clone()], &sent(11)]), [Kind::AfterOptOut]);
    // While it is on its way either may be.
    assert_eq!(wrong(&[&left(BERLIN), std::slice::from_ref(&heard), &sent(11)]), []);
    assert_eq!(wrong(&[&left(BERLIN), &[heard], &skipped(11, Reason::Forgotten)]), []);
}
