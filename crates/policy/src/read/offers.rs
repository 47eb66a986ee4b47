//! Offers, and learned choices between them.

use std::collections::BTreeMap;

use comeback_core::policy::{Learner, Offer, OfferKind};

use super::{NO_OFFER, Names, Reader};
use crate::diagnostic::Report;
use crate::section::Section;
use crate::suggest::did_you_mean;

const DEFAULT_LEAST_SHARE: f64 = 0.1;

impl Reader<'_> {
    pub(super) fn offers(
        &mut self,
        report: &mut Report<'_>,
        root: &Section<'_>,
        names: &mut Names,
    ) -> Vec<Offer> {
        let sections = root.tables(report, "offer");
        sections.iter().filter_map(|section| self.offer(report, section, names)).collect()
    }

    fn offer(&mut self, report: &mut Report<'_>, section: &Section<'_>, names: &mut Names) -> Option<Offer> {
        let name = names.read(report, section, "an offer");
        let when = self.condition(report, section, "when");
        let kind = section.word(report, "kind", "kind of offer").map(|kind| match kind {
            "amount" => OfferKind::Amount,
            "free_shipping" => OfferKind::FreeShipping,
            _ => OfferKind::Percent,
        });
        let percent: Option<u8> = section.whole(report, "percent");
        let amount = section.number(report, "amount");
        if let Some(kind) = kind {
            for (key, of) in [("percent", OfferKind::Percent), ("amount", OfferKind::Amount)] {
                if kind == of {
                    section.require(report, key);
                } else if section.has(key) {
                    let message = format!("`{key}` says nothing about an offer of another kind");
                    report.error(
                        section.span_of(key),
                        message,
                        Some(format!("write `kind = \"{key}\"`, or leave it out")),
                    );
                }
            }
        }
        let offer = Offer {
            name: String::new(),
            kind: kind.unwrap_or_default(),
            percent: percent.unwrap_or_default(),
            amount: amount.unwrap_or_default(),
            valid_ms: section.duration(report, "valid_for").unwrap_or_default(),
            when,
            min_margin: section.number(report, "min_margin"),
            not_for: section.classes(report, "not_for"),
            per_90d: section.whole(report, "per_90d"),
            budget_day: section.number(report, "budget_day"),
            first_message: section.flag(report, "first_message").unwrap_or_default(),
            approval: section.flag(report, "approval").unwrap_or_default(),
            honour_price_ms: section.duration(report, "honour_price"),
        };
        let name = name?.into_inner();
        self.places.note(&format!("offer.{name}"), section);
        Some(Offer { name, ..offer })
    }

    /// Learners share their names with offers: a step names either.
    pub(super) fn learners(
        &mut self,
        report: &mut Report<'_>,
        root: &Section<'_>,
        names: &mut Names,
        offers: &[Offer],
    ) -> Vec<Learner> {
        let known: Vec<&str> = offers.iter().map(|offer| offer.name.as_str()).chain([NO_OFFER]).collect();
        let mut learners = Vec::new();
        for section in root.tables(report, "learner") {
            let name = names.read(report, &section, "a learner");
            let mut arms = Vec::new();
            for arm in section.names(report, "arms") {
                if known.contains(arm.get_ref()) {
                    arms.push((*arm.get_ref()).to_owned());
                } else {
                    let help = did_you_mean(arm.get_ref(), known.iter().copied());
                    report.error(arm.span(), format!("there is no offer `{}`", arm.get_ref()), help);
                }
            }
            let mut cohorts = Vec::new();
            for cohort in section.names(report, "cohorts") {
                if self.segments.contains(cohort.get_ref()) {
                    cohorts.push((*cohort.get_ref()).to_owned());
                } else {
                    let help = did_you_mean(cohort.get_ref(), self.segments.iter().copied());
                    report.error(cohort.span(), format!("there is no segment `{}`", cohort.get_ref()), help);
                }
            }
            let least_share = section.number(report, "least_share").unwrap_or(DEFAULT_LEAST_SHARE);
            if !arms.is_empty() && least_share * f64::from(u8::try_from(arms.len()).unwrap_or(u8::MAX)) > 1.0
            {
                let message = format!("{} arms cannot each keep a share of {least_share}", arms.len());
                report.error(section.span_of("least_share"), message, None);
            }
            let cost = costs(report, &section, &arms);
            if let Some(name) = name {
                self.places.note(&format!("learner.{}", name.get_ref()), &section);
                learners.push(Learner { name: name.into_inner(), arms, least_share, cohorts, cost });
            }
        }
        learners
    }
}

/// What arms cost, where the policy says it. Elsewhere the core counts what the offer gives away.
fn costs(report: &mut Report<'_>, section: &Section<'_>, arms: &[String]) -> BTreeMap<String, f64> {
    let mut cost = BTreeMap::new();
    for (arm, share) in section.numbers(report, "cost", 0.0, 1.0) {
        let name = *arm.get_ref();
        if arms.iter().any(|known| known == name) {
            cost.insert(name.to_owned(), share);
        } else {
            let help = did_you_mean(name, arms.iter().map(String::as_str));
            report.error(arm.span(), format!("`{name}` is no arm of this learner"), help);
        }
    }
    cost
}
