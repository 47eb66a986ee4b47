//! Every field filled with every naughty string, judged by an HTML tokeniser that is not ours: text
//! from outside must never become markup, and no address may lead anywhere but the web or a path of
//! this origin.

mod sample;

use comeback_page::*;
use html5gum::{Token, Tokenizer};

fn naughty() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/naughty/blns.json");
    let mut strings: Vec<String> =
        serde_json::from_str(&std::fs::read_to_string(path).expect("the list")).expect("strings");
    assert!(strings.len() > 500, "the list is not whole");
    strings.extend(
        [
            "</style><script>alert(1)</script>",
            "\"><script>alert(1)</script>",
            "' onmouseover='alert(1)",
            "\" autofocus onfocus=alert(1) x=\"",
            "--><img src=x onerror=alert(1)>",
            "</title><h1>x",
            "</iframe></textarea></script>",
            "\0\u{1}\u{7F}\u{85}\u{FEFF}\u{FFFE}\u{202E}x",
            "{{ brand }}{% raw %}{# x #}",
            "javascript:alert(1)",
            "\u{1}javascript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "//evil.example/x",
            "/\\evil.example",
            "https://shop.example@evil.example/",
            "https://shop.example/\" onclick=\"alert(1)",
            "/r/x\" onclick=\"alert(1)",
            "https://shop.example/?a=1&quot;&b=<2>",
        ]
        .map(str::to_owned),
    );
    strings.push("é<>&\"'`".repeat(5_000));
    strings
}

/// Every field of every kind of page filled by `text`, addresses by `url`.
fn pages(text: &str, url: &str) -> Vec<(&'static str, String)> {
    let t = || text.to_owned();
    let u = || url.to_owned();
    let brand = Brand { shop_name: t(), home_url: u(), support_email: t(), support_url: u(), locale: t() };
    let line = LandingLine {
        title: t(),
        variant: Some(t()),
        quantity: u32::MAX,
        unit_price: t(),
        line_total: t(),
        image_url: Some(u()),
        item_url: Some(u()),
    };
    let open = Landing {
        brand: brand.clone(),
        lines: vec![line.clone(), line],
        total: t(),
        changes: vec![
            Change::PriceChanged { title: t(), was: t(), now: t() },
            Change::SoldOut { title: t() },
            Change::Unavailable { name: t() },
            Change::OfferEnded,
        ],
        action: u(),
        offer: Some(t()),
        prices_until: Some(t()),
        is_look: false,
        closed: false,
    };
    let choices = Preferences {
        brand: brand.clone(),
        action: u(),
        channel: t(),
        masked_address: Some(t()),
        why: t(),
        opted_out: false,
        opted_out_of_all: false,
        paused_until: None,
    };
    let mail = InboxMessage {
        send_id: t(),
        channel: t(),
        to: t(),
        from: t(),
        subject: t(),
        text: t(),
        html: Some(t()),
        headers: vec![(t(), t())],
        at: t(),
    };
    let sms = InboxMessage { channel: "sms".into(), subject: String::new(), html: None, ..mail.clone() };
    let bare = InboxMessage { html: None, ..mail.clone() };
    vec![
        ("landing", landing(&open)),
        ("look", landing(&Landing { is_look: true, ..open.clone() })),
        ("closed", landing(&Landing { closed: true, ..open.clone() })),
        ("empty", landing(&Landing { lines: vec![], ..open })),
        ("expired", link_trouble(Some(&brand), LinkTrouble::Expired)),
        ("unknown shop", link_trouble(Some(&brand), LinkTrouble::UnknownShop)),
        ("choices", preferences(&choices)),
        ("paused", preferences(&Preferences { paused_until: Some(t()), ..choices.clone() })),
        ("off", preferences(&Preferences { opted_out: true, ..choices.clone() })),
        ("all off", preferences(&Preferences { opted_out_of_all: true, ..choices })),
        ("done", done(&Done { brand, title: t(), body: t(), back: Some((t(), u())) })),
        ("inbox", inbox(&[mail, sms, bare])),
    ]
}

/// The tags of a page in order, each with its attributes' names, and what the tokeniser complains of.
fn skeleton(html: &str) -> Vec<String> {
    let mut out = Vec::new();
    for token in Tokenizer::new(html) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => {
                let names: Vec<_> =
                    tag.attributes.keys().map(|k| String::from_utf8_lossy(k).into_owned()).collect();
                out.push(format!("<{} {}>", String::from_utf8_lossy(&tag.name), names.join(" ")));
            }
            Token::EndTag(tag) => out.push(format!("</{}>", String::from_utf8_lossy(&tag.name))),
            Token::Comment(_) => out.push("<!-- -->".to_owned()),
            Token::Error(error) => out.push(format!("{:?}", error.value)),
            Token::Doctype(_) | Token::String(_) => {}
        }
    }
    out
}

/// What no page may hold, whatever was put into it. Returns the first thing found.
fn fault(html: &str) -> Option<String> {
    if !html.ends_with("</html>") || html.contains("Something went wrong") {
        return Some("not a whole page".to_owned());
    }
    if let Some(c) = html.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Some(format!("the control character {c:?}"));
    }
    for token in Tokenizer::new(html) {
        let Ok(token) = token;
        if let Token::Error(error) = &token {
            return Some(format!("{:?}", error.value));
        }
        let Token::StartTag(tag) = token else { continue };
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        if matches!(name.as_str(), "script" | "object" | "embed" | "base" | "template" | "math") {
            return Some(format!("<{name}>"));
        }
        for (key, value) in &tag.attributes {
            let (key, value) = (String::from_utf8_lossy(key), String::from_utf8_lossy(value));
            if key.starts_with("on") || key == "style" || key == "formaction" {
                return Some(format!("{key}={value}"));
            }
            let own = value.starts_with('/') && !value.starts_with("//") && !value.starts_with("/\\");
            let web = value.starts_with("https://") || value.starts_with("http://");
            let fine = match key.as_ref() {
                "action" => own,
                "src" => own || web,
                "href" => {
                    own || web
                        || value.starts_with(['#', '?'])
                        || value.starts_with("mailto:")
                        || value == "data:,"
                }
                _ => true,
            };
            if !fine || (web && value.contains('@')) {
                return Some(format!("{key}={value}"));
            }
        }
    }
    None
}

#[test]
fn naughty_text_changes_no_markup() {
    let url = "/some/path";
    // What a language tag or a mail address makes possible differs by design: both are compared
    // with text that is neither. Text with web addresses makes links in the inbox only.
    let plain: Vec<_> = pages("plain text", url).iter().map(|(_, html)| skeleton(html)).collect();
    for text in naughty().iter().filter(|text| !text.is_empty()) {
        for ((name, html), expect) in pages(text, url).iter().zip(&plain) {
            assert_eq!(fault(html), None, "{name}: {text:?}");
            if *name == "inbox" && text.contains("://") {
                continue;
            }
            let language = |tag: &String| tag.replace("<bdi lang>", "<bdi >");
            let found: Vec<_> = skeleton(html).iter().map(language).collect();
            assert_eq!(&found, expect, "{name}: {text:?}");
        }
    }
}

#[test]
fn naughty_addresses_lead_nowhere() {
    for url in naughty() {
        for (name, html) in pages("plain text", &url) {
            assert_eq!(fault(&html), None, "{name}: {url:?}");
        }
    }
}

#[test]
fn refused_addresses_leave_their_link_out() {
    for (name, html) in pages("plain text", "javascript:alert(1)") {
        assert!(!html.contains("javascript:"), "{name}");
        assert!(!html.contains("<form") && !html.contains("<img"), "{name}");
    }
    // A form must not carry the token's power to another host.
    assert!(
        !landing(&Landing { action: "https://evil.example/r/x".into(), ..sample::landing_plain() })
            .contains("<form")
    );
}

#[test]
fn text_arrives_as_it_was() {
    let page = landing(&Landing { total: "<b>£1 & \"2\"'</b>".into(), ..sample::landing_plain() });
    let mut text = String::new();
    for token in Tokenizer::new(&page) {
        let Ok(token) = token;
        if let Token::String(part) = token {
            text.push_str(&String::from_utf8_lossy(&part));
        }
    }
    assert!(text.contains("<b>£1 & \"2\"'</b>"));
    let framed = inbox(&sample::messages());
    let srcdoc = Tokenizer::new(&framed).find_map(|Ok(token)| match token {
        Token::StartTag(tag) => {
            tag.attributes.get(&b"srcdoc"[..]).map(|v| String::from_utf8_lossy(v).into_owned())
        }
        _ => None,
    });
    let html = sample::messages().iter().find_map(|m| m.html.clone()).expect("a mail");
    assert_eq!(srcdoc, Some(format!("<base target=\"_blank\">{html}")), "the mail is shown as it went out");
}

#[test]
fn the_judge_can_find_fault() {
    for bad in [
        "<p onclick=x></html>",
        "<script></script></html>",
        "<a href='javascript:x'></html>",
        "<a href='//evil.example'></html>",
        "<form action='https://x'></html>",
        "<p>",
        "\u{1}</html>",
    ] {
        assert!(fault(bad).is_some(), "{bad}");
    }
}
