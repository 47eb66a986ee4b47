//! The body of `POST /v1/events`: a batch of GA4-shaped events from one page.
//!
//! Everything in it comes from a stranger who knows the public key. Names of events that this
//! version does not know are counted and ignored (a newer page may talk to an older edge);
//! anything malformed refuses the whole batch with the place named, so that nothing is half-kept.

use comeback_core::cart::{Change, Line, MAX_LINES, MAX_QUANTITY, Trust};
use comeback_core::cause::Cause;
use comeback_core::experiment::Exposure;
use comeback_core::id::{CartId, EventId};
use comeback_core::money::Currency;
use comeback_core::signal::{CheckoutError, PanelMoment, Signal, SignalKind, Viewed};
use comeback_core::time::{DAY, MINUTE, Millis, Timestamp};
use serde::Deserialize;

/// Largest body, in bytes: what `sendBeacon` carries safely beside others (64 KiB shared).
pub const MAX_BODY: usize = 16 * 1024;
/// Most events in a batch.
pub const MAX_EVENTS: usize = 200;
/// Longest text kept of any field; the rest is cut off at a character.
pub const MAX_TEXT: usize = 256;
/// Longest URL kept; a longer one is dropped, for half a URL leads nowhere.
pub const MAX_URL: usize = 1024;
/// How far back an event may claim to lie: an offline queue's patience.
const OLDEST: Millis = 7 * DAY;

/// A page's clock that differs by less is taken as it is: networks take time too.
const SKEW: Millis = 2 * MINUTE;

/// Why a batch was refused. Says where, never what was there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// Larger than [`MAX_BODY`].
    #[error("the body is larger than {MAX_BODY} bytes")]
    TooLarge,
    /// Not the JSON that was expected.
    #[error("the body is not a capture batch: {0}")]
    Malformed(String),
    /// A version this edge does not speak.
    #[error("version {0} is not spoken here; send 1")]
    Version(u32),
    /// More than [`MAX_EVENTS`].
    #[error("more than {MAX_EVENTS} events in one batch")]
    TooMany,
    /// One event is wrong.
    #[error("events[{index}].{what}")]
    Event {
        /// Which, from 0.
        index: usize,
        /// What is wrong and where.
        what: String,
    },
}

/// A checked batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The shop's public key.
    pub pk: String,
    /// The cart as the page knows it.
    pub cart: Option<CartId>,
    /// IANA zone of the browser, unchecked.
    pub zone: Option<String>,
    /// Language tag, unchecked.
    pub locale: Option<String>,
    /// A phone.
    pub mobile: bool,
    /// The browser says that it is driven by a program.
    pub automated: bool,
    /// Whether storage was agreed to; without it no cookie is set.
    pub storage: bool,
    /// In the order of the batch.
    pub signals: Vec<Signal>,
    /// Events of names unknown here.
    pub ignored: u32,
}

#[derive(Deserialize)]
struct RawBatch {
    v: u32,
    pk: String,
    #[serde(default)]
    cart: Option<CartId>,
    #[serde(default)]
    page: RawPage,
    #[serde(default)]
    consent: RawConsent,
    #[serde(default)]
    automated: bool,
    /// The page's clock when it sent the batch.
    #[serde(default)]
    sent: Option<i64>,
    events: Vec<RawEvent>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawPage {
    tz: Option<String>,
    locale: Option<String>,
    mobile: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawConsent {
    storage: bool,
}

#[derive(Deserialize)]
struct RawEvent {
    id: EventId,
    t: i64,
    name: String,
    #[serde(default)]
    data: RawData,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawData {
    currency: Option<String>,
    items: Vec<RawItem>,
    dwell_ms: Option<f64>,
    accepted: bool,
    step: String,
    code: String,
    method: String,
    panel: Word,
    experiment: Word,
    arm: Word,
    reason: Word,
    transaction_id: Option<Text>,
}

/// One GA4 item.
#[derive(Deserialize)]
struct RawItem {
    item_id: Text,
    #[serde(default)]
    item_name: Option<Text>,
    #[serde(default)]
    item_variant: Option<Text>,
    #[serde(default)]
    price: Option<Number>,
    #[serde(default)]
    quantity: Option<Number>,
    #[serde(default)]
    image_url: Option<String>,
    #[serde(default)]
    item_url: Option<String>,
}

/// A text; anything else is as good as none. Another event may use the same field for something of its own,
/// and no cart must be lost over it.
#[derive(Default)]
struct Word(String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(from)?;
        Ok(Self(value.as_str().map(|text| clip(text, 64)).unwrap_or_default()))
    }
}

/// Shops send ids as text or as whole numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Words(String),
    Whole(i64),
}

impl Text {
    fn into_text(self) -> String {
        match self {
            Self::Words(s) => clip(&s, MAX_TEXT),
            Self::Whole(n) => n.to_string(),
        }
    }
}

/// Shops send prices as numbers or as decimal text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Value(f64),
    Words(String),
}

impl Number {
    fn minor(&self, currency: Currency) -> Option<i64> {
        match self {
            Self::Value(v) => currency.minor_from_number(*v),
            Self::Words(s) => currency.minor_from_decimal(s),
        }
        .filter(|m| *m >= 0)
    }

    fn quantity(&self) -> Option<u32> {
        let value = match self {
            Self::Value(v) => *v,
            Self::Words(s) => s.parse().ok()?,
        };
        let fine = value.fract() == 0.0 && (1.0..=f64::from(MAX_QUANTITY)).contains(&value);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "in range by the check before"
        )]
        fine.then_some(value as u32)
    }
}

/// Cuts a text at a character boundary and drops control characters.
#[must_use]
pub fn clip(text: &str, most: usize) -> String {
    let mut kept = String::with_capacity(text.len().min(most));
    for c in text.chars().filter(|c| !c.is_control()) {
        if kept.len() + c.len_utf8() > most {
            break;
        }
        kept.push(c);
    }
    kept
}

/// Keeps an address of the web or a path of the shop; anything else (`javascript:` above all) goes.
#[must_use]
pub fn web_url(text: &str) -> Option<String> {
    let fine = text.len() <= MAX_URL
        && !text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '"' | '<' | '>' | '\\'))
        && (text.starts_with("https://")
            || text.starts_with("http://localhost")
            || text.starts_with("http://127.0.0.1")
            || (text.starts_with('/') && !text.starts_with("//")));
    fine.then(|| text.to_owned())
}

impl Batch {
    /// Parses and checks a body as it came in at `now`.
    pub fn parse(body: &[u8], now: Timestamp) -> Result<Self, CaptureError> {
        if body.len() > MAX_BODY {
            return Err(CaptureError::TooLarge);
        }
        let raw: RawBatch = serde_json::from_slice(body).map_err(|e| CaptureError::Malformed(place(&e)))?;
        if raw.v != 1 {
            return Err(CaptureError::Version(raw.v));
        }
        if raw.events.len() > MAX_EVENTS {
            return Err(CaptureError::TooMany);
        }
        let mut signals = Vec::with_capacity(raw.events.len());
        let mut ignored = 0;
        // Where the page says what its clock showed, its times are brought to ours.
        let skew = raw.sent.map_or(0, |sent| now.since(Timestamp::from_millis(sent)));
        let skew = if skew.abs() > SKEW { skew } else { 0 };
        for (index, event) in raw.events.into_iter().enumerate() {
            let at = Timestamp::from_millis(event.t).plus(skew).min(now).max(now.plus(-OLDEST));
            let mut data = event.data;
            if let Some((item, dwell_ms)) = dwelt(&event.name, &mut data) {
                // Derived, so that the event that comes again brings the same look again.
                let id = EventId::derive(&[event.id.as_str(), "dwelt"]);
                signals.push(Signal { id, at, kind: SignalKind::Dwelt { item, dwell_ms } });
            }
            match kind(&event.name, data).map_err(|what| CaptureError::Event { index, what })? {
                Some(kind) => signals.push(Signal { id: event.id, at, kind }),
                None => ignored += 1,
            }
        }
        Ok(Self {
            pk: clip(&raw.pk, 64),
            cart: raw.cart,
            zone: raw.page.tz.map(|z| clip(&z, 64)),
            locale: raw.page.locale.map(|l| clip(&l, 35)),
            mobile: raw.page.mobile,
            automated: raw.automated,
            storage: raw.consent.storage,
            signals,
            ignored,
        })
    }

    /// Whether the batch needs a cart: something was put in.
    #[must_use]
    pub fn bears_cart(&self) -> bool {
        self.signals.iter().any(|s| match &s.kind {
            SignalKind::Cart { change: Change::Add(lines) | Change::Set(lines), .. } => !lines.is_empty(),
            _ => false,
        })
    }

    /// The currency of the first cart change.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.signals.iter().find_map(|s| match &s.kind {
            SignalKind::Cart { currency, .. } => Some(*currency),
            _ => None,
        })
    }
}

/// Line and column without the offending text, which may be personal.
#[must_use]
pub fn place(e: &serde_json::Error) -> String {
    let what = match e.classify() {
        serde_json::error::Category::Syntax => "broken JSON",
        serde_json::error::Category::Eof => "cut off",
        serde_json::error::Category::Data => "a field is missing or of the wrong type",
        serde_json::error::Category::Io => "unreadable",
    };
    format!("{what} at line {} column {}", e.line(), e.column())
}

fn kind(name: &str, data: RawData) -> Result<Option<SignalKind>, String> {
    let cart = |data: RawData, make: fn(Vec<Line>) -> Change| -> Result<Option<SignalKind>, String> {
        let code = data.currency.as_deref().ok_or("data.currency: missing")?;
        let currency = Currency::parse(code).map_err(|e| format!("data.currency: {e}"))?;
        if data.items.len() > MAX_LINES {
            return Err(format!("data.items: more than {MAX_LINES}"));
        }
        let lines = data
            .items
            .into_iter()
            .enumerate()
            .map(|(i, item)| line(i, item, currency))
            .collect::<Result<_, _>>()?;
        Ok(Some(SignalKind::Cart { currency, change: make(lines) }))
    };
    Ok(Some(match name {
        "page_view" => SignalKind::PageView,
        "view_item" => {
            let dwell_ms = dwell(&data);
            SignalKind::ViewItem { item: data.items.into_iter().next().and_then(viewed), dwell_ms }
        }
        "view_cart" | "cart_set" => return cart(data, Change::Set),
        "add_to_cart" => return cart(data, Change::Add),
        "remove_from_cart" => return cart(data, Change::Remove),
        "begin_checkout" => SignalKind::BeginCheckout,
        "add_shipping_info" => SignalKind::AddShippingInfo,
        "add_payment_info" => SignalKind::AddPaymentInfo,
        "view_shipping_estimate" => SignalKind::ViewShippingEstimate,
        "try_coupon" => SignalKind::TryCoupon { accepted: data.accepted },
        "checkout_error" => SignalKind::CheckoutError(CheckoutError {
            step: clip(&data.step, 64),
            code: clip(&data.code, 64),
            method: clip(&data.method, 64),
        }),
        "purchase" => {
            let order = data.transaction_id.ok_or("data.transaction_id: missing")?.into_text();
            if order.is_empty() {
                return Err("data.transaction_id: empty".to_owned());
            }
            SignalKind::Purchase { order }
        }
        "exit_intent" => SignalKind::ExitIntent,
        "page_hide" => SignalKind::PageHide,
        "panel_shown" | "panel_withheld" if !data.experiment.0.is_empty() => {
            let exposure = Exposure { experiment: data.experiment.0, arm: data.arm.0 };
            SignalKind::PanelMoment(PanelMoment {
                panel: data.panel.0,
                exposure,
                withheld: name == "panel_withheld",
            })
        }
        // A reason of the shop's own that is none of the known ones says nothing here.
        "survey_answer" => Cause::parse(&data.reason.0).map_or(SignalKind::Panel, SignalKind::Said),
        "panel_shown" | "panel_withheld" | "panel_closed" | "panel_clicked" => SignalKind::Panel,
        _ => return Ok(None),
    }))
}

/// Time on a product, at most a day.
fn dwell(data: &RawData) -> Option<Millis> {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to a day")]
    let whole = |ms: f64| ms.clamp(0.0, 86_400_000.0) as i64;
    data.dwell_ms.filter(|d| d.is_finite()).map(whole)
}

/// The look that ended with a page: what `page_hide` and the next `page_view` say of the product before.
fn dwelt(name: &str, data: &mut RawData) -> Option<(Viewed, Millis)> {
    if !matches!(name, "page_hide" | "page_view") {
        return None;
    }
    let dwell_ms = dwell(data)?;
    let items = std::mem::take(&mut data.items);
    Some((items.into_iter().next().and_then(viewed)?, dwell_ms))
}

/// The product that was looked at. Its class is the catalogue's to say, never a page's.
fn viewed(item: RawItem) -> Option<Viewed> {
    let item_id = item.item_id.into_text();
    let item_variant = item.item_variant.map(Text::into_text).filter(|v| !v.is_empty());
    (!item_id.is_empty()).then_some(Viewed { item_id, item_variant, class: None })
}

fn line(index: usize, item: RawItem, currency: Currency) -> Result<Line, String> {
    let item_id = item.item_id.into_text();
    if item_id.is_empty() {
        return Err(format!("data.items[{index}].item_id: empty"));
    }
    let unit_price_minor = match item.price {
        None => 0,
        Some(p) => p
            .minor(currency)
            .ok_or_else(|| format!("data.items[{index}].price: not an amount of {}", currency.code()))?,
    };
    let quantity = match item.quantity {
        None => 1,
        Some(q) => q.quantity().ok_or_else(|| {
            format!("data.items[{index}].quantity: not a whole number from 1 to {MAX_QUANTITY}")
        })?,
    };
    Ok(Line {
        item_id,
        item_variant: item.item_variant.map(Text::into_text).filter(|v| !v.is_empty()),
        quantity,
        unit_price_minor,
        title: item.item_name.map(Text::into_text).unwrap_or_default(),
        image_url: item.image_url.as_deref().and_then(web_url),
        item_url: item.item_url.as_deref().and_then(web_url),
        class: None,
        trust: Trust::Page,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn parse(events: &str) -> Result<Batch, CaptureError> {
        Batch::parse(format!(r#"{{"v":1,"pk":"pk_demo","events":[{events}]}}"#).as_bytes(), NOW)
    }

    #[test]
    fn moments_of_panels_are_told_with_their_arm_and_answers_by_their_cause() {
        let kinds = |events: &str| -> Vec<SignalKind> {
            parse(events).unwrap().signals.into_iter().map(|s| s.kind).collect()
        };
        let moment = |withheld| {
            let exposure = Exposure { experiment: "words".to_owned(), arm: "plain".to_owned() };
            SignalKind::PanelMoment(PanelMoment { panel: "exit".to_owned(), exposure, withheld })
        };
        let event =
            |name: &str, data: &str| format!(r#"{{"id":"evt_1","t":1,"name":"{name}","data":{data}}}"#);
        let named = r#"{"panel":"exit","experiment":"words","arm":"plain"}"#;
        assert_eq!(kinds(&event("panel_shown", named)), [moment(false)]);
        assert_eq!(kinds(&event("panel_withheld", named)), [moment(true)]);
        assert_eq!(kinds(&event("panel_shown", r#"{"panel":"exit"}"#)), [SignalKind::Panel]);
        assert_eq!(kinds(&event("survey_answer", r#"{"reason":"price"}"#)), [SignalKind::Said(Cause::Price)]);
        assert_eq!(kinds(&event("survey_answer", r#"{"reason":"the weather"}"#)), [SignalKind::Panel]);
        // What is no word of ours loses no batch.
        assert_eq!(kinds(&event("survey_answer", r#"{"reason":[1]}"#)), [SignalKind::Panel]);
        assert_eq!(kinds(&event("page_view", r#"{"reason":4,"arm":true}"#)), [SignalKind::PageView]);
    }

    #[test]
    fn a_ga4_event_becomes_a_signal() {
        let batch = parse(
            r#"{"id":"evt_1","t":1799999999000,"name":"add_to_cart","data":{"currency":"EUR","value":39.9,
               "items":[{"item_id":7,"item_variant":"red","item_name":"Mug","price":"19.95","quantity":2,
               "image_url":"javascript:alert(1)","item_url":"/p/7"}]}}"#,
        )
        .unwrap();
        assert!(batch.bears_cart());
        let SignalKind::Cart { change: Change::Add(lines), .. } = &batch.signals[0].kind else { panic!() };
        assert_eq!(lines[0].item_id, "7");
        assert_eq!(lines[0].unit_price_minor, 1995);
        assert_eq!(lines[0].image_url, None, "only addresses of the web");
        assert_eq!(lines[0].item_url.as_deref(), Some("/p/7"));
    }

    #[test]
    fn a_look_names_its_product_and_never_its_class() {
        let looked = |data: &str| {
            let event = format!(r#"{{"id":"evt_1","t":1,"name":"view_item","data":{data}}}"#);
            parse(&event).unwrap().signals[0].kind.clone()
        };
        let item = |item_id: &str, item_variant: Option<&str>| {
            let (item_id, item_variant) = (item_id.to_owned(), item_variant.map(str::to_owned));
            Some(Viewed { item_id, item_variant, class: None })
        };
        for (data, expect, dwell_ms) in [
            (r#"{"dwell_ms":1500.5,"items":[{"item_id":7,"class":"sofas"}]}"#, item("7", None), Some(1500)),
            (
                r#"{"items":[{"item_id":"a","item_variant":"red"},{"item_id":"b"}]}"#,
                item("a", Some("red")),
                None,
            ),
            (r#"{"items":[{"item_id":""}],"dwell_ms":-3}"#, None, Some(0)),
            (r#"{"dwell_ms":1e300}"#, None, Some(86_400_000)),
        ] {
            assert_eq!(looked(data), SignalKind::ViewItem { item: expect, dwell_ms }, "{data}");
        }
    }

    #[test]
    fn a_page_that_is_left_says_how_long_its_product_was_looked_at() {
        let left = |name: &str, data: &str| {
            let event = format!(r#"{{"id":"evt_1","t":1,"name":"{name}","data":{data}}}"#);
            parse(&event).unwrap().signals
        };
        let whole = r#"{"dwell_ms":61000,"items":[{"item_id":"mug"}]}"#;
        for (name, kind) in [("page_hide", SignalKind::PageHide), ("page_view", SignalKind::PageView)] {
            let signals = left(name, whole);
            let item = Viewed { item_id: "mug".into(), item_variant: None, class: None };
            assert_eq!(signals[0].kind, SignalKind::Dwelt { item, dwell_ms: 61_000 });
            assert!(!signals[0].kind.is_activity(), "a page that is closed is no sign of life");
            assert_eq!(signals[1].kind, kind);
            assert_ne!(signals[0].id, signals[1].id);
            assert_eq!(signals, left(name, whole), "the same again is the same");
            for partly in ["{}", r#"{"dwell_ms":61000}"#, r#"{"items":[{"item_id":"mug"}]}"#] {
                assert_eq!(left(name, partly).len(), 1, "{partly}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        let item = |fields: &str| {
            format!(
                r#"{{"id":"evt_1","t":1,"name":"add_to_cart","data":{{"currency":"EUR","items":[{{{fields}}}]}}}}"#
            )
        };
        let cases = [
            (item(r#""item_id":"""#), "events[0].data.items[0].item_id: empty"),
            (item(r#""item_id":"a","price":-1"#), "events[0].data.items[0].price: not an amount of EUR"),
            (item(r#""item_id":"a","price":"1.999""#), "events[0].data.items[0].price: not an amount of EUR"),
            (
                item(r#""item_id":"a","quantity":0"#),
                "events[0].data.items[0].quantity: not a whole number from 1 to 9999",
            ),
            (
                item(r#""item_id":"a","quantity":1.5"#),
                "events[0].data.items[0].quantity: not a whole number from 1 to 9999",
            ),
            (
                r#"{"id":"evt_1","t":1,"name":"view_cart","data":{}}"#.to_owned(),
                "events[0].data.currency: missing",
            ),
            (
                r#"{"id":"evt_1","t":1,"name":"view_cart","data":{"currency":"eur"}}"#.to_owned(),
                "events[0].data.currency: expected an ISO 4217 code of three capital letters",
            ),
            (
                r#"{"id":"evt_1","t":1,"name":"purchase","data":{}}"#.to_owned(),
                "events[0].data.transaction_id: missing",
            ),
        ];
        for (events, expect) in cases {
            assert_eq!(parse(&events).unwrap_err().to_string(), expect);
        }
    }

    #[test]
    fn times_are_brought_into_reason_and_unknown_names_are_counted() {
        let batch = parse(
            r#"{"id":"evt_1","t":9999999999999999,"name":"page_view"},
               {"id":"evt_2","t":-5,"name":"page_view"},
               {"id":"evt_3","t":1,"name":"a_name_of_the_future","data":{"items":[]}}"#,
        )
        .unwrap();
        assert_eq!(batch.signals[0].at, NOW);
        assert_eq!(batch.signals[1].at, NOW.plus(-OLDEST));
        assert_eq!(batch.ignored, 1);
    }

    #[test]
    fn a_clock_that_is_wrong_is_corrected_by_what_it_showed() {
        let hour = 3_600_000;
        let body = |sent: i64| {
            format!(
                r#"{{"v":1,"pk":"pk_demo","sent":{sent},"events":[{{"id":"evt_1","t":{},"name":"page_view"}}]}}"#,
                sent - 5_000
            )
        };
        for slow in [-3 * hour, -60_000, 0, 60_000, 3 * hour] {
            let batch = Batch::parse(body(NOW.millis() + slow).as_bytes(), NOW).unwrap();
            let off = batch.signals[0].at.since(NOW.plus(-5_000));
            assert!(off.abs() <= SKEW, "{slow}: {off}");
        }
    }

    #[test]
    fn hostile_bodies_are_refused_without_quoting_them() {
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        for body in [
            "",
            "{",
            "null",
            "[]",
            r#"{"v":2,"pk":"x","events":[]}"#,
            r#"{"v":1,"pk":"secret","events":{}}"#,
            &deep,
        ] {
            let told = Batch::parse(body.as_bytes(), NOW).unwrap_err().to_string();
            assert!(!told.contains("secret"), "{told}");
        }
        assert_eq!(Batch::parse(&vec![b' '; MAX_BODY + 1], NOW), Err(CaptureError::TooLarge));
    }
}
