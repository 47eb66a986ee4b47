//! Product classes by item and variant: what the edge adds to what pages and platforms say was put into
//! a cart or looked at. A class decides how long a cart may idle and which offers it gets, so nobody
//! but the shop's catalogue names one.

use std::collections::BTreeMap;

use comeback_core::cart::{Change, Line};
use comeback_core::signal::{Signal, SignalKind};

use crate::shop::Catalogue;

/// The classes of a catalogue. A catalogue may hold tens of thousands of variants and a batch names a
/// few, so they are found by item first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Classes(BTreeMap<String, Vec<(Option<String>, String)>>);

impl From<&Catalogue> for Classes {
    fn from(catalogue: &Catalogue) -> Self {
        let mut classes = Self::default();
        for product in &catalogue.0 {
            if let Some(class) = &product.class {
                let variants = classes.0.entry(product.item_id.clone()).or_default();
                variants.push((product.item_variant.clone(), class.clone()));
            }
        }
        classes
    }
}

impl Classes {
    /// The class of an item: the variant's, or the item's where no such variant is known, because pages
    /// often name an item alone.
    fn of(&self, item_id: &str, variant: Option<&str>) -> Option<String> {
        let variants = self.0.get(item_id)?;
        let own = variants.iter().find(|(held, _)| held.as_deref() == variant);
        own.or_else(|| variants.first()).map(|(_, class)| class.clone())
    }

    /// Names the class of every line, and forgets one that somebody else named.
    pub fn mark_lines(&self, lines: &mut [Line]) {
        for line in lines {
            line.class = self.of(&line.item_id, line.item_variant.as_deref());
        }
    }

    /// Names the class of everything that signals put into a cart or looked at.
    pub fn mark(&self, signals: &mut [Signal]) {
        for signal in signals {
            match &mut signal.kind {
                SignalKind::Cart { change: Change::Add(lines) | Change::Set(lines), .. } => {
                    self.mark_lines(lines);
                }
                SignalKind::ViewItem { item: Some(item), .. } | SignalKind::Dwelt { item, .. } => {
                    item.class = self.of(&item.item_id, item.item_variant.as_deref());
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::Product;
    use comeback_core::cart::Trust;
    use comeback_core::id::EventId;
    use comeback_core::money::Currency;
    use comeback_core::signal::Viewed;
    use comeback_core::time::Timestamp;

    fn product(item: &str, variant: Option<&str>, class: Option<&str>) -> Product {
        Product {
            item_id: item.to_owned(),
            item_variant: variant.map(str::to_owned),
            title: item.to_owned(),
            price_minor: 100,
            image_url: None,
            item_url: None,
            stock: None,
            unit_cost_minor: None,
            class: class.map(str::to_owned),
        }
    }

    #[test]
    fn only_the_catalogue_names_a_class() {
        let catalogue = Catalogue(vec![
            product("divan", Some("red"), Some("sofas")),
            product("divan", Some("outlet"), Some("clearance")),
            product("mug", None, None),
        ]);
        let classes = Classes::from(&catalogue);
        let line = |item: &str, variant: Option<&str>| Line {
            item_id: item.to_owned(),
            item_variant: variant.map(str::to_owned),
            quantity: 1,
            unit_price_minor: 100,
            title: String::new(),
            image_url: None,
            item_url: None,
            class: Some("what the page says".to_owned()),
            trust: Trust::Page,
        };
        let mut lines = vec![
            line("divan", Some("red")),
            line("divan", Some("outlet")),
            line("divan", None),
            line("mug", None),
            line("ghost", None),
        ];
        classes.mark_lines(&mut lines);
        let named: Vec<_> = lines.iter().map(|l| l.class.as_deref()).collect();
        assert_eq!(named, [Some("sofas"), Some("clearance"), Some("sofas"), None, None]);

        let signal = |kind| Signal { id: EventId::derive(&["1"]), at: Timestamp::default(), kind };
        let item = Viewed { item_id: "divan".into(), item_variant: None, class: None };
        let currency = Currency::parse("EUR").unwrap();
        let mut signals = [
            signal(SignalKind::ViewItem { item: Some(item), dwell_ms: Some(1) }),
            signal(SignalKind::Cart { currency, change: Change::Add(vec![line("divan", Some("red"))]) }),
        ];
        classes.mark(&mut signals);
        let told = serde_json::to_string(&signals).unwrap();
        assert_eq!(told.matches(r#""class":"sofas""#).count(), 2, "{told}");
    }
}
