//! Every message that can leave, as it leaves. A change of wording or layout shows in review as a
//! change of these files.

#![allow(clippy::unwrap_used, reason = "a message that does not render fails the test")]

mod support;

use comeback_core::time::Timestamp;
use comeback_message::{
    Email, EmailTemplate, Mailbox, MessageModel, SmsTemplate, render_email, render_sms, to_mime,
};

fn render(template: EmailTemplate, model: &MessageModel) -> Email {
    render_email(template, model, &support::send_key()).unwrap()
}

fn snap(name: &str, email: &Email) {
    let headers: String = email.headers.iter().map(|h| format!("{}: {}\n", h.name, h.value)).collect();
    let text =
        format!("Subject: {}\nPreheader: {}\n{headers}\n{}", email.subject, email.preheader, email.text);
    insta::assert_snapshot!(format!("{name}.txt"), text);
    insta::assert_snapshot!(format!("{name}.html"), email.html);
}

#[test]
fn emails() {
    for template in EmailTemplate::ALL {
        let mut model = support::model();
        snap(template.name(), &render(template, &model));
        model.offer = Some(support::offer());
        // Only the two that speak of an offer carry one, even when one is at hand.
        if !matches!(template, EmailTemplate::Incentive | EmailTemplate::LastCall) {
            assert_eq!(render(template, &model), render(template, &support::model()));
        } else {
            snap(&format!("{}_offer", template.name()), &render(template, &model));
        }
        snap(&format!("{}_bare", template.name()), &render(template, &support::bare()));
    }
}

#[test]
fn a_long_cart_is_summed_up() {
    let mut model = support::model();
    model.preferences_url = Some("https://shop.example/u/choose".to_owned());
    model.total = "66.00 EUR".to_owned();
    model.lines = (1..=11)
        .map(|n| support::line(&format!("Thing {n}"), None, n, "1.00 EUR", &format!("{n}.00 EUR")))
        .collect();
    let email = render(EmailTemplate::Reminder, &model);
    assert_eq!(email.preheader, "Thing 1 and 10 more: ready when you are.");
    assert!(email.text.contains("- and 3 more\n") && !email.text.contains("Thing 9"));
    snap("reminder_long", &email);
}

#[test]
fn text_message() {
    for template in SmsTemplate::ALL {
        let of = |model: &MessageModel| render_sms(template, model, "https://shop.example/s/7Qx2Lp").unwrap();
        insta::assert_debug_snapshot!(template.name(), of(&support::model()));
        insta::assert_debug_snapshot!(format!("{}_bare", template.name()), of(&support::bare()));
    }
}

#[test]
fn mime() {
    let email = render(EmailTemplate::Reminder, &support::model());
    let from =
        Mailbox { name: Some("Tom & Anna’s Shop".to_owned()), address: "hello@shop.example".to_owned() };
    let to = Mailbox { name: None, address: "ada@customer.example".to_owned() };
    let date = Timestamp::parse_rfc3339("2026-03-30T09:15:00Z").unwrap();
    let bytes = to_mime(&email, &from, &to, date, &support::send_key()).unwrap();
    insta::assert_snapshot!("reminder.eml", String::from_utf8(bytes).unwrap().replace("\r\n", "\n"));
}
