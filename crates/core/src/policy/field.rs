//! What a condition may ask about: every field with its name, type, unit and when it is known, and
//! the facts that answer. Where facts come from is the recovery's and the person's.

use core::fmt;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number, with its unit.
    Number(&'static str),
    /// Yes or no; in conditions by itself, in [`Expr::Compare`](super::Expr::Compare) as 1 or 0.
    Flag,
    /// One word: of a closed list, or of any if the list is empty.
    Word(&'static [&'static str]),
    /// Several words.
    Words,
}

/// Since when a field is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Known {
    /// At the abandonment, from the cart itself: usable everywhere.
    Cart,
    /// At the abandonment as of the last time the person was asked, at a claim as of that moment:
    /// usable everywhere.
    Person,
    /// Only when a step is claimed: usable in a step's and an offer's `when`.
    Claim,
}

/// A field as policies, docs and the JSON Schema know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSpec {
    /// Which.
    pub field: Field,
    /// Its name in a policy text, `cart.value`.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Since when it is known.
    pub known: Known,
    /// What it is.
    pub about: &'static str,
}

macro_rules! fields {
    ($($field:ident $name:literal $kind:expr, $known:ident, $about:literal;)+) => {
        /// What a condition may ask about. See [`FIELDS`] for names, types and units.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Field {
            $(
                #[doc = concat!("`", $name, "`: ", $about, ".")]
                $field,
            )+
        }

        /// Every field, in the order of [`Field`].
        pub const FIELDS: &[FieldSpec] = &[
            $(FieldSpec { field: Field::$field, name: $name, kind: $kind, known: Known::$known, about: $about },)+
        ];
    };
}

const STAGES: &[&str] = &["browse", "cart", "checkout", "shipping", "payment"];
const TRIGGERS: &[&str] = &["idle", "page_exit", "checkout_error", "platform_end", "abrupt_end", "browse"];
const CAUSES: &[&str] =
    &["declined_card", "out_of_stock", "shipping_cost", "validation", "price", "distraction"];
const CHANNELS: &[&str] = &["email", "sms", "push"];

fields! {
    CartValue "cart.value" Kind::Number("major units of the shop's currency"), Cart, "sum of the lines; unknown in a currency for which the policy gives no rate";
    CartItems "cart.items" Kind::Number("pieces"), Cart, "pieces in the cart";
    CartLines "cart.lines" Kind::Number("lines"), Cart, "different items in the cart";
    CartMargin "cart.margin" Kind::Number("share of the value, 0 to 1"), Claim, "what is left of the value after unit costs; unknown unless the catalogue has a cost for every line";
    CartClasses "cart.classes" Kind::Words, Cart, "product classes in the cart";
    CartShippingGap "cart.shipping_gap" Kind::Number("major units of the shop's currency"), Cart, "what is missing to free shipping, 0 if nothing; unknown without `[shipping] free_from`";
    CartAge "cart.age_h" Kind::Number("hours"), Cart, "since the cart was begun";
    PersonOrders "person.orders" Kind::Number("orders"), Person, "orders ever, cancelled ones not counted";
    PersonLifetimeValue "person.lifetime_value" Kind::Number("major units of the shop's currency"), Person, "sum of the orders whose total a signed source told";
    PersonDaysSinceOrder "person.days_since_order" Kind::Number("days"), Person, "since the last order; unknown without one";
    PersonOffers90d "person.offers_90d" Kind::Number("offers"), Person, "offers sent in 90 days";
    PersonAbandonments90d "person.abandonments_90d" Kind::Number("abandonments"), Person, "carts left in 90 days, this one included";
    PersonSends30d "person.sends_30d" Kind::Number("messages"), Person, "messages sent in 30 days";
    PersonClicks30d "person.clicks_30d" Kind::Number("clicks"), Person, "messages followed in 30 days";
    PersonUnanswered "person.unanswered" Kind::Number("messages"), Person, "messages in a row that were not followed";
    PersonVerified "person.verified" Kind::Flag, Person, "an address is verified";
    PersonCountry "person.country" Kind::Word(&[]), Person, "ISO 3166-1 alpha-2 code of the place, `DE`";
    PersonTags "person.tags" Kind::Words, Person, "tags that the shop or earlier segments left";
    SessionMobile "session.mobile" Kind::Flag, Cart, "the last session was on a phone";
    SessionStage "session.stage" Kind::Word(STAGES), Cart, "furthest stage reached";
    SessionPages "session.pages" Kind::Number("pages"), Cart, "pages opened";
    SessionProductViews "session.product_views" Kind::Number("products"), Cart, "products looked at";
    SessionDwell "session.dwell_s" Kind::Number("seconds"), Cart, "time on products";
    SessionRemoves "session.removes" Kind::Number("times"), Cart, "times something was taken out";
    SessionShippingEstimates "session.shipping_estimates" Kind::Number("times"), Cart, "times the price of shipping was looked at";
    SessionCouponsRefused "session.coupons_refused" Kind::Number("times"), Cart, "codes tried that the shop refused";
    SessionCheckoutError "session.checkout_error" Kind::Flag, Cart, "checkout refused something";
    AbandonmentTrigger "abandonment.trigger" Kind::Word(TRIGGERS), Cart, "how the cart was left";
    AbandonmentCause "abandonment.cause" Kind::Word(CAUSES), Cart, "the likely cause of leaving";
    AbandonmentNumber "abandonment.number" Kind::Number("abandonments"), Cart, "1 for the cart's first";
    AbandonmentContacts "abandonment.contacts" Kind::Number("messages"), Claim, "messages sent in this abandonment";
    AbandonmentClicks "abandonment.clicks" Kind::Number("clicks"), Claim, "messages of this abandonment that were followed";
    AbandonmentLastChannel "abandonment.last_channel" Kind::Word(CHANNELS), Claim, "channel of the last message of this abandonment";
    ScoreBuy "score.buy" Kind::Number("probability, 0 to 1"), Cart, "probability of buying without help, once the page has sent a batch";
}

impl Field {
    /// Its specification.
    #[must_use]
    pub const fn spec(self) -> &'static FieldSpec {
        &FIELDS[self as usize]
    }
}

/// What is known about one field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number, or a flag as 1 or 0.
    Number(f64),
    /// A word; mostly one of the core's own, which needs no room of its own.
    Word(Cow<'static, str>),
    /// Several. Boxed, so that a value takes three words of memory and a table no slow allocation.
    Words(Box<[String]>),
}

/// What is known of a cart and its person when a condition is asked. What is not there is unknown.
///
/// A table by field, shared by its copies: every decision is recorded with the facts that it rests on.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "BTreeMap<Field, Value>")]
pub struct Facts(Option<Arc<Table>>);

type Table = [Option<Value>; FIELDS.len()];

impl From<BTreeMap<Field, Value>> for Facts {
    fn from(known: BTreeMap<Field, Value>) -> Self {
        let mut facts = Self::default();
        for (field, value) in known {
            facts.put(field, value);
        }
        facts
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Facts {
    fn table(&mut self) -> &mut Table {
        Arc::make_mut(self.0.get_or_insert_with(|| Arc::new([const { None }; FIELDS.len()])))
    }

    fn put(&mut self, field: Field, value: Value) {
        self.table()[field as usize] = Some(value);
    }

    /// Adds a number.
    pub fn set(&mut self, field: Field, number: f64) {
        self.put(field, Value::Number(number));
    }

    /// Adds a number that may be unknown.
    pub fn set_known(&mut self, field: Field, number: Option<f64>) {
        if let Some(number) = number {
            self.set(field, number);
        }
    }

    /// Adds a flag.
    pub fn set_flag(&mut self, field: Field, flag: bool) {
        self.set(field, if flag { 1.0 } else { 0.0 });
    }

    /// Adds a word.
    pub fn set_word(&mut self, field: Field, word: impl Into<Cow<'static, str>>) {
        self.put(field, Value::Word(word.into()));
    }

    /// Adds a set of words.
    pub fn set_words(&mut self, field: Field, words: Vec<String>) {
        self.put(field, Value::Words(words.into()));
    }

    /// These facts and a number, for building them in one go.
    #[must_use]
    pub fn with(mut self, field: Field, number: f64) -> Self {
        self.set(field, number);
        self
    }

    /// What is known of a field.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&Value> {
        self.0.as_ref()?[field as usize].as_ref()
    }

    /// The number that is known of a field.
    #[must_use]
    pub fn number(&self, field: Field) -> Option<f64> {
        match self.get(field) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// What is known since then, and no other.
    #[must_use]
    pub fn only(&self, known: Known) -> Self {
        self.filtered(|spec| spec.known == known)
    }

    /// All but what is known since then.
    #[must_use]
    pub fn without(&self, known: Known) -> Self {
        self.filtered(|spec| spec.known != known)
    }

    fn filtered(&self, keep: impl Fn(&FieldSpec) -> bool) -> Self {
        let mut kept = self.clone();
        if kept.0.is_some() {
            for (held, _) in kept.table().iter_mut().zip(FIELDS).filter(|(_, spec)| !keep(spec)) {
                *held = None;
            }
        }
        kept
    }

    /// All that is known, in the order of the fields.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &Value)> {
        let table = self.0.as_deref().map_or(&[][..], |table| &table[..]);
        table.iter().zip(FIELDS).filter_map(|(held, spec)| Some((spec.field, held.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for spec in FIELDS {
            assert_eq!(spec.field.spec(), spec);
        }
    }
}
