//! What can be said of conditions without a cart at hand: whether one can ever hold, always holds, or
//! holds whenever another does.
//!
//! Every field is tried with one value of each kind that the conditions tell apart (below, at, between
//! and above their numbers; each word they name and another one; unknown), depth first, until the answer
//! is certain. Sound: an answer is right; where there is none within the budget, none is given.

use core::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use comeback_core::policy::{Expr, Field, Kind, Op, Policy};

/// Parts of conditions that may be looked at for one question.
const PER_QUESTION: u32 = 50_000;
/// And for all questions about one policy: its text may come from a stranger.
const PER_POLICY: u32 = 3_000_000;
/// Deeper than any condition that is accepted.
const MAX_DEPTH: usize = 80;

/// When a condition is asked. What was true when the cart was left need not be when a step is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// At the abandonment.
    Left,
    /// When a step is claimed.
    Claim,
}

/// The first is never more than the second, where both are known.
const AT_MOST: [(Field, Field); 2] =
    [(Field::CartLines, Field::CartItems), (Field::AbandonmentClicks, Field::AbandonmentContacts)];

/// What cannot be, whatever the cart: two facts that exclude each other.
static EXCLUDED: LazyLock<Vec<Expr>> = LazyLock::new(|| {
    let none = |field| Expr::Compare { field, op: Op::Le, value: 0.0 };
    let some = |field| Expr::Compare { field, op: Op::Gt, value: 0.0 };
    let known = |field| Expr::Compare { field, op: Op::Ge, value: 0.0 };
    let channels = crate::shape::CHANNELS.iter().map(|word| (*word).to_owned()).collect();
    let written = Expr::Is { field: Field::AbandonmentLastChannel, words: channels };
    vec![
        Expr::And(vec![none(Field::PersonOrders), some(Field::PersonLifetimeValue)]),
        Expr::And(vec![none(Field::PersonOrders), known(Field::PersonDaysSinceOrder)]),
        Expr::And(vec![none(Field::AbandonmentContacts), written]),
    ]
});

/// A condition, when it is asked, and whether it is to hold.
#[derive(Clone, Copy)]
pub(crate) struct Wish<'e> {
    pub(crate) expr: &'e Expr,
    pub(crate) moment: Moment,
    pub(crate) holds: bool,
}

/// This condition is to hold at a claim.
pub(crate) fn holds(expr: &Expr) -> Wish<'_> {
    Wish { expr, moment: Moment::Claim, holds: true }
}

/// This condition is not to hold at a claim.
pub(crate) fn fails(expr: &Expr) -> Wish<'_> {
    Wish { expr, moment: Moment::Claim, holds: false }
}

/// A value that stands for all that the conditions at hand do not tell apart.
#[derive(Debug, Clone, PartialEq)]
enum Sample<'e> {
    Unknown,
    Number(f64),
    Word(&'e str),
    /// A word that no condition names.
    OtherWord,
    Member(bool),
}

/// A field at a moment; of a set, one member.
type Variable<'e> = (Moment, Field, Option<&'e str>);

enum Truth<'e> {
    Yes,
    No,
    Open(Variable<'e>),
    TooDeep,
}

/// Conditions of one policy.
pub(crate) struct Logic<'p> {
    segments: BTreeMap<&'p str, &'p Expr>,
    never_known: BTreeSet<Field>,
    left: Cell<u32>,
}

impl<'p> Logic<'p> {
    pub(crate) fn new(policy: &'p Policy) -> Self {
        let segments = policy.segments.iter().map(|s| (s.name.as_str(), &s.when)).collect();
        let mut never_known = BTreeSet::new();
        if policy.free_shipping_from.is_none() {
            never_known.insert(Field::CartShippingGap);
        }
        Self { segments, never_known, left: Cell::new(PER_POLICY) }
    }

    /// Whether all wishes can come true together; `None` if that is not certain.
    pub(crate) fn possible<'e>(&self, wishes: &[Wish<'e>]) -> Option<bool>
    where
        'p: 'e,
    {
        let mut samples = BTreeMap::new();
        for wish in wishes {
            collect(self, wish.expr, wish.moment, &mut samples, 0);
        }
        let mut wishes = wishes.to_vec();
        let mut below = vec![];
        for moment in [Moment::Left, Moment::Claim] {
            let variable = |field: Field| variable(moment, field, None);
            // What excludes what matters only where both are asked for.
            for expr in EXCLUDED.iter() {
                if super::check::fields_in(expr).iter().all(|field| samples.contains_key(&variable(*field))) {
                    collect(self, expr, moment, &mut samples, 0);
                    wishes.push(Wish { expr, moment, holds: false });
                }
            }
            for (few, many) in AT_MOST {
                let (few, many) = (variable(few), variable(many));
                let Some((a, b)) = samples.get(&few).zip(samples.get(&many)) else { continue };
                // Cut at the same numbers, both have the same values between: then these stand for all.
                let cuts: Vec<Sample<'e>> = a.iter().chain(b).cloned().collect();
                samples.insert(few, cuts.clone());
                samples.insert(many, cuts);
                below.push((few, many));
            }
        }
        for (variable, samples) in &mut samples {
            self.complete(variable.1, samples);
        }
        let granted = PER_QUESTION.min(self.left.get());
        let mut search = Search {
            logic: self,
            wishes: &wishes,
            samples,
            below: &below,
            chosen: BTreeMap::new(),
            budget: granted,
        };
        let answer = search.run();
        self.left.set(self.left.get() - (granted - search.budget));
        answer
    }

    /// Whether a condition certainly never holds.
    pub(crate) fn never(&self, expr: &Expr) -> bool {
        self.possible(&[holds(expr)]) == Some(false)
    }

    /// Whether a condition certainly always holds.
    pub(crate) fn always(&self, expr: &Expr) -> bool {
        self.possible(&[fails(expr)]) == Some(false)
    }

    /// Adds the values between and around those that conditions name, and takes away the impossible.
    fn complete<'e>(&self, field: Field, samples: &mut Vec<Sample<'e>>) {
        if self.never_known.contains(&field) {
            *samples = vec![Sample::Unknown];
            return;
        }
        let mut all = match field.spec().kind {
            Kind::Words => vec![Sample::Member(true), Sample::Member(false)],
            Kind::Word(known) => {
                let mut words: Vec<Sample<'e>> = Vec::new();
                for sample in samples.drain(..) {
                    if !words.contains(&sample) {
                        words.push(sample);
                    }
                }
                if known.is_empty() || words.len() < known.len() {
                    words.push(Sample::OtherWord);
                }
                words
            }
            Kind::Number(_) | Kind::Flag => {
                let numbers = samples.iter().filter_map(|sample| match sample {
                    Sample::Number(number) => Some(*number),
                    _ => None,
                });
                between(field, numbers.collect()).into_iter().map(Sample::Number).collect()
            }
        };
        // How a cart was left is always known; everything else may fail to be.
        if field != Field::AbandonmentTrigger {
            all.push(Sample::Unknown);
        }
        *samples = all;
    }
}

/// Notes the numbers and words that a condition tells apart.
fn collect<'e>(
    logic: &Logic<'e>,
    expr: &'e Expr,
    moment: Moment,
    samples: &mut BTreeMap<Variable<'e>, Vec<Sample<'e>>>,
    depth: usize,
) {
    if depth > MAX_DEPTH {
        return;
    }
    match expr {
        Expr::And(parts) | Expr::Or(parts) => {
            for part in parts {
                collect(logic, part, moment, samples, depth + 1);
            }
        }
        Expr::Not(inner) => collect(logic, inner, moment, samples, depth + 1),
        Expr::Segment(name) => {
            if let Some(when) = logic.segments.get(name.as_str()) {
                collect(logic, when, moment, samples, depth + 1);
            }
        }
        Expr::Compare { field, value, .. } => {
            samples.entry(variable(moment, *field, None)).or_default().push(Sample::Number(*value));
        }
        Expr::Is { field, words } => {
            let known = samples.entry(variable(moment, *field, None)).or_default();
            known.extend(words.iter().map(|word| Sample::Word(word)));
        }
        Expr::Has { field, word } => {
            samples.entry(variable(moment, *field, Some(word))).or_default();
        }
    }
}

/// Facts that a claim finds as the abandonment left them are one variable.
fn variable(moment: Moment, field: Field, word: Option<&str>) -> Variable<'_> {
    let stays = matches!(field, Field::AbandonmentTrigger | Field::AbandonmentNumber | Field::PersonCountry);
    (if stays { Moment::Left } else { moment }, field, word)
}

/// Least and greatest value of a field, and whether it counts.
fn domain(field: Field) -> (f64, f64, bool) {
    let kind = field.spec().kind;
    match (field, kind) {
        // Goods may be sold below cost.
        (Field::CartMargin, _) => (f64::NEG_INFINITY, 1.0, false),
        (Field::AbandonmentNumber, _) => (1.0, f64::INFINITY, true),
        (_, Kind::Flag) => (0.0, 1.0, true),
        (_, Kind::Number(unit)) if unit.contains("0 to 1") => (0.0, 1.0, false),
        (_, Kind::Number(unit)) => {
            let measured = unit.contains("units") || matches!(unit, "hours" | "days" | "seconds");
            (0.0, f64::INFINITY, !measured)
        }
        _ => (f64::NEG_INFINITY, f64::INFINITY, false),
    }
}

/// One possible number for each stretch that the given ones cut the field's range into.
fn between(field: Field, mut cuts: Vec<f64>) -> Vec<f64> {
    let (least, most, counts) = domain(field);
    cuts.extend([least, most].into_iter().filter(|end| end.is_finite()));
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    let mut numbers = Vec::new();
    for (index, cut) in cuts.iter().enumerate() {
        let next = cuts.get(index + 1);
        if counts {
            numbers.extend([cut.ceil() - 1.0, cut.floor(), cut.floor() + 1.0]);
        } else {
            numbers.extend([*cut, next.map_or(cut + 1.0, |next| (cut + next) / 2.0)]);
            if index == 0 {
                numbers.push(cut - 1.0);
            }
        }
    }
    numbers.retain(|number| (least..=most).contains(number));
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    numbers
}

struct Search<'l, 'p> {
    logic: &'l Logic<'p>,
    wishes: &'l [Wish<'p>],
    samples: BTreeMap<Variable<'p>, Vec<Sample<'p>>>,
    below: &'l [(Variable<'p>, Variable<'p>)],
    chosen: BTreeMap<Variable<'p>, Sample<'p>>,
    budget: u32,
}

impl<'p> Search<'_, 'p> {
    fn run(&mut self) -> Option<bool> {
        let number = |variable| match self.chosen.get(variable) {
            Some(Sample::Number(number)) => Some(*number),
            _ => None,
        };
        if self.below.iter().any(|(few, many)| number(few).zip(number(many)).is_some_and(|(a, b)| a > b)) {
            return Some(false);
        }
        let mut open = None;
        for wish in self.wishes {
            match (self.truth(wish.expr, wish.moment, 0), wish.holds) {
                (Truth::Yes, true) | (Truth::No, false) => {}
                (Truth::Yes, false) | (Truth::No, true) => return Some(false),
                (Truth::Open(variable), _) => open = open.or(Some(variable)),
                (Truth::TooDeep, _) => return None,
            }
        }
        let Some(variable) = open else {
            return Some(true);
        };
        let mut certain = true;
        for sample in self.samples.get(&variable).cloned().unwrap_or_default() {
            self.chosen.insert(variable, sample);
            match self.run() {
                Some(true) => return Some(true),
                Some(false) => {}
                None => certain = false,
            }
            if self.budget == 0 {
                return None;
            }
        }
        self.chosen.remove(&variable);
        certain.then_some(false)
    }

    fn truth(&mut self, expr: &'p Expr, moment: Moment, depth: usize) -> Truth<'p> {
        self.budget = self.budget.saturating_sub(1);
        if depth > MAX_DEPTH || self.budget == 0 {
            return Truth::TooDeep;
        }
        match expr {
            Expr::And(parts) => self.joined(parts, moment, depth, false),
            Expr::Or(parts) => self.joined(parts, moment, depth, true),
            Expr::Not(inner) => match self.truth(inner, moment, depth + 1) {
                Truth::Yes => Truth::No,
                Truth::No => Truth::Yes,
                open => open,
            },
            Expr::Segment(name) => match self.logic.segments.get(name.as_str()) {
                Some(when) => self.truth(when, moment, depth + 1),
                None => Truth::No,
            },
            Expr::Compare { field, op, value } => {
                let variable = variable(moment, *field, None);
                self.known(variable, |sample| matches!(sample, Sample::Number(n) if op.holds(*n, *value)))
            }
            Expr::Is { field, words } => {
                let variable = variable(moment, *field, None);
                self.known(
                    variable,
                    |sample| matches!(sample, Sample::Word(word) if words.iter().any(|known| known == word)),
                )
            }
            Expr::Has { field, word } => {
                let variable = variable(moment, *field, Some(word));
                self.known(variable, |sample| *sample == Sample::Member(true))
            }
        }
    }

    /// `and` is decided by a part that fails, `or` by one that holds.
    fn joined(&mut self, parts: &'p [Expr], moment: Moment, depth: usize, or: bool) -> Truth<'p> {
        let mut open = None;
        for part in parts {
            match self.truth(part, moment, depth + 1) {
                Truth::Yes if or => return Truth::Yes,
                Truth::No if !or => return Truth::No,
                Truth::Yes | Truth::No => {}
                Truth::Open(variable) => open = open.or(Some(variable)),
                Truth::TooDeep => return Truth::TooDeep,
            }
        }
        match open {
            Some(variable) => Truth::Open(variable),
            None if or => Truth::No,
            None => Truth::Yes,
        }
    }

    fn known(&self, variable: Variable<'p>, test: impl Fn(&Sample<'p>) -> bool) -> Truth<'p> {
        match self.chosen.get(&variable) {
            None => Truth::Open(variable),
            Some(sample) if test(sample) => Truth::Yes,
            Some(_) => Truth::No,
        }
    }
}

/// Whether a comparison holds for each value that the field can have, as long as it is known.
pub(crate) fn says_nothing(field: Field, op: Op, value: f64) -> bool {
    let samples = between(field, vec![value]);
    !samples.is_empty() && samples.iter().all(|sample| op.holds(*sample, value))
}

#[cfg(test)]
mod tests {
    use comeback_core::policy::{Facts, Segment};
    use proptest::prelude::*;

    use super::*;
    use crate::condition::{Scope, parse_condition};

    fn policy() -> Policy {
        let mut policy = Policy::plain("p", vec![]);
        policy.segments =
            vec![Segment { name: "dear".to_owned(), when: expr("cart.value >= 150 or person.orders > 5") }];
        policy
    }

    fn expr(text: &str) -> Expr {
        let (expr, faults) = parse_condition(text, Scope { segments: &["dear"], early: None });
        assert!(faults.iter().all(|fault| fault.doubt), "{text}: {faults:?}");
        expr.unwrap()
    }

    #[test]
    fn never_and_always() {
        let cases = [
            ("cart.value > 5 and cart.value < 3", true, false),
            ("cart.value > 5 or cart.value <= 5", false, false),
            ("cart.value > 5 or not cart.value > 5", false, true),
            ("cart.items > 2 and cart.items < 3", true, false),
            ("cart.value > 2 and cart.value < 3", false, false),
            ("cart.items < 0", true, false),
            ("cart.margin < 0", false, false),
            ("cart.margin > 1", true, false),
            ("not score.buy > 1", false, true),
            ("session.mobile and not session.mobile", true, false),
            ("abandonment.trigger == \"idle\" and abandonment.trigger == \"browse\"", true, false),
            ("abandonment.trigger == \"idle\" or abandonment.trigger != \"idle\"", false, true),
            ("abandonment.cause == \"price\" or abandonment.cause != \"price\"", false, false),
            ("person.country in (\"DE\", \"AT\") and not person.country == \"DE\"", false, false),
            ("person.country == \"DE\" and not person.country in (\"DE\", \"AT\")", true, false),
            ("cart.classes has \"a\" and cart.classes has \"b\"", false, false),
            ("cart.classes has \"a\" and not cart.classes has \"a\"", true, false),
            ("dear and cart.value < 100 and person.orders == 0", true, false),
            ("dear and cart.value < 100", false, false),
            ("cart.lines > 5 and cart.items < 3", true, false),
            ("cart.lines > 2 and cart.items < 3", true, false),
            ("cart.lines > 1 and cart.items < 3", false, false),
            ("abandonment.clicks > 1 and abandonment.contacts <= 1", true, false),
            ("person.orders == 0 and person.lifetime_value > 5", true, false),
            ("person.orders == 0 and person.lifetime_value < 5", false, false),
            ("person.orders == 0 and person.days_since_order < 5", true, false),
            ("abandonment.contacts == 0 and abandonment.last_channel == \"email\"", true, false),
            ("abandonment.contacts == 1 and abandonment.last_channel == \"email\"", false, false),
            // Without `[shipping] free_from` it is never known.
            ("cart.shipping_gap >= 0", true, false),
        ];
        let policy = policy();
        for (text, never, always) in cases {
            let expr = expr(text);
            let logic = Logic::new(&policy);
            assert_eq!((logic.never(&expr), logic.always(&expr)), (never, always), "{text}");
        }
    }

    #[test]
    fn what_is_too_much_has_no_answer() {
        let policy = policy();
        // Every pair of classes differs: 2^40 cases.
        let parts: Vec<String> = (0..40)
            .map(|i| format!("(cart.classes has \"a{i}\" or cart.classes has \"b{i}\") and not (cart.classes has \"a{i}\" and cart.classes has \"b{i}\")"))
            .collect();
        let expr = Expr::And(vec![
            Expr::Or(parts.iter().map(|part| expr(part)).collect()),
            Expr::And(
                (0..40)
                    .map(|i| expr(&format!("cart.classes has \"a{i}\" or cart.classes has \"b{i}\"")))
                    .collect(),
            ),
            Expr::And(
                (0..40)
                    .map(|i| expr(&format!("not cart.classes has \"a{i}\" or cart.classes has \"b{i}\"")))
                    .collect(),
            ),
            expr("not cart.classes has \"b39\""),
        ]);
        let logic = Logic::new(&policy);
        let answer = logic.possible(&[holds(&expr)]);
        assert!(answer != Some(true), "it is impossible");
        assert!(PER_POLICY - logic.left.get() <= PER_QUESTION);
    }

    fn condition() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            (
                proptest::sample::select(vec!["cart.value", "cart.items", "score.buy"]),
                proptest::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]),
                -1i32..4,
            )
                .prop_map(|(field, op, number)| format!("{field} {op} {number}")),
            proptest::sample::select(vec![
                "session.mobile",
                "abandonment.cause == \"price\"",
                "abandonment.cause in (\"price\", \"validation\")",
                "cart.classes has \"a\"",
                "cart.classes has \"b\"",
                "dear",
            ])
            .prop_map(str::to_owned),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|a| format!("not ({a})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
                (inner.clone(), inner).prop_map(|(a, b)| format!("({a} or {b})")),
            ]
        })
    }

    proptest! {
        /// Whatever the facts are, an answer agrees with what the core finds.
        #[test]
        fn answers_are_right(
            text in condition(),
            value in proptest::option::of(0u32..400),
            items in proptest::option::of(0u32..4),
            buy in proptest::option::of(0.0..=1.0f64),
            orders in proptest::option::of(0u32..8),
            mobile in proptest::option::of(any::<bool>()),
            cause in proptest::option::of(proptest::sample::select(vec!["price", "validation", "distraction"])),
            classes in proptest::option::of(proptest::sample::subsequence(vec!["a", "b", "c"], 0..3)),
        ) {
            let policy = policy();
            let expr = expr(&text);
            let mut facts = Facts::default();
            facts.set_known(Field::CartValue, value.map(f64::from));
            facts.set_known(Field::CartItems, items.map(f64::from));
            facts.set_known(Field::ScoreBuy, buy);
            facts.set_known(Field::PersonOrders, orders.map(f64::from));
            if let Some(mobile) = mobile { facts.set_flag(Field::SessionMobile, mobile); }
            if let Some(cause) = cause { facts.set_word(Field::AbandonmentCause, cause); }
            if let Some(classes) = classes {
                facts.set_words(Field::CartClasses, classes.into_iter().map(str::to_owned).collect());
            }
            let found = policy.holds(&expr, &facts);
            let logic = Logic::new(&policy);
            prop_assert!(!(found && logic.never(&expr)), "{} can hold", text);
            prop_assert!(found || !logic.always(&expr), "{} can fail", text);
        }
    }
}
