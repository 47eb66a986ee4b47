//! Joins a cart restored from a link with the cart that is on the page. Knows no DOM and no network.

use comeback_core::cart::Line;

fn same_item(a: &Line, b: &Line) -> bool {
    a.item_id == b.item_id && a.item_variant == b.item_variant
}

/// Whether two carts hold the same items in the same quantities, whatever their prices and order.
pub(crate) fn same_contents(a: &[Line], b: &[Line]) -> bool {
    let within = |a: &[Line], b: &[Line]| {
        a.iter().all(|x| b.iter().any(|y| same_item(x, y) && x.quantity == y.quantity))
    };
    within(a, b) && within(b, a)
}

/// Both carts in one: the larger quantity of each line, so that merging twice changes nothing.
/// Names and prices come from the restored cart, which the edge has just looked up.
pub(crate) fn merge(local: &[Line], restored: &[Line]) -> Vec<Line> {
    let mut lines = restored.to_vec();
    for line in local {
        match lines.iter_mut().find(|l| same_item(l, line)) {
            Some(held) => held.quantity = held.quantity.max(line.quantity),
            None => lines.push(line.clone()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use comeback_core::cart::Trust;

    fn line(item: &str, quantity: u32) -> Line {
        Line {
            item_id: item.to_owned(),
            item_variant: None,
            quantity,
            unit_price_minor: 0,
            title: String::new(),
            image_url: None,
            item_url: None,
            class: None,
            trust: Trust::Page,
        }
    }

    #[test]
    fn merging_is_idempotent_and_loses_nothing() {
        let (local, restored) = (vec![line("a", 1), line("b", 3)], vec![line("b", 2), line("c", 1)]);
        let once = merge(&local, &restored);
        assert!(same_contents(&once, &[line("a", 1), line("b", 3), line("c", 1)]));
        assert_eq!(merge(&once, &restored), once);
        assert!(same_contents(&merge(&restored, &local), &once));
    }

    #[test]
    fn contents_ignore_order_but_not_quantity() {
        assert!(same_contents(&[line("a", 1), line("b", 2)], &[line("b", 2), line("a", 1)]));
        assert!(!same_contents(&[line("a", 1)], &[line("a", 2)]));
        assert!(!same_contents(&[line("a", 1)], &[line("a", 1), line("b", 1)]));
        assert!(!same_contents(&[line("a", 1), line("b", 1)], &[line("a", 1)]));
    }
}
