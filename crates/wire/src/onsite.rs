//! What a page is told of panels: the shop's words in the reader's language, the policy's rules beside
//! them, and the arms of experiments. The same for everybody who asks in a language, so that it may be
//! cached; who is in which arm is worked out in the page, from its bucket. Decides nothing.

use comeback_core::experiment;
use comeback_core::money::Currency;
use comeback_core::onsite::Panel;
use comeback_core::policy::{Arm, LeavingRules, Offer, OfferKind, PanelRules, Policy};
use serde_json::{Map, Value, json};

use crate::shop::ShopDocument;

/// Longest language tag that is looked at: RFC 5646 asks for room for 35 characters.
const MAX_TAG: usize = 35;
/// The member of the panels that holds their translations.
const TRANSLATIONS: &str = "i18n";

/// The body of `GET /v1/config/{pk}` for a reader of this language.
#[must_use]
pub fn page_config(document: &ShopDocument, policy: &Policy, language: Option<&str>) -> Value {
    let (mut panels, locale) = worded(&document.panels, &document.locale, language);
    for panel in Panel::ALL {
        let Some(words) = panels.get_mut(panel.as_str()).and_then(Value::as_object_mut) else { continue };
        let rules = policy.panels.iter().find(|p| p.panel == panel.as_str());
        if rules.is_some_and(|r| r.off) {
            words.insert("enabled".to_owned(), false.into());
        }
        words.insert("rules".to_owned(), rules_of(document, policy, panel, rules));
        if let Some(found) = experiment::on_panel(&policy.experiments, panel.as_str()) {
            let arms: Vec<Value> = found.arms.iter().map(|arm| arm_of(document, policy, arm)).collect();
            words.insert("experiment".to_owned(), json!({ "name": found.name, "arms": arms }));
        }
    }
    let free_from = policy.free_shipping_from.and_then(|v| document.currency.minor_from_number(v));
    json!({
        "shop": {
            "id": document.shop,
            "name": document.name,
            "currency": document.currency.code(),
            "locale": locale,
            "cart_url": document.cart_url,
        },
        "consent": document.consent,
        "panels": panels,
        "leaving": leaving_of(document, &policy.leaving),
        "shipping": { "free_from_minor": free_from },
    })
}

/// Tells the key that push subscriptions are made with (`applicationServerKey`, base64url), where the shop has
/// words for asking; nobody subscribes without having been asked.
pub fn tell_push_key<E>(config: &mut Value, key: impl FnOnce() -> Result<String, E>) -> Result<(), E> {
    let asks = config.get("panels").and_then(|panels| panels.get(Panel::Push.as_str())).is_some();
    if let (true, Some(told)) = (asks, config.as_object_mut()) {
        told.insert("push".to_owned(), json!({ "key": key()? }));
    }
    Ok(())
}

/// The words of all panels in the language that comes closest, and which that is. `de-AT` is looked for as
/// `de-AT` over `de` over the shop's own; each word by itself, so a translation may be partial.
fn worded(panels: &Value, locale: &str, language: Option<&str>) -> (Value, String) {
    let mut words = panels.clone();
    let translations = words.as_object_mut().and_then(|w| w.remove(TRANSLATIONS)).unwrap_or_default();
    let mut told = locale.to_owned();
    let tag = language.filter(|tag| tag.len() <= MAX_TAG).unwrap_or_default();
    let ends = tag.match_indices('-').map(|(at, _)| at).chain([tag.len()]);
    for part in ends.filter_map(|end| tag.get(..end)) {
        let found =
            translations.as_object().and_then(|all| all.iter().find(|(k, _)| k.eq_ignore_ascii_case(part)));
        if let Some((name, translation)) = found {
            lay_over(&mut words, translation);
            told.clone_from(name);
        }
    }
    (words, told)
}

/// Objects are laid over each other member by member; anything else takes the place of what was there.
fn lay_over(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                lay_over(under.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}

/// What counts as leaving: the policy's thresholds over the document's; what is absent is as usual.
fn leaving_of(document: &ShopDocument, rules: &LeavingRules) -> Value {
    let mut told = json!(rules);
    if rules.min_velocity_px_s.is_none() {
        told["min_velocity_px_s"] = document.exit.min_velocity_px_s.into();
    }
    told
}

fn rules_of(document: &ShopDocument, policy: &Policy, panel: Panel, rules: Option<&PanelRules>) -> Value {
    let mut told = Map::new();
    if panel == Panel::Exit {
        let exit = &document.exit;
        told.insert("max_buy".to_owned(), exit.max_buy.into());
        told.insert("dwell_ms".to_owned(), exit.dwell_ms.into());
        told.insert("cooldown_ms".to_owned(), exit.cooldown_s.saturating_mul(1_000).into());
        // Where documents had it before there were rules.
        let least = document.panels.get(panel.as_str()).and_then(|words| words.get("min_cart_minor"));
        told.insert("min_cart_minor".to_owned(), least.cloned().unwrap_or_else(|| 0.into()));
    }
    let Some(rules) = rules else { return Value::Object(told) };
    let minor = |major: f64| document.currency.minor_from_number(major);
    for (key, value) in [
        ("max_buy", rules.max_buy.map(Value::from)),
        ("dwell_ms", rules.dwell_ms.map(Value::from)),
        ("cooldown_ms", rules.cooldown_ms.map(Value::from)),
        ("again_ms", rules.again_ms.map(Value::from)),
        ("min_cart_minor", rules.min_cart.and_then(minor).map(Value::from)),
        ("min_pages", rules.min_pages.map(Value::from)),
        ("offer", rules.offer.as_deref().and_then(|name| offer_of(document, policy, name))),
    ] {
        if let Some(value) = value {
            told.insert(key.to_owned(), value);
        }
    }
    Value::Object(told)
}

/// An arm as the page needs it: its weight, and what it changes.
fn arm_of(document: &ShopDocument, policy: &Policy, arm: &Arm) -> Value {
    let mut told = Map::new();
    told.insert("name".to_owned(), arm.name.clone().into());
    told.insert("weight".to_owned(), arm.weight.into());
    if arm.silent {
        told.insert("silent".to_owned(), true.into());
    }
    for (key, value) in [
        ("copy", arm.copy.clone().map(Value::from)),
        ("dwell_ms", arm.dwell_ms.map(Value::from)),
        ("max_buy", arm.max_buy.map(Value::from)),
        // `none` takes the panel's own offer away, and so does one whose code the shop does not honour.
        ("offer", arm.offer.as_deref().map(|name| offer_of(document, policy, name).unwrap_or(Value::Null))),
    ] {
        if let Some(value) = value {
            told.insert(key.to_owned(), value);
        }
    }
    Value::Object(told)
}

/// An offer with the code that the shop honours; none without a code.
fn offer_of(document: &ShopDocument, policy: &Policy, name: &str) -> Option<Value> {
    let code = document.offer_codes.get(name)?;
    let offer = policy.offer(name)?;
    Some(json!({ "name": name, "code": code, "gives": gives(offer, document.currency) }))
}

fn gives(offer: &Offer, currency: Currency) -> Value {
    match offer.kind {
        OfferKind::Percent => json!({ "percent": offer.percent }),
        OfferKind::Amount => json!({ "amount_minor": currency.minor_from_number(offer.amount) }),
        OfferKind::FreeShipping => json!({ "free_shipping": true }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use comeback_core::policy::{Experiment, Subject};

    fn document(panels: &Value) -> ShopDocument {
        serde_json::from_value(json!({
            "shop": "shop_1", "pk": "pk_one", "name": "One", "currency": "EUR", "locale": "en-GB",
            "hosts": ["one.example"], "cart_url": "/cart", "home_url": "/", "support_email": "a@one.example",
            "support_url": "/help", "consent": { "mode": "required", "wording": "1" },
            "panels": panels, "offer_codes": { "ten": "TEN10" },
        }))
        .unwrap()
    }

    fn ten() -> Offer {
        serde_json::from_value(json!({
            "name": "ten", "percent": 10, "valid_ms": 1000, "when": null,
        }))
        .unwrap()
    }

    #[test]
    fn words_fall_back_one_by_one_from_region_to_language_to_the_shops_own() {
        let panels = json!({
            "exit": { "title": "Before you go", "body": "Kept.", "reasons": [{ "title": "a" }, { "title": "b" }] },
            "i18n": {
                "de": { "exit": { "title": "Bevor Sie gehen", "reasons": [{ "title": "c" }] } },
                "de-AT": { "exit": { "title": "Bevor S’ gehen" } },
            },
        });
        let told = |language: Option<&str>| {
            let config = page_config(&document(&panels), &Policy::plain("plain", vec![]), language);
            let exit = &config["panels"]["exit"];
            assert!(config["panels"].get("i18n").is_none(), "other languages do not travel");
            (
                exit["title"].as_str().unwrap().to_owned(),
                exit["body"].as_str().unwrap().to_owned(),
                exit["reasons"].as_array().unwrap().len(),
                config["shop"]["locale"].as_str().unwrap().to_owned(),
            )
        };
        let own = ("Before you go".to_owned(), "Kept.".to_owned(), 2, "en-GB".to_owned());
        assert_eq!(told(None), own);
        assert_eq!(told(Some("fr")), own);
        assert_eq!(told(Some(&"d".repeat(4_000))), own);
        let german = ("Bevor Sie gehen".to_owned(), "Kept.".to_owned(), 1, "de".to_owned());
        assert_eq!(told(Some("de")), german);
        assert_eq!(told(Some("DE-ch")), german);
        assert_eq!(told(Some("de-AT")).0, "Bevor S’ gehen");
        assert_eq!(told(Some("de-AT")).2, 1);
    }

    #[test]
    fn the_key_for_push_goes_out_only_to_shops_that_ask() {
        let told = |panels: Value| {
            let mut config = page_config(&document(&panels), &Policy::plain("plain", vec![]), None);
            tell_push_key(&mut config, || Ok::<_, ()>("BLY".to_owned())).unwrap();
            config.get("push").cloned()
        };
        assert_eq!(told(json!({ "push": { "title": "May we?" } })), Some(json!({ "key": "BLY" })));
        assert_eq!(told(json!({ "exit": { "title": "x" } })), None);
        let mut config = json!({ "panels": { "push": {} } });
        assert_eq!(tell_push_key(&mut config, || Err("no key")), Err("no key"));
    }

    #[test]
    fn rules_and_arms_go_out_with_the_words_and_only_with_them() {
        let rules = PanelRules {
            panel: "exit".to_owned(),
            dwell_ms: Some(500),
            min_cart: Some(20.0),
            offer: Some("ten".to_owned()),
            ..PanelRules::default()
        };
        let off = PanelRules { panel: "survey".to_owned(), off: true, ..PanelRules::default() };
        let arm = |name: &str| Arm { name: name.to_owned(), weight: 1, ..Arm::default() };
        let policy = Policy {
            offers: vec![ten()],
            panels: vec![rules, off],
            free_shipping_from: Some(75.0),
            experiments: vec![Experiment {
                name: "words".to_owned(),
                hypothesis: "plain is better".to_owned(),
                subject: Subject::Panel { panel: "exit".to_owned() },
                arms: vec![
                    arm("control"),
                    Arm { copy: Some("plain".to_owned()), offer: Some("none".to_owned()), ..arm("plain") },
                    Arm { silent: true, ..arm("nothing") },
                ],
            }],
            ..Policy::plain("plain", vec![])
        };
        let panels = json!({ "exit": { "title": "x" }, "survey": { "title": "y" } });
        let config = page_config(&document(&panels), &policy, None);
        let exit = &config["panels"]["exit"];
        assert_eq!(exit["rules"]["dwell_ms"], 500);
        assert_eq!(exit["rules"]["max_buy"], 0.6);
        assert_eq!(exit["rules"]["min_cart_minor"], 2_000);
        assert_eq!(
            exit["rules"]["offer"],
            json!({ "name": "ten", "code": "TEN10", "gives": { "percent": 10 } })
        );
        assert_eq!(
            exit["experiment"],
            json!({ "name": "words", "arms": [
                { "name": "control", "weight": 1 },
                { "name": "plain", "weight": 1, "copy": "plain", "offer": null },
                { "name": "nothing", "weight": 1, "silent": true },
            ] })
        );
        assert_eq!(config["panels"]["survey"]["enabled"], false);
        assert!(config["panels"].get("banner").is_none());
        assert_eq!(config["shipping"]["free_from_minor"], 7_500);
        assert!(!config.to_string().contains("plain is better"), "why it is tested is the shop's own");
    }
}
