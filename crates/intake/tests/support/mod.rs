//! Real bodies, unwrapped from their REST envelopes, and a signer. Asserts nothing itself.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(unreachable_pub, reason = "a module shared by test binaries")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot make its input fails")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use comeback_core::time::Timestamp;
use comeback_intake::shopify::verify;
use comeback_intake::{Checkout, IntakeError, Operation, Order};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

pub const SECRET: &[u8] = b"hush";
pub const TOPICS: [&str; 4] = ["checkouts/create", "checkouts/update", "orders/create", "orders/paid"];

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

pub fn received() -> Timestamp {
    at("2026-03-30T09:15:00Z")
}

pub fn sign(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

pub fn parse(topic: &str, body: &[u8]) -> Result<Operation, IntakeError> {
    verify(body, &sign(body), SECRET)?.parse(topic, None, received())
}

pub fn checkout_value() -> Value {
    let all: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/intake/shopify/checkouts.json"))
            .unwrap();
    all["checkouts"][0].clone()
}

pub fn order_value() -> Value {
    let all: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/intake/shopify/order.json")).unwrap();
    all["order"].clone()
}

pub fn parse_value(topic: &str, value: &Value) -> Result<Operation, IntakeError> {
    parse(topic, value.to_string().as_bytes())
}

pub fn checkout(value: &Value) -> Checkout {
    match parse_value("checkouts/update", value) {
        Ok(Operation::Checkout(checkout)) => checkout,
        other => panic!("expected a checkout, got {other:?}"),
    }
}

pub fn order(topic: &str, value: &Value) -> Order {
    match parse_value(topic, value) {
        Ok(Operation::Order(order)) => order,
        other => panic!("expected an order, got {other:?}"),
    }
}
