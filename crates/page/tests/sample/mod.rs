//! Pages as a shop would have them: shared by the snapshots, the hostile tests and the example.

#![allow(dead_code, reason = "each test uses some of the samples")]

use comeback_page::*;

pub(crate) fn brand() -> Brand {
    Brand {
        shop_name: "Wendle Pottery".into(),
        home_url: "https://wendle.example/".into(),
        support_email: "hello@wendle.example".into(),
        support_url: "https://wendle.example/returns.html".into(),
        locale: "en-GB".into(),
    }
}

fn line(title: &str, variant: &str, quantity: u32, unit: &str, total: &str, picture: &str) -> LandingLine {
    LandingLine {
        title: title.into(),
        variant: Some(variant.into()).filter(|v: &String| !v.is_empty()),
        quantity,
        unit_price: unit.into(),
        line_total: total.into(),
        image_url: Some(format!("/img/{picture}.svg")).filter(|_| !picture.is_empty()),
        item_url: Some(format!("/product.html?id={picture}")).filter(|_| !picture.is_empty()),
    }
}

pub(crate) fn landing_plain() -> Landing {
    Landing {
        brand: brand(),
        lines: vec![
            line("Harbour mug", "Tide", 2, "£18.00", "£36.00", "harbour-mug-tide"),
            line("Slow dripper", "Oat, two cups", 1, "£42.00", "£42.00", "slow-dripper-oat"),
        ],
        total: "£78.00".into(),
        changes: vec![],
        action: "/r/eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJjYXJ0XzEifQ.c2ln".into(),
        offer: None,
        prices_until: None,
        is_look: false,
        closed: false,
    }
}

pub(crate) fn landing_changed() -> Landing {
    Landing {
        lines: vec![
            line("Harbour mug", "Tide", 2, "£16.50", "£33.00", "harbour-mug-tide"),
            line(
                "Supper plate, hand-thrown, with a name that goes on for rather longer than most",
                "Ink",
                12,
                "£1,024.00",
                "£12,288.00",
                "supper-plate-ink",
            ),
            line("Linen towel", "", 1, "£14.00", "£14.00", "linen-towel"),
            line("Gift wrapping", "", 1, "£3.00", "£3.00", ""),
        ],
        total: "£12,338.00".into(),
        changes: vec![
            Change::PriceChanged {
                title: "Harbour mug".into(), was: "£18.00".into(), now: "£16.50".into()
            },
            Change::SoldOut { title: "Slow dripper".into() },
            Change::Unavailable { name: "Tea caddy".into() },
            Change::OfferEnded,
        ],
        prices_until: Some("3 December 2026, 18:00 UTC".into()),
        offer: Some("10% off this cart with the code BACK-7QK2, until 3 December".into()),
        ..landing_plain()
    }
}

pub(crate) fn landing_look() -> Landing {
    Landing { is_look: true, ..landing_plain() }
}

pub(crate) fn landing_closed() -> Landing {
    Landing { closed: true, ..landing_plain() }
}

pub(crate) fn landing_empty() -> Landing {
    Landing {
        lines: vec![],
        total: "£0.00".into(),
        changes: vec![Change::SoldOut { title: "Slow dripper".into() }],
        ..landing_plain()
    }
}

pub(crate) fn landing_abroad() -> Landing {
    Landing {
        brand: Brand { shop_name: "חנות הים".into(), locale: "he-IL".into(), ..brand() },
        lines: vec![line("ספל נמל", "כחול", 1, "₪ 89.00", "₪ 89.00", "harbour-mug-ink")],
        total: "₪ 89.00".into(),
        ..landing_plain()
    }
}

pub(crate) fn preferences_email() -> Preferences {
    Preferences {
        brand: brand(),
        action: "/u/eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJwZXJfMSJ9.c2ln".into(),
        channel: "email".into(),
        masked_address: Some("a•••@example.com".into()),
        why: "You left your address with your cart on 18 November and asked us to remind you.".into(),
        opted_out: false,
        opted_out_of_all: false,
        paused_until: None,
    }
}

pub(crate) fn done_stopped() -> Done {
    Done {
        brand: brand(),
        title: "Done. We will not email you about your cart again".into(),
        body: "It holds from this moment, also for a reminder that was already planned.".into(),
        back: Some((
            "Change what you get".into(),
            "/u/eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJwZXJfMSJ9.c2ln".into(),
        )),
    }
}

pub(crate) fn messages() -> Vec<InboxMessage> {
    vec![
        InboxMessage {
            send_id: "snd_b2".into(),
            channel: "sms".into(),
            to: "+44 7700 900123".into(),
            from: "Wendle".into(),
            subject: String::new(),
            text: "Wendle Pottery: your cart is saved. Back to it: http://localhost:8787/s/k7Qm2 Stop? Reply STOP".into(),
            html: None,
            headers: vec![],
            at: "2026-11-21T10:05:00Z".into(),
        },
        InboxMessage {
            send_id: "snd_a1".into(),
            channel: "email".into(),
            to: "ada@example.com".into(),
            from: "Wendle Pottery <hello@wendle.example>".into(),
            subject: "Your cart is saved".into(),
            text: "You left a cart at Wendle Pottery.\n\nBack to it: http://localhost:8787/r/abc.def.ghi\n".into(),
            html: Some(
                "<!doctype html><html lang=\"en\"><head><title>Your cart is saved</title><style>.b{color:#1d4ed8}</style></head>\
                 <body style=\"margin:0;padding:24px;background-color:#f3f4f6;font-family:Arial,sans-serif\"><h1 style=\"font-size:24px\">Your cart is saved</h1>\
                 <p>You left a cart at Wendle Pottery.</p><p><a class=\"b\" href=\"http://localhost:8787/r/abc.def.ghi\">Back to my cart</a></p>\
                 <script>document.body.textContent='script ran'</script></body></html>".into(),
            ),
            headers: vec![
                ("List-Unsubscribe".into(), "<http://localhost:8787/u/eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJwZXJfMSJ9.c2lnbmF0dXJlLXRoYXQtaXMtcmF0aGVyLWxvbmc>".into()),
                ("List-Unsubscribe-Post".into(), "List-Unsubscribe=One-Click".into()),
            ],
            at: "2026-11-21T09:05:00Z".into(),
        },
    ]
}

/// Every page in every state that looks different, by name.
pub(crate) fn every_page() -> Vec<(&'static str, String)> {
    let b = brand();
    let p = preferences_email();
    vec![
        ("landing", landing(&landing_plain())),
        ("landing_changed", landing(&landing_changed())),
        ("landing_look", landing(&landing_look())),
        ("landing_closed", landing(&landing_closed())),
        ("landing_empty", landing(&landing_empty())),
        ("landing_abroad", landing(&landing_abroad())),
        ("link_expired", link_trouble(Some(&b), LinkTrouble::Expired)),
        ("link_revoked", link_trouble(Some(&b), LinkTrouble::Revoked)),
        ("link_not_ours", link_trouble(Some(&b), LinkTrouble::NotOurs)),
        ("link_cart_gone", link_trouble(Some(&b), LinkTrouble::CartGone)),
        ("link_unknown_shop", link_trouble(None, LinkTrouble::UnknownShop)),
        ("preferences_email", preferences(&p)),
        (
            "preferences_sms",
            preferences(&Preferences {
                channel: "sms".into(),
                masked_address: Some("+44 •••• ••0123".into()),
                ..p.clone()
            }),
        ),
        (
            "preferences_paused",
            preferences(&Preferences { paused_until: Some("20 December 2026".into()), ..p.clone() }),
        ),
        ("preferences_off", preferences(&Preferences { opted_out: true, ..p.clone() })),
        ("preferences_all_off", preferences(&Preferences { opted_out: true, opted_out_of_all: true, ..p })),
        ("done", done(&done_stopped())),
        ("inbox", inbox(&messages())),
        ("inbox_empty", inbox(&[])),
    ]
}
