//! GA4-shaped events to the core's signals: which names are known, which fields may travel. Takes
//! nothing else from a page: a data layer often holds an email address.

use comeback_core::cart::{Change, Line, MAX_LINES, MAX_QUANTITY, Trust};
use comeback_core::money::Currency;
use comeback_core::signal::{CheckoutError, SignalKind};
use js_sys::{Array, Object};
use wasm_bindgen::{JsCast, JsValue};

use crate::reflect::{flag, get, number, set, set_text, text};

/// Fields that travel as they are when they are numbers, texts or truth values.
const FIELDS: [&str; 14] = [
    "value",
    "dwell_ms",
    "transaction_id",
    "coupon",
    "accepted",
    "payment_type",
    "step",
    "code",
    "method",
    "trigger",
    "panel",
    "experiment",
    "arm",
    "reason",
];

/// An event that was understood.
pub(crate) struct Captured {
    /// What the core makes of it.
    pub(crate) kind: SignalKind,
    /// Items and what tells it from another act, for deduplication.
    pub(crate) key: String,
    /// What is sent, without `items`.
    pub(crate) data: Object,
    /// The items, if the event has them.
    pub(crate) lines: Option<Vec<Line>>,
    /// Their currency.
    pub(crate) currency: Currency,
}

/// Reads an event; `None` for an unknown name or one that lacks what it is about.
pub(crate) fn read(name: &str, raw: &JsValue, default: Currency) -> Option<Captured> {
    let currency = currency(raw).unwrap_or(default);
    let items = get(raw, "items");
    let lines = Array::is_array(&items).then(|| lines(&items, currency));
    let field = |name: &str| text(raw, name).unwrap_or_default();
    let cart = |change: fn(Vec<Line>) -> Change| {
        lines.clone().map(|lines| SignalKind::Cart { currency, change: change(lines) })
    };
    let kind = match name {
        "page_view" => SignalKind::PageView,
        "view_item" => SignalKind::ViewItem { item: None, dwell_ms: number(raw, "dwell_ms").map(whole) },
        "view_cart" | "cart_set" => cart(Change::Set)?,
        "add_to_cart" => cart(Change::Add)?,
        "remove_from_cart" => cart(Change::Remove)?,
        "begin_checkout" => SignalKind::BeginCheckout,
        "add_shipping_info" => SignalKind::AddShippingInfo,
        "add_payment_info" => SignalKind::AddPaymentInfo,
        "view_shipping_estimate" => SignalKind::ViewShippingEstimate,
        "try_coupon" => SignalKind::TryCoupon { accepted: flag(raw, "accepted").unwrap_or(false) },
        "checkout_error" => SignalKind::CheckoutError(CheckoutError {
            step: field("step"),
            code: field("code"),
            method: field("method"),
        }),
        "purchase" => SignalKind::Purchase { order: field("transaction_id") },
        "exit_intent" => SignalKind::ExitIntent,
        "page_hide" => SignalKind::PageHide,
        "panel_shown" | "panel_withheld" | "panel_closed" | "panel_clicked" | "survey_answer" => {
            SignalKind::Panel
        }
        _ => return None,
    };
    let data = Object::new();
    let mut key = name.to_owned();
    for name in FIELDS {
        let value = get(raw, name);
        if value.as_f64().is_some() || value.as_bool().is_some() {
            set(&data, name, &value);
        } else if let Some(value) = text(raw, name) {
            set(&data, name, &JsValue::from_str(&value));
        }
        // `value` may be rounded differently by two sources; the rest tells acts apart.
        if name != "value"
            && let Some(value) = text(raw, name)
        {
            push_key(&mut key, &value);
        }
    }
    if let Some(lines) = &lines {
        set(&data, "currency", &JsValue::from_str(currency.code()));
        for line in lines {
            push_key(&mut key, &line.item_id);
            push_key(&mut key, line.item_variant.as_deref().unwrap_or(""));
            // The quantity as one character: it only has to differ when quantities do.
            key.push(char::from_u32(line.quantity).unwrap_or('\0'));
        }
    }
    Some(Captured { kind, key, data, lines, currency })
}

fn push_key(key: &mut String, part: &str) {
    key.push('\u{1f}');
    key.push_str(part);
}

/// The GA4 event inside a `dataLayer` entry: name and parameters of `gtag('event', …)`, or the
/// `{event, ecommerce}` form.
pub(crate) fn layer_event(entry: &JsValue) -> Option<(String, JsValue)> {
    if let Some(name) = text(entry, "event") {
        return Some((name, get(entry, "ecommerce")));
    }
    (text(entry, "0")? == "event").then(|| text(entry, "1")).flatten().map(|name| (name, get(entry, "2")))
}

/// A number of milliseconds from JavaScript.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and the core clamps")]
pub(crate) fn whole(ms: f64) -> i64 {
    ms as i64
}

/// The currency an event names.
pub(crate) fn currency(raw: &JsValue) -> Option<Currency> {
    text(raw, "currency").and_then(|code| Currency::parse(&code).ok())
}

/// Items as lines; what has no id is left out. Reads GA4's shape, and the edge's cart shape with
/// `title` and `unit_price_minor`.
pub(crate) fn lines(items: &JsValue, currency: Currency) -> Vec<Line> {
    if !Array::is_array(items) {
        return Vec::new();
    }
    items.unchecked_ref::<Array>().iter().take(MAX_LINES).filter_map(|item| line(&item, currency)).collect()
}

fn line(item: &JsValue, currency: Currency) -> Option<Line> {
    let item_name = text(item, "item_name").or_else(|| text(item, "title"));
    let price = number(item, "price").and_then(|major| currency.minor_from_number(major));
    let quantity = whole(number(item, "quantity").unwrap_or(1.0)).clamp(0, i64::from(MAX_QUANTITY));
    Some(Line {
        // GA4 asks for one of the two.
        item_id: text(item, "item_id").or_else(|| item_name.clone())?,
        item_variant: text(item, "item_variant"),
        quantity: u32::try_from(quantity).unwrap_or(1),
        unit_price_minor: price.or_else(|| number(item, "unit_price_minor").map(whole)).unwrap_or(0),
        title: item_name.unwrap_or_default(),
        image_url: text(item, "image_url"),
        item_url: text(item, "item_url"),
        class: None,
        trust: Trust::Page,
    })
}

/// Lines as GA4 items. `lean` leaves out what a large cart can do without.
pub(crate) fn items(lines: &[Line], currency: Currency, lean: bool) -> JsValue {
    let items = Array::new();
    for line in lines {
        let item = Object::new();
        set_text(&item, "item_id", Some(&line.item_id));
        set_text(&item, "item_variant", line.item_variant.as_deref());
        set(&item, "quantity", &JsValue::from_f64(f64::from(line.quantity)));
        if line.unit_price_minor > 0 {
            set(&item, "price", &JsValue::from_f64(major(line.unit_price_minor, currency)));
        }
        if !lean {
            set_text(&item, "item_name", Some(&line.title).filter(|t| !t.is_empty()).map(String::as_str));
            set_text(&item, "image_url", line.image_url.as_deref());
            set_text(&item, "item_url", line.item_url.as_deref());
        }
        items.push(&item);
    }
    items.into()
}

/// Minor units as GA4's decimal number.
#[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53 minor units")]
pub(crate) fn major(minor: i64, currency: Currency) -> f64 {
    let factor = match currency.exponent() {
        0 => 1.0,
        3 => 1_000.0,
        _ => 100.0,
    };
    minor as f64 / factor
}
