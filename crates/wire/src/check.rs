//! `GET /v1/check/{pk}`: whether the lines of a cart are to be had as the page has them: variant,
//! pieces, price. Catalogue facts only, the same for everybody; holds no cart and knows no shopper.

use comeback_core::cart::{MAX_LINES, MAX_QUANTITY};
use serde::{Deserialize, Serialize};

use crate::shop::{Catalogue, Product};

/// Most alternatives named for a line.
const MOST_INSTEAD: usize = 3;

/// A line as the page has it: item, variant, pieces, price for one in minor units of the shop's currency;
/// the price is absent where the page shows another currency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Asked(pub String, pub Option<String>, pub u32, pub Option<i64>);

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// None is left.
    SoldOut,
    /// The item is there, this variant of it is not.
    Gone,
    /// Fewer are left.
    Fewer,
    /// It costs something else.
    Price,
}

/// A line that is not to be had as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// GA4 `item_id`.
    pub item_id: String,
    /// GA4 `item_variant`.
    pub item_variant: Option<String>,
    /// Name.
    pub title: String,
    /// What is wrong.
    pub problem: Problem,
    /// Pieces that are left, of those asked for.
    pub left: u32,
    /// Price in the page, minor units; of a changed price only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was_minor: Option<i64>,
    /// Price now, minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now_minor: Option<i64>,
    /// Other variants that are there, the likest first.
    pub instead: Vec<Instead>,
}

/// Another variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Instead {
    /// GA4 `item_variant`.
    pub item_variant: Option<String>,
    /// Price of one, minor units of the shop's currency.
    pub price_minor: i64,
    /// Its page.
    pub item_url: Option<String>,
    /// Its picture.
    pub image_url: Option<String>,
}

/// Reads the lines that are asked about: a JSON list of lists.
pub fn parse(text: &str) -> Result<Vec<Asked>, serde_json::Error> {
    let mut asked: Vec<Asked> = serde_json::from_str(text)?;
    asked.truncate(MAX_LINES);
    Ok(asked)
}

/// The lines that are not to be had as they are. An item that the catalogue does not have at all is no
/// finding: it need not hold everything that a shop sells.
#[must_use]
pub fn check(catalogue: &Catalogue, asked: &[Asked]) -> Vec<Finding> {
    asked.iter().filter_map(|line| finding(catalogue, line)).collect()
}

fn finding(catalogue: &Catalogue, Asked(item, variant, quantity, price): &Asked) -> Option<Finding> {
    let quantity = (*quantity).min(MAX_QUANTITY);
    let found = catalogue.find(item, variant.as_deref());
    let sibling = || catalogue.0.iter().find(|p| p.item_id == *item);
    let left = found.map_or(0, |p| p.stock.unwrap_or(quantity).min(quantity));
    let (problem, product) = match found {
        None => (Problem::Gone, sibling()?),
        Some(product) if left == 0 && quantity > 0 => (Problem::SoldOut, product),
        Some(product) if left < quantity => (Problem::Fewer, product),
        Some(product) if price.is_some_and(|p| p > 0 && p != product.price_minor) => {
            (Problem::Price, product)
        }
        Some(_) => return None,
    };
    let wants_other = matches!(problem, Problem::SoldOut | Problem::Gone);
    Some(Finding {
        item_id: item.clone(),
        item_variant: variant.clone(),
        title: product.title.clone(),
        problem,
        left,
        was_minor: price.filter(|_| problem == Problem::Price),
        now_minor: found.map(|p| p.price_minor),
        instead: if wants_other { instead(catalogue, item, variant.as_deref(), quantity) } else { vec![] },
    })
}

/// Other variants of an item with enough pieces. The likest shares the most words with the one that was
/// wanted (size, colour); among equals the nearest in price.
fn instead(catalogue: &Catalogue, item: &str, variant: Option<&str>, quantity: u32) -> Vec<Instead> {
    let words = |text: &str| -> Vec<String> {
        text.split(['/', ',']).map(|word| word.trim().to_lowercase()).collect()
    };
    let wanted = words(variant.unwrap_or_default());
    let price = catalogue.find(item, variant).map(|p| p.price_minor);
    let mut others: Vec<&Product> = catalogue
        .0
        .iter()
        .filter(|p| p.item_id == item && p.item_variant.as_deref() != variant)
        .filter(|p| p.stock.is_none_or(|stock| stock >= quantity.max(1)))
        .collect();
    others.sort_by_key(|p| {
        let own = words(p.item_variant.as_deref().unwrap_or_default());
        let shared = own.iter().filter(|word| wanted.contains(word)).count();
        (usize::MAX - shared, price.map(|price| price.abs_diff(p.price_minor)))
    });
    let told = |p: &Product| Instead {
        item_variant: p.item_variant.clone(),
        price_minor: p.price_minor,
        item_url: p.item_url.clone(),
        image_url: p.image_url.clone(),
    };
    others.into_iter().take(MOST_INSTEAD).map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mug(variant: &str, price_minor: i64, stock: Option<u32>) -> Product {
        Product {
            item_id: "mug".to_owned(),
            item_variant: Some(variant.to_owned()),
            title: "Mug".to_owned(),
            price_minor,
            image_url: None,
            item_url: Some(format!("/mug?{variant}")),
            stock,
            unit_cost_minor: Some(1),
            class: None,
        }
    }

    fn catalogue() -> Catalogue {
        Catalogue(vec![
            mug("250 ml / Tide", 2400, Some(9)),
            mug("250 ml / Ink", 2400, Some(2)),
            mug("350 ml / Tide", 2800, None),
            mug("350 ml / Ink", 2800, Some(0)),
        ])
    }

    fn ask(variant: &str, quantity: u32, price: Option<i64>) -> Option<(Problem, u32, Vec<String>)> {
        let asked = [Asked("mug".to_owned(), Some(variant.to_owned()), quantity, price)];
        check(&catalogue(), &asked)
            .pop()
            .map(|f| (f.problem, f.left, f.instead.into_iter().filter_map(|i| i.item_variant).collect()))
    }

    #[test]
    fn what_is_there_is_no_finding() {
        assert_eq!(ask("250 ml / Tide", 1, Some(2400)), None);
        assert_eq!(ask("250 ml / Tide", 1, None), None, "another currency: no price to compare");
        assert_eq!(ask("350 ml / Tide", 400, Some(2800)), None, "an unknown stock is enough");
        let unknown = [Asked("poster".to_owned(), None, 1, Some(5))];
        assert_eq!(check(&catalogue(), &unknown), []);
    }

    #[test]
    fn each_problem_is_named_and_the_likest_variant_comes_first() {
        let likest = ["350 ml / Tide", "250 ml / Ink", "250 ml / Tide"].map(str::to_owned).to_vec();
        assert_eq!(ask("350 ml / Ink", 1, Some(2800)), Some((Problem::SoldOut, 0, likest)));
        assert_eq!(ask("250 ml / Ink", 5, Some(2400)), Some((Problem::Fewer, 2, vec![])));
        assert_eq!(ask("250 ml / Tide", 1, Some(2300)), Some((Problem::Price, 1, vec![])));
        let (problem, left, instead) = ask("450 ml / Tide", 3, Some(3200)).unwrap();
        assert_eq!((problem, left), (Problem::Gone, 0));
        // Of ink there are only two.
        assert_eq!(instead, ["250 ml / Tide", "350 ml / Tide"]);
    }

    #[test]
    fn the_costs_of_the_shop_do_not_travel() {
        let asked = parse(r#"[["mug","350 ml / Ink",1,2800]]"#).unwrap();
        let told = serde_json::to_string(&check(&catalogue(), &asked)).unwrap();
        assert!(told.contains("sold_out") && !told.contains("cost") && !told.contains("stock"), "{told}");
        assert!(parse("{}").is_err() && parse(r#"[["mug"]]"#).is_err());
    }
}
