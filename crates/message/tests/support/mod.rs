//! The model that the tests render, and readers of files they share. Asserts nothing itself.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot make its input fails")]
#![allow(unreachable_pub, reason = "a module shared by test binaries")]

use comeback_core::id::SendKey;
use comeback_message::{Gives, MessageModel, ModelLine, Offer};

pub fn send_key() -> SendKey {
    SendKey::parse("snd_0123456789abcdefghjkmnpqrs").unwrap()
}

pub fn line(title: &str, variant: Option<&str>, quantity: u32, unit: &str, total: &str) -> ModelLine {
    ModelLine {
        title: title.to_owned(),
        variant: variant.map(str::to_owned),
        quantity,
        unit_price: unit.to_owned(),
        line_total: total.to_owned(),
        image_url: None,
        item_url: Some("https://shop.example/p/1?ref=mail&v=2".to_owned()),
    }
}

pub fn model() -> MessageModel {
    let mut first = line("Linen shirt", Some("Blue / M"), 1, "59.00 EUR", "59.00 EUR");
    first.image_url = Some("https://shop.example/img/shirt.jpg".to_owned());
    let second = line("Wool socks, pair", None, 3, "12.50 EUR", "37.50 EUR");
    MessageModel {
        shop_name: "Tom & Anna's Shop".to_owned(),
        home_url: "https://shop.example/".to_owned(),
        support_email: Some("help@shop.example".to_owned()),
        support_url: Some("https://shop.example/help".to_owned()),
        postal_address: Some("Shop GmbH, Hauptstr. 1, 10115 Berlin, Germany".to_owned()),
        locale: "en-GB".to_owned(),
        lines: vec![first, second],
        total: "96.50 EUR".to_owned(),
        resume_url: "https://shop.example/r/eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJjYXJ0XzEifQ.c2ln".to_owned(),
        unsubscribe_url: "https://shop.example/u/eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJwZXJfMSJ9.c2ln".to_owned(),
        one_click_url: "https://shop.example/u/eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJwZXJfMSJ9.c2ln?one-click=1"
            .to_owned(),
        preferences_url: None,
        why: "You left this cart at Tom & Anna's Shop and agreed to reminders by email.".to_owned(),
        offer: None,
        prices_until: None,
        first_name: Some("Ada".to_owned()),
    }
}

pub fn offer() -> Offer {
    Offer {
        code: "BACK10-7QX2".to_owned(),
        gives: Gives::Percent(10),
        valid_until: "Friday, 3 April, 18:00".to_owned(),
    }
}

/// The model with nothing that may be left out.
pub fn bare() -> MessageModel {
    let mut bare = model();
    bare.support_email = None;
    bare.support_url = None;
    bare.postal_address = None;
    bare.first_name = None;
    bare.total = "12.50 EUR".to_owned();
    bare.lines = vec![ModelLine {
        image_url: None,
        item_url: None,
        variant: None,
        ..line("Wool socks", None, 1, "12.50 EUR", "12.50 EUR")
    }];
    bare
}

pub fn naughty() -> Vec<String> {
    serde_json::from_str(include_str!("../../../../tests/vectors/naughty/blns.json")).unwrap()
}
