//! Other people's text in every field: the structure of the HTML, the headers and the links stay
//! what they were, nothing is evaluated, nothing panics. Judged by an HTML tokenizer and a mail
//! parser that this crate does not use to write.

mod support;

use comeback_core::time::Timestamp;
use comeback_message::{
    Email, EmailTemplate, Encoding, Mailbox, MessageModel, RenderError, SmsTemplate, render_email,
    render_sms, to_mime,
};
use html5gum::{Token, Tokenizer};
use mail_parser::MessageParser;

/// Strings that the list lacks: merge tags, header injection, one-sided braces, direction overrides.
fn strings() -> Vec<String> {
    let mut all = support::naughty();
    let own = [
        "{{ 7 * 7 }}",
        "{{shop_name}}",
        "{% for x in lines %}",
        "{# gone #}",
        "{{",
        "}}",
        "{",
        "}",
        "%",
        "{%",
        "</title></style></table><script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onclick='x",
        "x\r\nBcc: evil@evil.example\r\n\r\nbody",
        "x\nBcc: evil@evil.example",
        "x\rBcc: y",
        "x\u{2028}Bcc: y",
        "x\u{85}Bcc: y",
        "\u{202E}txt.exe",
        "\u{FDD0}\u{FDD1}",
        "\u{FDD0}\u{FDD0}x",
        "--=_snd_0123456789abcdefghjkmnpqrs",
        "\0",
        "=?utf-8?q?=0D=0ABcc:_x?=",
        "<!--",
        "-->",
        "]]>",
        "&amp;",
        "&#0;",
        "&",
        "*|FNAME|*",
        "\u{1F3F4}\u{E0067}\u{E0062}",
    ];
    all.extend(own.iter().map(|s| (*s).to_owned()));
    all.push("a".repeat(100_000));
    all.push("😀".repeat(5_000));
    all.push("e\u{301}".repeat(5_000));
    all.push("'".repeat(5_000));
    all
}

/// Puts the text everywhere that text is taken from others.
fn tainted(text: &str) -> MessageModel {
    let mut model = support::model();
    model.offer = Some(support::offer());
    for line in &mut model.lines {
        line.title = format!("x{text}");
        line.variant = Some(text.to_owned());
        line.unit_price = format!("1{text}");
        line.line_total = format!("1{text}");
    }
    model.shop_name = format!("S{text}");
    model.total = format!("1{text}");
    model.why = format!("W{text}");
    model.postal_address = Some(format!("P{text}"));
    model.first_name = Some(text.to_owned());
    if let Some(offer) = &mut model.offer {
        offer.code = format!("C{text}");
        offer.valid_until = format!("D{text}");
    }
    model
}

/// Tags with their attributes' names and, for those that act, values.
fn skeleton(html: &str) -> Vec<String> {
    let mut seen = Vec::new();
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::StartTag(tag) => {
                let mut line = format!("<{}", String::from_utf8_lossy(&tag.name));
                for (name, value) in &tag.attributes {
                    let name = String::from_utf8_lossy(name);
                    let value = String::from_utf8_lossy(value);
                    line.push_str(&format!(" {name}={value:?}"));
                }
                seen.push(line);
            }
            Token::EndTag(tag) => seen.push(format!("</{}", String::from_utf8_lossy(&tag.name))),
            Token::Comment(_) => seen.push("comment".to_owned()),
            Token::Error(error) => seen.push(format!("error {error:?}")),
            _ => {}
        }
    }
    seen
}

/// The skeleton without what depends on whether a name or a variant was left after cleaning.
fn frame(html: &str) -> Vec<String> {
    let spans = ["<span dir=\"auto\"", "</span", "<br"];
    skeleton(html).into_iter().filter(|l| !spans.contains(&l.as_str())).collect()
}

fn check(template: EmailTemplate, email: &Email, expect: &[String], text: &str) {
    assert_eq!(frame(&email.html), expect, "{template:?} {text:?}");
    for tag in ["{{", "}}", "{%", "%}", "{#", "#}"] {
        for part in [&email.subject, &email.preheader, &email.text, &email.html] {
            assert!(!part.contains(tag), "{tag} in {template:?} {text:?}: {part}");
        }
    }
    for part in [&email.subject, &email.preheader] {
        assert!(!part.contains(char::is_control), "{part:?}");
        assert!(part.chars().count() <= 150);
    }
    assert!(email.html.len() <= 102_000);
}

#[test]
fn any_text_stays_text() {
    let mut plain = tainted("y");
    plain.first_name = None;
    for template in EmailTemplate::ALL {
        let expect = frame(&render_email(template, &plain, &support::send_key()).unwrap().html);
        assert!(!expect.iter().any(|l| l.starts_with("error")), "{expect:?}");
        for text in strings() {
            let email = render_email(template, &tainted(&text), &support::send_key()).unwrap();
            check(template, &email, &expect, &text);
        }
    }
}

#[test]
fn any_text_alone_renders_or_names_the_field() {
    for text in strings() {
        let mut model = support::model();
        model.lines[0].title.clone_from(&text);
        model.shop_name.clone_from(&text);
        match render_email(EmailTemplate::Reminder, &model, &support::send_key()) {
            Ok(email) => assert!(!email.subject.is_empty()),
            Err(RenderError::Missing { field }) => {
                assert!(["shop_name", "lines.title"].contains(&field), "{text:?}");
            }
            Err(other) => panic!("{text:?}: {other}"),
        }
    }
}

#[test]
fn any_text_as_a_link_is_dropped_or_refused() {
    for text in strings() {
        let mut model = support::model();
        let clean = frame(&render_email(EmailTemplate::Reminder, &model, &support::send_key()).unwrap().html);
        model.lines[1].image_url = Some(text.clone());
        model.support_url = Some(format!("https://shop.example/{text}"));
        model.support_email = Some(text.clone());
        let email = render_email(EmailTemplate::Reminder, &model, &support::send_key()).unwrap();
        for tag in frame(&email.html) {
            if tag.contains("href=") || tag.contains("src=") {
                let odd = tag.contains("href=\"https://shop.example/");
                assert!(clean.contains(&tag) || odd, "{text:?}: {tag}");
            }
        }
        model.resume_url.clone_from(&text);
        let refused = render_email(EmailTemplate::Reminder, &model, &support::send_key());
        assert!(
            matches!(refused, Err(RenderError::Url { field: "resume_url" })) || text.starts_with("https://"),
            "{text:?}"
        );
    }
}

#[test]
fn mime_survives_any_text() {
    let date = Timestamp::parse_rfc3339("2026-03-30T09:15:00Z").unwrap();
    for text in strings() {
        let mut email =
            render_email(EmailTemplate::Incentive, &tainted(&text), &support::send_key()).unwrap();
        let from = Mailbox { name: Some(format!("S{text}")), address: "hello@shop.example".to_owned() };
        let to = Mailbox { name: Some(text.clone()), address: "ada@customer.example".to_owned() };
        let bytes = to_mime(&email, &from, &to, date, &support::send_key()).unwrap();
        assert!(bytes.is_ascii(), "{text:?}");
        let raw = String::from_utf8(bytes.clone()).unwrap();
        assert!(raw.split("\r\n").all(|l| l.len() <= 998 && !l.contains(['\r', '\n'])), "{text:?}");

        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let names: Vec<&str> = parsed.headers().iter().map(mail_parser::Header::name).collect();
        let expect = [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "List-Unsubscribe",
            "List-Unsubscribe-Post",
            "MIME-Version",
            "Content-Type",
        ];
        assert_eq!(names, expect, "{text:?}");
        assert_eq!(parsed.subject(), Some(email.subject.as_str()), "{text:?}");
        assert_eq!(
            (parsed.text_body_count(), parsed.html_body_count(), parsed.attachment_count()),
            (1, 1, 0),
            "{text:?}"
        );
        let body = |part: Option<std::borrow::Cow<'_, str>>| part.unwrap().replace("\r\n", "\n");
        assert_eq!(body(parsed.body_text(0)).trim_end(), email.text.trim_end(), "{text:?}");
        assert_eq!(body(parsed.body_html(0)).trim_end(), email.html.trim_end(), "{text:?}");

        // A subject that did not come from a template is no way in either.
        email.subject.clone_from(&text);
        let raw = to_mime(&email, &from, &to, date, &support::send_key()).unwrap();
        let parsed = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(parsed.headers().len(), expect.len(), "{text:?}");
    }
}

#[test]
fn text_messages_survive_any_text() {
    for text in strings() {
        let mut model = support::model();
        model.lines[0].title = format!("x{text}");
        let sms = render_sms(SmsTemplate::Reminder, &model, "https://shop.example/s/7Qx2Lp").unwrap();
        assert_eq!((sms.segments, sms.encoding), (1, Encoding::Gsm7), "{text:?}: {sms:?}");
        for part in ["Tom & Anna's Shop: ", " https://shop.example/s/7Qx2Lp ", "STOP"] {
            assert!(sms.text.contains(part), "{text:?}: {sms:?}");
        }
        assert!(!sms.text.contains("{{") && !sms.text.contains(char::is_control), "{sms:?}");

        model.shop_name = format!("S{text}");
        match render_sms(SmsTemplate::Reminder, &model, "https://shop.example/s/7Qx2Lp") {
            Ok(sms) => assert!(sms.segments == 1 && sms.text.starts_with('S')),
            Err(error) => assert!(matches!(error, RenderError::TooLong { .. }), "{text:?}: {error}"),
        }
    }
}
