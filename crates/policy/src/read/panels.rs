//! When panels of the page show. What they say is the shop's document's.

use comeback_core::policy::{Offer, PanelRules};

use super::Reader;
use crate::diagnostic::Report;
use crate::section::{Section, Word};
use crate::suggest::did_you_mean;

impl Reader<'_> {
    pub(super) fn panels(
        &mut self,
        report: &mut Report<'_>,
        root: &Section<'_>,
        offers: &[Offer],
    ) -> Vec<PanelRules> {
        let mut panels: Vec<PanelRules> = Vec::new();
        for section in root.tables(report, "panel") {
            let Some(panel) = section.word(report, "panel", "panel") else { continue };
            if panels.iter().any(|known| known.panel == panel) {
                report.error(
                    section.span_of("panel"),
                    format!("there are two tables for panel `{panel}`"),
                    None,
                );
                continue;
            }
            self.places.note(&format!("panel.{panel}"), &section);
            let offer = section.text(report, "offer").and_then(|offer| public(report, &offer, offers));
            panels.push(PanelRules {
                panel: panel.to_owned(),
                off: section.flag(report, "off").unwrap_or_default(),
                max_buy: section.number(report, "max_buy"),
                dwell_ms: section.duration(report, "dwell"),
                cooldown_ms: section.duration(report, "cooldown"),
                again_ms: section.duration(report, "again"),
                min_cart: section.number(report, "min_cart"),
                min_pages: section.whole(report, "min_pages"),
                offer,
            });
        }
        panels
    }
}

/// The name of an offer that everybody may read: its code travels with the page's configuration, so no
/// condition of it could be kept.
pub(super) fn public(report: &mut Report<'_>, name: &Word<'_>, offers: &[Offer]) -> Option<String> {
    let text = *name.get_ref();
    let Some(offer) = offers.iter().find(|offer| offer.name == text) else {
        let help = did_you_mean(text, offers.iter().map(|offer| offer.name.as_str()));
        report.error(name.span(), format!("there is no offer `{text}`"), help);
        return None;
    };
    let kept = [
        (offer.when.is_some(), "when"),
        (offer.min_margin.is_some(), "min_margin"),
        (!offer.not_for.is_empty(), "not_for"),
        (offer.per_90d.is_some(), "per_90d"),
        (offer.budget_day.is_some(), "budget_day"),
        (offer.approval, "approval"),
    ];
    if let Some((_, key)) = kept.iter().find(|(holds, _)| *holds) {
        report.error(
            name.span(),
            format!("a panel shows offer `{text}` to whoever comes by; its `{key}` could not be kept"),
            Some("name an offer without conditions, or put it into a message".to_owned()),
        );
        return None;
    }
    Some(text.to_owned())
}
