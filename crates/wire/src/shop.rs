//! A shop as it is provisioned (`PUT /v1/admin/shops/{shop}`) and as it is held. No secrets: those
//! come from the environment.

use std::collections::BTreeMap;

use comeback_core::cart::{Line, Trust};
use comeback_core::id::ShopId;
use comeback_core::money::Currency;
use comeback_core::onsite::ExitRules;
use comeback_core::release::Trial;
use serde::{Deserialize, Serialize};

use crate::cart_view::{CartView, Difference};

/// What a merchant sends. Unknown keys are refused: a misspelt switch must not be silently off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShopDocument {
    /// The shop's id; must equal the one in the address.
    pub shop: ShopId,
    /// The public key that its pages carry.
    pub pk: String,
    /// Its name, as people know it.
    pub name: String,
    /// Currency of its catalogue.
    pub currency: Currency,
    /// Language tag of its copy.
    pub locale: String,
    /// Hosts that serve it, with port where it is not the scheme's own. The first is the one that
    /// links in messages lead to.
    pub hosts: Vec<String>,
    /// Further origins whose pages may send events.
    #[serde(default)]
    pub origins: Vec<String>,
    /// The domain that its hosts and the pages of `origins` share: cookies are set for all of it, not for one host. Must be
    /// one that a browser lets be shared, so no public suffix such as `co.uk`.
    #[serde(default)]
    pub cookie_domain: Option<String>,
    /// Page of the cart.
    pub cart_url: String,
    /// Front page.
    pub home_url: String,
    /// Where shoppers get help by mail.
    pub support_email: String,
    /// Where shoppers get help on the web.
    pub support_url: String,
    /// Sender of its messages; a `no-reply`-free address is kinder.
    #[serde(default)]
    pub sender: Option<String>,
    /// Postal address, which some countries want in every message.
    #[serde(default)]
    pub postal_address: Option<String>,
    /// Name of a preset.
    #[serde(default)]
    pub policy: Option<String>,
    /// Or a policy in full.
    #[serde(default)]
    pub policy_toml: Option<String>,
    /// `allow` only where automated browsers are wanted: demo and test shops.
    #[serde(default)]
    pub automation: Automation,
    /// A purchase that only a page reports counts as paid. For shops without any signed source.
    #[serde(default)]
    pub trust_page_orders: bool,
    /// When capture may begin.
    pub consent: ConsentRule,
    /// Copy of the panels; passed to the page as it is.
    pub panels: serde_json::Value,
    /// When the exit panel may show.
    #[serde(default)]
    pub exit: ExitRules,
    /// Codes that the shop honours, by offer name.
    #[serde(default)]
    pub offer_codes: BTreeMap<String, String>,
    /// What it sells.
    #[serde(default)]
    pub catalogue: Vec<Product>,
}

impl ShopDocument {
    /// The domain for which a cookie is set by an answer from this host (with port or without); none: for the host alone.
    #[must_use]
    pub fn cookie_domain_at(&self, host: &str) -> Option<&str> {
        let domain = self.cookie_domain.as_deref()?;
        let host = host.split(':').next().unwrap_or_default();
        let below = host.strip_suffix(domain)?;
        (below.is_empty() || below.ends_with('.')).then_some(domain)
    }
}

/// What to do about browsers that say they are driven by a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Automation {
    /// Their carts are never recovered and never counted.
    #[default]
    Refuse,
    /// They are treated like people.
    Allow,
}

/// When capture may begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRule {
    /// `required`: nothing before a yes. `implied`: until a no.
    pub mode: ConsentMode,
    /// Version of the wording shown.
    pub wording: String,
}

/// See [`ConsentRule::mode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentMode {
    /// Nothing before a yes.
    Required,
    /// Until a no.
    Implied,
}

/// One sellable variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// GA4 `item_id`.
    pub item_id: String,
    /// GA4 `item_variant`.
    pub item_variant: Option<String>,
    /// Name.
    pub title: String,
    /// Price now, minor units of the shop's currency.
    pub price_minor: i64,
    /// Picture, absolute or a path.
    pub image_url: Option<String>,
    /// Page, absolute or a path.
    pub item_url: Option<String>,
    /// Pieces at hand; unknown counts as enough.
    pub stock: Option<u32>,
    /// What one costs the shop, minor units of the shop's currency. Never leaves the edge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_cost_minor: Option<i64>,
    /// Product class, as policies name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// What the shop sells, found by item and variant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Catalogue(pub Vec<Product>);

impl Catalogue {
    /// Finds a line's product.
    #[must_use]
    pub fn find(&self, item_id: &str, item_variant: Option<&str>) -> Option<&Product> {
        self.0.iter().find(|p| p.item_id == item_id && p.item_variant.as_deref() == item_variant)
    }

    /// Whether every product has a unit cost; unknown without products.
    #[must_use]
    pub fn has_unit_costs(&self) -> Option<bool> {
        (!self.0.is_empty()).then(|| self.0.iter().all(|p| p.unit_cost_minor.is_some()))
    }

    /// Its product classes; unknown where no product has one.
    #[must_use]
    pub fn classes(&self) -> Option<Vec<String>> {
        let classes: std::collections::BTreeSet<&String> =
            self.0.iter().filter_map(|p| p.class.as_ref()).collect();
        (!classes.is_empty()).then(|| classes.into_iter().cloned().collect())
    }

    /// What is left of a cart's value after unit costs, as a share of it. `None` where the catalogue
    /// lacks the cost of a line, nothing is asked for the cart, or it is in another currency than the shop's
    /// costs (`currency`). Below 0 for one sold under its cost.
    #[must_use]
    pub fn margin(&self, currency: Currency, shown: &CartView) -> Option<f64> {
        if shown.currency != currency.code() {
            return None;
        }
        let mut cost = 0_i64;
        for line in &shown.lines {
            let product = self.find(&line.item_id, line.item_variant.as_deref())?;
            cost = cost.checked_add(product.unit_cost_minor?.checked_mul(i64::from(line.quantity))?)?;
        }
        let value = shown.total_minor;
        #[expect(clippy::cast_precision_loss, reason = "amounts far below 2^52")]
        (value > 0).then(|| (value - cost) as f64 / value as f64)
    }

    /// The lines that may be shown to someone else than the page's own shopper, as they are now:
    /// signed lines as the platform said, lines of a page only with the catalogue's title, price
    /// and picture. What is missing or changed is reported, never silently dropped.
    ///
    /// Catalogue prices are in the shop's currency. A cart that a page fills in another one is shown
    /// in the shop's; one with signed lines keeps theirs, and a page's lines among them, which have
    /// no price in that currency, are reported as unavailable.
    pub fn present(&self, currency: Currency, view: &mut CartView, lines: &[Line]) -> Vec<Difference> {
        let mut report = vec![];
        view.lines.clear();
        let any_signed = lines.iter().any(|l| l.trust == Trust::Signed);
        let foreign = view.currency != currency.code();
        if foreign && !any_signed {
            currency.code().clone_into(&mut view.currency);
        }
        for line in lines {
            let mut shown = crate::cart_view::LineView::from(line);
            let priced_here = !(foreign && any_signed);
            match self.find(&line.item_id, line.item_variant.as_deref()).filter(|_| priced_here) {
                Some(product) => {
                    if product.stock == Some(0) {
                        report.push(Difference::SoldOut {
                            item_id: line.item_id.clone(),
                            item_variant: line.item_variant.clone(),
                            title: product.title.clone(),
                        });
                        continue;
                    }
                    // What a page said in another currency is no former price, and none is none: it was
                    // only looked at, or the page names no prices.
                    let former = !foreign && line.unit_price_minor > 0;
                    if former && line.unit_price_minor != product.price_minor {
                        report.push(Difference::PriceChanged {
                            item_id: line.item_id.clone(),
                            item_variant: line.item_variant.clone(),
                            title: product.title.clone(),
                            was_minor: line.unit_price_minor,
                            now_minor: product.price_minor,
                        });
                    }
                    shown.title.clone_from(&product.title);
                    shown.unit_price_minor = product.price_minor;
                    shown.image_url.clone_from(&product.image_url);
                    shown.item_url.clone_from(&product.item_url);
                }
                None if line.trust == Trust::Signed => {}
                None => {
                    report.push(Difference::Unavailable {
                        item_id: line.item_id.clone(),
                        item_variant: line.item_variant.clone(),
                    });
                    continue;
                }
            }
            view.lines.push(shown);
        }
        view.retotal();
        report
    }
}

/// A shop as it is held: the document with catalogue and policy replaced by their hashes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shop {
    /// The document, its catalogue and policy text emptied.
    #[serde(flatten)]
    pub document: ShopDocument,
    /// Version of the policy; the text is in KV under it.
    pub policy_version: String,
    /// Hash of the catalogue; the list is in KV under it.
    pub catalogue_version: String,
    /// The catalogue puts products into classes: only then is it asked for them with every batch.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_classes: bool,
    /// Version that decides beside it without sending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow_version: Option<String>,
    /// The policy is being rolled out to some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
}

impl Shop {
    /// The version whose panels pages show. What everybody gets alike cannot be rolled out to some: while the
    /// one in force is, pages keep to the one before.
    #[must_use]
    pub fn page_policy(&self) -> &str {
        self.trial.as_ref().map_or(&self.policy_version, |trial| &trial.before)
    }

    /// The origin that links in messages lead to, `https://shop.example`.
    #[must_use]
    pub fn origin(&self) -> String {
        let host = self.document.hosts.first().map_or("localhost", String::as_str);
        let local = host.starts_with("localhost") || host.starts_with("127.0.0.1");
        format!("{}://{host}", if local { "http" } else { "https" })
    }

    /// Makes a path of the shop absolute.
    #[must_use]
    pub fn absolute(&self, url: &str) -> String {
        if url.starts_with('/') { format!("{}{url}", self.origin()) } else { url.to_owned() }
    }

    /// Whether pages of an origin may send events for this shop.
    #[must_use]
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.document.origins.iter().any(|o| o == origin)
            || self.document.hosts.iter().any(|h| {
                origin.strip_prefix("https://") == Some(h)
                    || ((h.starts_with("localhost") || h.starts_with("127.0.0.1"))
                        && origin.strip_prefix("http://") == Some(h))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use comeback_core::cart::{Cart, Change};
    use comeback_core::id::{CartId, EventId};
    use comeback_core::time::Timestamp;

    fn product(item: &str, price: i64, stock: Option<u32>) -> Product {
        Product {
            item_id: item.to_owned(),
            item_variant: None,
            title: format!("The {item}"),
            price_minor: price,
            image_url: None,
            item_url: None,
            stock,
            unit_cost_minor: None,
            class: None,
        }
    }

    #[test]
    fn a_page_cannot_name_titles_or_prices_of_what_others_see() {
        let line = |item: &str, trust| Line {
            item_id: item.to_owned(),
            item_variant: None,
            quantity: 2,
            unit_price_minor: 1,
            title: "Claim your prize at evil.example".to_owned(),
            image_url: None,
            item_url: None,
            class: None,
            trust,
        };
        let mut cart = Cart::new(Currency::parse("EUR").unwrap());
        let lines = vec![
            line("mug", Trust::Page),
            line("ghost", Trust::Page),
            line("gone", Trust::Page),
            line("signed", Trust::Signed),
        ];
        cart.apply(Timestamp::default(), &EventId::parse("evt_1").unwrap(), Change::Set(lines));
        let catalogue = Catalogue(vec![product("mug", 2400, None), product("gone", 100, Some(0))]);
        let mut view = CartView::of(&CartId::parse("cart_1").unwrap(), &cart, false);
        let report = catalogue.present(Currency::parse("EUR").unwrap(), &mut view, cart.lines());
        let shown: Vec<_> = view.lines.iter().map(|l| (l.title.as_str(), l.unit_price_minor)).collect();
        assert_eq!(shown, [("The mug", 2400), ("Claim your prize at evil.example", 1)]);
        assert_eq!(view.total_minor, 4802);
        assert_eq!(report.len(), 3);
    }

    #[test]
    fn a_margin_needs_the_cost_of_every_line() {
        let costed =
            |item: &str, cost: Option<i64>| Product { unit_cost_minor: cost, ..product(item, 1_000, None) };
        let margin = |costs: [Option<i64>; 2]| {
            let catalogue = Catalogue(vec![costed("mug", costs[0]), costed("bowl", costs[1])]);
            let line = |item: &str, quantity| Line {
                item_id: item.to_owned(),
                item_variant: None,
                quantity,
                unit_price_minor: 1,
                title: String::new(),
                image_url: None,
                item_url: None,
                class: None,
                trust: Trust::Page,
            };
            let eur = Currency::parse("EUR").unwrap();
            let mut cart = Cart::new(eur);
            let lines = vec![line("mug", 2), line("bowl", 1)];
            cart.apply(Timestamp::default(), &EventId::parse("evt_1").unwrap(), Change::Set(lines));
            let mut view = CartView::of(&CartId::parse("cart_1").unwrap(), &cart, false);
            let _ = catalogue.present(eur, &mut view, cart.lines());
            let abroad = CartView { currency: "JPY".to_owned(), ..view.clone() };
            assert_eq!(catalogue.margin(eur, &abroad), None, "costs are in the shop's currency");
            catalogue.margin(eur, &view)
        };
        assert_eq!(margin([Some(400), Some(700)]), Some(0.5));
        assert_eq!(margin([Some(400), None]), None);
        assert_eq!(margin([Some(2_000), Some(500)]), Some(-0.5), "sold under its cost");
    }

    #[test]
    fn a_price_keeps_its_currency() {
        let eur = Currency::parse("EUR").unwrap();
        let line = |trust| Line {
            item_id: "mug".to_owned(),
            item_variant: None,
            quantity: 1,
            unit_price_minor: 5000,
            title: "Mug".to_owned(),
            image_url: None,
            item_url: None,
            class: None,
            trust,
        };
        let catalogue = Catalogue(vec![product("mug", 2400, None)]);
        let present = |lines: Vec<Line>| {
            let mut cart = Cart::new(Currency::parse("JPY").unwrap());
            cart.apply(Timestamp::default(), &EventId::parse("evt_1").unwrap(), Change::Set(lines));
            let mut view = CartView::of(&CartId::parse("cart_1").unwrap(), &cart, false);
            let report = catalogue.present(eur, &mut view, cart.lines());
            (view.currency.clone(), view.total_minor, report.len())
        };
        assert_eq!(present(vec![line(Trust::Page)]), ("EUR".to_owned(), 2400, 0));
        assert_eq!(present(vec![line(Trust::Signed)]), ("JPY".to_owned(), 5000, 0));
        let other = Line { item_id: "bowl".to_owned(), ..line(Trust::Page) };
        assert_eq!(present(vec![line(Trust::Signed), other]), ("JPY".to_owned(), 5000, 1));
    }
}
