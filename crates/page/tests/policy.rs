//! The Content-Security-Policy against the pages: it lets in what they hold and nothing else.

mod sample;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use comeback_page::*;
use sha2::{Digest, Sha256};

/// Elements' text between `<style>` and `</style>`, as a browser hashes it.
fn style_of(html: &str) -> &str {
    let (_, rest) = html.split_once("<style>").expect("a style element");
    rest.split_once("</style>").expect("an end of it").0
}

#[test]
fn the_policy_allows_the_style_that_is_sent_and_no_other() {
    let allowed = format!("style-src 'sha256-{}'", STANDARD.encode(Sha256::digest(STYLESHEET)));
    assert!(CSP.contains(&allowed), "after a change of page.css put into CSP: {allowed}");
    assert!(!CSP.contains("unsafe"));
    for (name, html) in sample::every_page() {
        let sheet = style_of(&html);
        if name.starts_with("inbox") {
            assert!(sheet.starts_with(INBOX_STYLESHEET), "{name}");
        } else {
            assert_eq!(sheet, STYLESHEET, "{name}");
            assert!(!html.contains(" style="), "{name}: a style attribute would be blocked");
        }
    }
}

#[test]
fn policies_deny_by_default_and_are_one_line() {
    for policy in [CSP, INBOX_CSP] {
        for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action"] {
            assert!(policy.contains(part), "{part}");
        }
        assert!(policy.bytes().all(|b| (0x20..0x7F).contains(&b)), "a header value");
        assert!(!policy.contains("  ") && !policy.contains("script-src"));
    }
}

#[test]
fn every_page_says_what_a_page_must_say() {
    for (name, html) in sample::every_page() {
        for part in [
            "<!doctype html>",
            "<html lang=\"en",
            "name=\"robots\" content=\"noindex, nofollow\"",
            "name=\"referrer\" content=\"no-referrer\"",
            "name=\"viewport\" content=\"width=device-width, initial-scale=1\"",
        ] {
            assert!(html.contains(part), "{name}: {part}");
        }
        let scripts = html.matches("<script").count();
        assert_eq!(scripts, 0, "{name} must work without scripts");
        if !name.starts_with("inbox") {
            assert_eq!(html.matches("<h1").count(), 1, "{name}");
            assert!(html.matches("class=\"primary\"").count() <= 1, "{name}: one primary way on");
        }
        assert!(html.len() < 24 * 1024, "{name}: {} bytes", html.len());
    }
}

#[test]
fn looking_never_acts_and_a_closed_cart_offers_no_way_back() {
    let open = landing(&sample::landing_plain());
    assert_eq!(open.matches("<form").count(), 1);
    assert!(open.contains("<form class=\"go\" method=\"post\" action=\"/r/"));
    for page in [landing(&sample::landing_closed()), landing(&sample::landing_empty())] {
        assert!(!page.contains("<form") && !page.contains("Back to my cart"));
        assert!(
            page.contains("href=\"https://wendle.example/\">Visit the shop</a>"),
            "the shop is still offered"
        );
    }
}

#[test]
fn each_state_offers_the_choices_that_change_it() {
    let with = |opted_out, opted_out_of_all, paused: bool| {
        preferences(&Preferences {
            opted_out,
            opted_out_of_all,
            paused_until: paused.then(|| "20 December".to_owned()),
            ..sample::preferences_email()
        })
    };
    let all = ["unsubscribe", "unsubscribe_all", "pause_30d", "resubscribe"];
    for (page, expect) in [
        (with(false, false, false), vec!["unsubscribe", "unsubscribe_all", "pause_30d"]),
        (with(false, false, true), vec!["unsubscribe", "unsubscribe_all", "resubscribe"]),
        (with(true, false, false), vec!["unsubscribe_all", "resubscribe"]),
        (with(true, false, true), vec!["unsubscribe_all", "resubscribe"]),
        (with(true, true, false), vec!["resubscribe"]),
        (with(false, true, true), vec!["resubscribe"]),
    ] {
        let offered: Vec<_> =
            all.into_iter().filter(|v| page.contains(&format!("name=\"do\" value=\"{v}\""))).collect();
        assert_eq!(offered, expect);
        assert!(page.contains("method=\"post\" action=\"/u/"));
    }
}

#[test]
fn a_dead_link_explains_itself_and_still_offers_the_shop() {
    use LinkTrouble::{CartGone, Expired, NotOurs, Revoked, UnknownShop};
    let brand = sample::brand();
    let mut seen = std::collections::BTreeSet::new();
    for why in [Expired, Revoked, NotOurs, CartGone, UnknownShop] {
        let page = link_trouble(Some(&brand), why);
        assert!(
            page.contains("<a class=\"primary\" href=\"https://wendle.example/\">Visit the shop</a>"),
            "{why:?}"
        );
        assert!(page.contains("mailto:hello@wendle.example"), "{why:?}");
        assert!(seen.insert(page), "{why:?} says the same as another");
        let without = link_trouble(None, why);
        assert!(!without.contains("href="), "{why:?}: no shop, no link");
        assert!(without.contains("says which shop it is from"), "{why:?}");
    }
    let forged = link_trouble(Some(&brand), NotOurs).to_lowercase();
    for hint in ["forged", "signature", "purpose", "key"] {
        assert!(!forged.contains(&format!(" {hint}")), "{hint} would help a forger");
    }
}
