//! What callers rely on: strictness of the model, headers, bytes that repeat, segment counts of
//! others, limits.

#![allow(clippy::unwrap_used, reason = "an unexpected answer fails the test")]

mod support;

use comeback_core::time::Timestamp;
use comeback_message::{
    EmailTemplate, Encoding, Gives, Mailbox, MessageModel, ModelLine, Offer, RenderError, SmsTemplate,
    render_email, render_sms, segments, to_mime,
};

fn refused(change: impl FnOnce(&mut MessageModel)) -> RenderError {
    let mut model = support::model();
    change(&mut model);
    render_email(EmailTemplate::Incentive, &model, &support::send_key()).unwrap_err()
}

#[test]
fn what_is_needed_is_missed() {
    let missing = |field| RenderError::Missing { field };
    assert_eq!(refused(|m| m.shop_name = " \u{200B}".to_owned()), missing("shop_name"));
    assert_eq!(refused(|m| m.lines.clear()), missing("lines"));
    assert_eq!(refused(|m| m.lines.iter_mut().for_each(|l| l.quantity = 0)), missing("lines"));
    assert_eq!(refused(|m| m.lines[1].title.clear()), missing("lines.title"));
    assert_eq!(refused(|m| m.lines[1].unit_price.clear()), missing("lines.unit_price"));
    assert_eq!(refused(|m| m.lines[1].line_total.clear()), missing("lines.line_total"));
    assert_eq!(refused(|m| m.total.clear()), missing("total"));
    assert_eq!(refused(|m| m.why.clear()), missing("why"));
    let url = |field| RenderError::Url { field };
    assert_eq!(refused(|m| m.home_url = "http://shop.example".to_owned()), url("home_url"));
    assert_eq!(refused(|m| m.resume_url = "/r/x".to_owned()), url("resume_url"));
    assert_eq!(refused(|m| m.unsubscribe_url.clear()), url("unsubscribe_url"));
    assert_eq!(refused(|m| m.one_click_url = "mailto:x@y.example".to_owned()), url("one_click_url"));
    assert_eq!(
        refused(|m| m.offer = Some(Offer { gives: Gives::Percent(0), ..support::offer() })),
        RenderError::Offer { percent: 0 }
    );
    assert_eq!(
        refused(|m| m.offer = Some(Offer { gives: Gives::Percent(101), ..support::offer() })),
        RenderError::Offer { percent: 101 }
    );
    assert_eq!(
        refused(|m| m.offer = Some(Offer { code: "\n".to_owned(), ..support::offer() })),
        missing("offer.code")
    );
}

#[test]
fn every_message_says_why_how_to_stop_and_one_thing_to_do() {
    for template in EmailTemplate::ALL {
        for model in [support::model(), support::bare()] {
            let email = render_email(template, &model, &support::send_key()).unwrap();
            for text in [&email.text, &email.html] {
                let button = match template {
                    EmailTemplate::Looked => "Have another look",
                    _ => "Back to my cart",
                };
                for needle in ["Why did I get this?", model.unsubscribe_url.as_str(), button] {
                    assert!(text.contains(needle), "{template:?} lacks {needle}");
                }
                assert_eq!(text.matches(model.resume_url.as_str()).count(), 1, "one way on, {template:?}");
            }
            let names: Vec<&str> = email.headers.iter().map(|h| h.name.as_str()).collect();
            assert_eq!(names, ["Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"]);
            assert_eq!(email.headers[0].value, "<snd_0123456789abcdefghjkmnpqrs@shop.example>");
            assert_eq!(email.headers[1].value, format!("<{}>", model.one_click_url));
            assert_eq!(email.headers[2].value, "List-Unsubscribe=One-Click");
        }
    }
}

#[test]
fn every_kind_of_offer_reads_as_a_sentence() {
    let cases = [
        (Gives::Percent(10), "10% off the cart you left", "10% off the cart", "Your code for 10% off: "),
        (
            Gives::Amount("5.00 EUR".into()),
            "5.00 EUR off the cart you left",
            "5.00 EUR off the cart",
            "Your code for 5.00 EUR off: ",
        ),
        (
            Gives::FreeShipping,
            "Here is free shipping for the cart you left",
            "Free shipping for the cart",
            "Your code for free shipping: ",
        ),
    ];
    for (gives, body, subject, last) in cases {
        let mut model = support::model();
        model.offer = Some(Offer { gives, ..support::offer() });
        let of = |template| render_email(template, &model, &support::send_key()).unwrap();
        let incentive = of(EmailTemplate::Incentive);
        assert!(incentive.text.contains(body), "{}", incentive.text);
        assert!(incentive.subject.starts_with(subject), "{}", incentive.subject);
        assert!(of(EmailTemplate::LastCall).text.contains(last));
    }
    assert!(matches!(
        refused(|m| m.offer = Some(Offer { gives: Gives::Amount(" ".into()), ..support::offer() })),
        RenderError::Missing { .. }
    ));
}

#[test]
fn prices_are_held_only_where_the_shop_holds_them() {
    for template in EmailTemplate::ALL {
        let text = |prices_until: Option<String>| {
            let model = MessageModel { prices_until, ..support::model() };
            render_email(template, &model, &support::send_key()).unwrap().text
        };
        let held = "you still pay the old one until 3 April 2026, 18:00 UTC.";
        assert!(text(Some("3 April 2026, 18:00 UTC".into())).contains(held));
        assert!(text(None).contains("Prices and stock can change.") && !text(None).contains("the old one"));
    }
}

#[test]
fn what_was_only_looked_at_is_no_cart() {
    let model = MessageModel { why: "You looked at this.".into(), ..support::model() };
    let email = render_email(EmailTemplate::Looked, &model, &support::send_key()).unwrap();
    assert!(email.text.contains("What you looked at") && !email.text.contains("96.50"), "{}", email.text);
    for text in [&email.subject, &email.preheader, &email.html] {
        assert!(
            !text.contains("Your cart") && !text.contains("my cart") && !text.contains("Total"),
            "{text}"
        );
    }
}

#[test]
fn without_an_offer_no_discount_is_spoken_of() {
    for template in EmailTemplate::ALL {
        let email = render_email(template, &support::model(), &support::send_key()).unwrap();
        for text in [&email.subject, &email.preheader, &email.text] {
            for word in ["%", "code", "off ", "offer", "discount"] {
                assert!(!text.to_lowercase().contains(word), "{template:?} says {word}: {text}");
            }
        }
    }
}

#[test]
fn the_largest_model_is_not_clipped() {
    let url = |n: usize| format!("https://shop.example/{}", "&".repeat(n - 21));
    let line = ModelLine {
        title: "'".repeat(300),
        variant: Some("'".repeat(300)),
        quantity: u32::MAX,
        unit_price: "'".repeat(300),
        line_total: "'".repeat(300),
        image_url: Some(url(512)),
        item_url: Some(url(512)),
    };
    let mut model = support::model();
    model.lines = vec![line; 100];
    for text in [&mut model.shop_name, &mut model.total, &mut model.why] {
        *text = "'".repeat(1000);
    }
    for link in [&mut model.resume_url, &mut model.unsubscribe_url, &mut model.one_click_url] {
        *link = url(1024);
    }
    model.preferences_url = Some(url(1024));
    model.support_url = Some(url(512));
    model.postal_address = Some("'".repeat(1000));
    for template in EmailTemplate::ALL {
        let email = render_email(template, &model, &support::send_key()).unwrap();
        assert!(email.html.contains("&amp;&amp;") && email.html.len() < 102_000, "{}", email.html.len());
    }
}

#[test]
fn titles_are_cut_at_two_hundred_characters() {
    let mut model = support::model();
    model.lines[0].title = "ö".repeat(200);
    let whole = render_email(EmailTemplate::Reminder, &model, &support::send_key()).unwrap();
    assert!(whole.text.contains(&format!("- {} (Blue / M)", "ö".repeat(200))));
    model.lines[0].title.push('ö');
    let cut = render_email(EmailTemplate::Reminder, &model, &support::send_key()).unwrap();
    assert!(cut.text.contains(&format!("- {}… (Blue / M)", "ö".repeat(199))));
}

#[test]
fn mime_depends_on_its_arguments_alone() {
    let email = render_email(EmailTemplate::Reminder, &support::model(), &support::send_key()).unwrap();
    let from = Mailbox { name: None, address: "hello@shop.example".to_owned() };
    let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
    let make = |from: &Mailbox| to_mime(&email, from, from, at("2026-03-30T09:15:00Z"), &support::send_key());
    assert_eq!(make(&from), make(&from));
    let raw = String::from_utf8(make(&from).unwrap()).unwrap();
    assert!(raw.contains("Date: Mon, 30 Mar 2026 09:15:00 +0000\r\n"), "{raw}");
    assert!(raw.contains("Message-ID: <snd_0123456789abcdefghjkmnpqrs@shop.example>\r\n"), "{raw}");
    for address in [
        "",
        "x",
        "a@b\r\nBcc: c@d.example",
        "a b@c.example",
        "\"a\"@c.example",
        "a@c..example",
        "a@",
        "@b",
        "a@b@c",
        "ä@c.example",
        "<a@c.example>",
        "a@c.example,b@c.example",
    ] {
        let bad = Mailbox { name: None, address: address.to_owned() };
        assert_eq!(make(&bad), Err(RenderError::Address { field: "from" }), "{address:?}");
    }
}

#[test]
fn segments_agree_with_others() {
    let cases: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../../../tests/vectors/message/twilio_segments.json")).unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let body = case["body"].as_str().unwrap();
        let counted = segments(body);
        let bits = match counted.encoding {
            Encoding::Gsm7 => 7,
            Encoding::Ucs2 => 16,
        };
        assert_eq!(serde_json::to_value(counted.encoding).unwrap(), case["encoding"], "{body}");
        assert_eq!(counted.count as u64, case["segments"], "{body}");
        assert_eq!((counted.units * bits) as u64, case["messageSize"], "{body}");
    }
}

#[test]
fn a_text_message_is_one_segment_or_none() {
    let link = "https://shop.example/s/7Qx2Lp";
    let mut model = support::model();
    let render = |m: &MessageModel, link: &str| render_sms(SmsTemplate::Reminder, m, link);

    model.lines[0].title = "Extraordinarily ".repeat(20);
    let long = render(&model, link).unwrap();
    assert_eq!(segments(&long.text).units, 160, "cut no further than needed: {long:?}");
    assert!(long.text.contains("... and 1 more saved"), "{long:?}");

    model.lines[0].title = "Чайник".to_owned();
    let foreign = render(&model, link).unwrap();
    assert_eq!(
        foreign.text,
        "Tom & Anna's Shop: your cart is saved: https://shop.example/s/7Qx2Lp Reply STOP to opt out"
    );

    // A brand outside the GSM set takes UCS-2 and a shorter text; it is never respelt.
    model.shop_name = "Čaj".to_owned();
    assert_eq!(render(&model, link), Err(RenderError::TooLong { units: 76, limit: 70 }));
    let fits = render(&model, "https://caj.cz/s/7Qx2L").unwrap();
    assert_eq!((fits.encoding, fits.segments), (Encoding::Ucs2, 1));

    model.shop_name = "Shop ".repeat(15);
    assert!(matches!(
        render(&model, &format!("https://shop.example/{}", "x".repeat(60))),
        Err(RenderError::TooLong { limit: 160, .. })
    ));
    assert_eq!(render(&model, "http://shop.example/s/x"), Err(RenderError::Url { field: "short_url" }));
}
