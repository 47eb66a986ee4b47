//! Shopify's own samples: exact lines, prices, currencies, statuses and times; signatures that do
//! not fit; forms that differ between shops.

#![allow(clippy::panic, reason = "an unexpected answer fails the test")]

mod support;

use comeback_core::cart::{Line, Trust};
use comeback_intake::shopify::verify;
use comeback_intake::{IntakeError, Operation, OrderStatus};
use serde_json::{Value, json};
use support::{SECRET, at, checkout, checkout_value, order, order_value, parse, parse_value, received, sign};

fn line(item: &str, variant: &str, title: &str) -> Line {
    Line {
        item_id: item.to_owned(),
        item_variant: Some(variant.to_owned()),
        quantity: 1,
        unit_price_minor: 19_900,
        title: title.to_owned(),
        image_url: None,
        item_url: None,
        class: None,
        trust: Trust::Signed,
    }
}

fn malformed(result: Result<Operation, IntakeError>) -> (&'static str, String) {
    match result {
        Err(IntakeError::Malformed { what, at }) => (what, at),
        other => panic!("expected a malformed body, got {other:?}"),
    }
}

#[test]
fn one_place_is_one_postal_address_however_it_is_written() {
    let place = |address: Value| {
        let mut value = checkout_value();
        value["shipping_address"] = address;
        checkout(&value).postal
    };
    let one = place(json!({ "address1": "Chestnut Street 92", "zip": "40202", "country_code": "US" }));
    assert_eq!(one.as_deref(), Some("us 40202 chestnutstreet92"));
    for same in [
        json!({ "address1": "CHESTNUT STREET, 92", "address2": "", "zip": " 40202 ", "country_code": "us" }),
        json!({ "address1": "Chestnut Street", "address2": "92", "zip": "402-02", "city": "Louisville",
                "country_code": "US", "name": "Somebody Else", "phone": 7 }),
    ] {
        assert_eq!(place(same), one);
    }
    for other in [
        json!({ "address1": "Chestnut Street 94", "zip": "40202", "country_code": "US" }),
        json!({ "address1": "Chestnut Street 92", "zip": "40203", "country_code": "US" }),
        json!({ "address1": "Chestnut Street 92", "zip": "40202", "country_code": "CA" }),
    ] {
        assert!(place(other).is_some_and(|p| Some(p) != one));
    }
    let city = json!({ "address1": "Main St 1", "city": "Dublin", "country_code": "IE" });
    assert_eq!(place(city).as_deref(), Some("ie dublin mainst1"), "a country without postal codes");
    for none in
        [json!(null), json!([]), json!({ "zip": "40202", "country_code": "US" }), json!({ "address1": 7 })]
    {
        assert_eq!(place(none), None);
    }
    assert!(order("orders/paid", &order_value()).postal.is_some());
}

#[test]
fn a_checkout_is_read_to_the_cent() {
    let checkout = checkout(&checkout_value());
    assert_eq!(
        checkout.lines,
        [
            line("632910392", "49148385", "IPod Nano - 8GB - Red"),
            line("632910392", "808950810", "IPod Nano - 8GB - Pink")
        ]
    );
    assert_eq!((checkout.total_minor, checkout.currency.code()), (40_994, "USD"));
    assert_eq!(checkout.checkout_id, "450789469");
    assert_eq!(checkout.cart_token.as_deref(), Some("68778783ad298f1c80c3bafcddeea02f"));
    assert_eq!(checkout.checkout_token.as_deref(), Some("2a1ace52255252df566af0faaedfbfa7"));
    assert_eq!(checkout.email.as_deref(), Some("bob.norman@hostmail.com"));
    // The postal address has a number; it was given to the carrier.
    assert_eq!(checkout.phone, None);
    assert_eq!((checkout.buyer_accepts_marketing, checkout.sms_marketing), (false, None));
    assert_eq!((checkout.completed_at, checkout.at), (None, at("2012-10-12T11:05:27Z")));
    assert_eq!(checkout.locale, None);
    assert_eq!(
        checkout.recovery_url.as_deref(),
        Some("https://checkout.local/orders/690933842/2a1ace52255252df566af0faaedfbfa7?recovered=1")
    );
}

#[test]
fn an_order_is_read_to_the_cent() {
    let order = order("orders/create", &order_value());
    assert_eq!(
        order.lines,
        [
            line("632910392", "39072856", "IPod Nano - 8gb - green"),
            line("632910392", "49148385", "IPod Nano - 8gb - red"),
            line("632910392", "457924702", "IPod Nano - 8gb - black"),
        ]
    );
    assert_eq!((order.total_minor, order.currency.code()), (40_994, "USD"));
    assert_eq!(
        (order.order_id.as_str(), order.checkout_id.as_deref(), order.checkout_token.as_deref()),
        ("450789469", Some("450789469"), None)
    );
    assert_eq!(order.cart_token, checkout(&checkout_value()).cart_token);
    assert_eq!(order.email.as_deref(), Some("bob.norman@hostmail.com"));
    assert_eq!(order.at, at("2008-01-10T16:00:00Z"));
    assert_eq!(order.status, OrderStatus::Pending);
}

#[test]
fn an_order_stands_where_topic_and_status_say() {
    let cases = [
        ("orders/create", json!("authorized"), json!(null), OrderStatus::Pending),
        ("orders/create", json!("pending"), json!(null), OrderStatus::Pending),
        ("orders/create", json!("partially_paid"), json!(null), OrderStatus::Pending),
        ("orders/create", json!(null), json!(null), OrderStatus::Pending),
        ("orders/create", json!("something_new"), json!(null), OrderStatus::Pending),
        ("orders/create", json!("paid"), json!(null), OrderStatus::Paid),
        ("orders/create", json!("partially_refunded"), json!(null), OrderStatus::Paid),
        ("orders/create", json!("refunded"), json!(null), OrderStatus::Refunded),
        ("orders/create", json!("voided"), json!(null), OrderStatus::Cancelled),
        ("orders/create", json!("paid"), json!("2026-03-30T08:00:00Z"), OrderStatus::Cancelled),
        ("orders/paid", json!("authorized"), json!(null), OrderStatus::Paid),
        ("orders/paid", json!("paid"), json!(null), OrderStatus::Paid),
    ];
    for (topic, financial, cancelled, expect) in cases {
        let mut value = order_value();
        value["financial_status"] = financial.clone();
        value["cancelled_at"] = cancelled;
        assert_eq!(order(topic, &value).status, expect, "{topic} {financial}");
    }
}

#[test]
fn a_signature_fits_one_body_and_one_secret() {
    // Made by another implementation: printf '%s' '{"id":1}' | openssl dgst -sha256 -hmac hush -binary | base64
    let body = br#"{"id":1}"#;
    let known = "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY=";
    assert_eq!(sign(body), known);
    assert!(verify(body, known, SECRET).is_ok());
    assert!(verify(body, &format!(" {known}\n"), SECRET).is_ok());

    let refused = |body: &[u8], header: &str, secret: &[u8]| {
        assert_eq!(verify(body, header, secret).err(), Some(IntakeError::BadSignature), "{header}");
    };
    for place in 0..body.len() {
        let mut tampered = body.to_vec();
        tampered[place] ^= 1;
        refused(&tampered, known, SECRET);
    }
    for place in 0..known.len() {
        let mut tampered = known.as_bytes().to_vec();
        tampered[place] = if tampered[place] == b'A' { b'B' } else { b'A' };
        refused(body, std::str::from_utf8(&tampered).unwrap(), SECRET);
    }
    for secret in [b"hus".as_slice(), b"hush ", b"Hush", b"other"] {
        refused(body, known, secret);
    }
    refused(body, "", SECRET);
    refused(body, "not base64 at all", SECRET);
    refused(body, &known[..known.len() - 4], SECRET);
    refused(&[body.as_slice(), b"\n"].concat(), known, SECRET);
}

#[test]
fn a_shop_without_a_secret_takes_nothing() {
    // The right HMAC of the empty key over `{}`, which anyone can make.
    assert_eq!(
        verify(b"{}", "IvjuqQlACvmK3zaBqfMZI+9rf8ukq7VT2Sgjo+nVwl4=", b"").err(),
        Some(IntakeError::BadSignature)
    );
}

#[test]
fn a_body_is_of_its_topic_and_other_topics_are_waved_through() {
    for topic in ["orders/create", "orders/paid"] {
        assert_eq!(malformed(parse_value(topic, &checkout_value())).0, "the body is not of its topic");
    }
    for topic in ["checkouts/create", "checkouts/update"] {
        assert_eq!(malformed(parse_value(topic, &order_value())).0, "the body is not of its topic");
    }
    for topic in ["", "orders/updated", "app/uninstalled", "checkouts/create ", "ORDERS/PAID"] {
        let error = parse_value(topic, &order_value()).unwrap_err();
        assert_eq!(error, IntakeError::UnsupportedTopic, "{topic}");
        assert!(error.is_acknowledged());
    }
    assert!(!IntakeError::BadSignature.is_acknowledged());
}

#[test]
fn time_is_the_triggers_then_the_bodys_then_ours_and_never_the_future() {
    let body = checkout_value().to_string();
    let mut bare = checkout_value();
    bare["updated_at"] = Value::Null;
    let bare = bare.to_string();
    let cases = [
        (&body, Some("2026-03-30T09:14:59.123456789Z"), at("2026-03-30T09:14:59.123Z")),
        (&body, Some("2026-03-30T11:14:00+02:00"), at("2026-03-30T09:14:00Z")),
        (&body, Some("yesterday"), at("2012-10-12T11:05:27Z")),
        (&body, None, at("2012-10-12T11:05:27Z")),
        (&bare, None, received()),
        (&body, Some("2999-01-01T00:00:00Z"), received()),
    ];
    for (body, triggered, expect) in cases {
        let operation = verify(body.as_bytes(), &sign(body.as_bytes()), SECRET)
            .unwrap()
            .parse("checkouts/update", triggered, received())
            .unwrap();
        let Operation::Checkout(checkout) = operation else { panic!("expected a checkout") };
        assert_eq!(checkout.at, expect, "{triggered:?}");
    }
}

#[test]
fn line_items_come_in_many_forms() {
    let items = [
        include_str!("../../../tests/vectors/intake/shopify/orderlineitems/valid.json"),
        include_str!("../../../tests/vectors/intake/shopify/orderlineitems/properties_object.json"),
        include_str!("../../../tests/vectors/intake/shopify/orderlineitems/properties_ommited.json"),
    ];
    for item in items {
        let given: Value = serde_json::from_str(item).unwrap();
        let mut value = checkout_value();
        if given.get("price").is_some() {
            value["line_items"] = json!([given]);
            let read = checkout(&value).lines;
            let expect =
                Line { unit_price_minor: 1_234, ..line("111475476", "1234", "Soda Title - Test Variant") };
            assert_eq!(read, [expect]);
        } else {
            value["line_items"][0]["properties"] = given.get("properties").cloned().unwrap_or(Value::Null);
            assert_eq!(checkout(&value).lines, checkout(&checkout_value()).lines, "{item}");
        }
    }
    let broken =
        include_str!("../../../tests/vectors/intake/shopify/orderlineitems/properties_invalid0.json");
    let body = checkout_value().to_string().replacen(
        "\"properties\":null",
        broken.trim().trim_start_matches('{').trim_end_matches('}'),
        1,
    );
    assert_eq!(malformed(parse("checkouts/update", body.as_bytes())).0, "expected JSON");
}

#[test]
fn ids_amounts_and_names_come_in_many_forms() {
    let mut value = checkout_value();
    value["id"] = json!("gid-450789469");
    value["currency"] = json!("JPY");
    value["total_price"] = json!(1200);
    value["cart_token"] = json!("68778783?key=secret");
    value["line_items"] = json!([
        {"id": 7, "product_id": null, "variant_id": null, "title": " Gift wrap ", "variant_title": "", "price": "300", "quantity": 1},
        {"id": 8, "product_id": "18446744073709551615", "variant_id": 18_446_744_073_709_551_615_u64, "title": "T", "variant_title": "Default Title", "price": 450, "quantity": 2},
        {"id": 9, "product_id": 1, "title": null, "variant_title": "Red", "price": "1.00", "quantity": 99_999_999_999_u64},
        {"id": 10, "product_id": 1, "title": "gone", "price": "1", "quantity": 0},
    ]);
    let read = checkout(&value);
    assert_eq!((read.checkout_id.as_str(), read.total_minor), ("gid-450789469", 1_200));
    assert_eq!(read.cart_token.as_deref(), Some("68778783"));
    let seen: Vec<_> = read
        .lines
        .iter()
        .map(|l| {
            (l.item_id.as_str(), l.item_variant.as_deref(), l.title.as_str(), l.unit_price_minor, l.quantity)
        })
        .collect();
    let max = Some("18446744073709551615");
    assert_eq!(
        seen,
        [
            ("line:7", None, "Gift wrap", 300, 1),
            ("18446744073709551615", max, "T", 450, 2),
            ("1", None, "Red", 1, 9_999)
        ]
    );

    value["currency"] = json!("KWD");
    value["total_price"] = json!("1.234");
    value["line_items"] = json!([]);
    assert_eq!(checkout(&value).total_minor, 1_234);
}

#[test]
fn contacts_and_consents_are_taken_only_where_they_are_plain() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut value = checkout_value();
        change(&mut value);
        checkout(&value)
    };
    assert_eq!(with(&|v| v["email"] = json!(" Bob@Example.COM ")).email.as_deref(), Some("bob@example.com"));
    for half in ["bob", "bob@", "@example.com", "a@b@c", "a b@c", "a\r\nb@c"] {
        let read = with(&|v| {
            v["email"] = json!(half);
            v["customer"] = Value::Null;
        });
        assert_eq!(read.email, None, "{half}");
    }
    assert_eq!(with(&|v| v["phone"] = json!("+1 (613) 555-0135")).phone.as_deref(), Some("+16135550135"));
    for half in ["555-625-1199", "+1", "+0613555013512", "+1613555013512345678", "+1613555013x"] {
        assert_eq!(with(&|v| v["phone"] = json!(half)).phone, None, "{half}");
    }
    assert_eq!(with(&|v| v["buyer_accepts_sms_marketing"] = json!(true)).sms_marketing, Some(true));
    let state = |s: &'static str| {
        with(&move |v| v["customer"]["sms_marketing_consent"] = json!({"state": s})).sms_marketing
    };
    assert_eq!(
        (state("subscribed"), state("unsubscribed"), state("pending")),
        (Some(true), Some(false), Some(false))
    );
    assert!(with(&|v| v["buyer_accepts_marketing"] = json!(true)).buyer_accepts_marketing);
    assert_eq!(
        with(&|v| v["completed_at"] = json!("2026-03-30T11:00:00+02:00")).completed_at,
        Some(at("2026-03-30T09:00:00Z"))
    );
    for link in ["http://shop.example/", "javascript:alert(1)", "https://x\u{7}"] {
        assert_eq!(with(&|v| v["abandoned_checkout_url"] = json!(link)).recovery_url, None, "{link}");
    }
}

#[test]
fn an_unreadable_line_spoils_a_checkout_but_not_an_order() {
    let mut value = checkout_value();
    value["line_items"][1]["price"] = json!("1.005");
    assert_eq!(
        malformed(parse_value("checkouts/update", &value)),
        ("expected an amount of the currency", "line_items[1].price".to_owned())
    );
    let mut value = order_value();
    value["line_items"][1]["price"] = json!("1.005");
    assert_eq!(order("orders/paid", &value).lines.len(), 2);
}

#[test]
fn bodies_and_lines_are_bounded() {
    let mut value = order_value();
    value["line_items"] = json!(vec![value["line_items"][0].clone(); 250]);
    assert_eq!(order("orders/paid", &value).lines.len(), 100);

    let body = vec![b' '; comeback_intake::MAX_BODY + 1];
    assert_eq!(parse("orders/paid", &body), Err(IntakeError::TooLarge { bytes: 1_048_577 }));
    let mut body = order_value().to_string().into_bytes();
    body.resize(comeback_intake::MAX_BODY, b' ');
    assert!(parse("orders/paid", &body).is_ok());
}
