//! A policy against what a shop is known to have: unit costs, product classes, templates. What a policy
//! asks for and the shop cannot tell is refused before it is ever in force.

use std::collections::BTreeSet;

use comeback_core::policy::{Expr, Field, Policy};

use crate::check::{all_conditions, asks_margin, visit};
use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::places::Places;
use crate::suggest::did_you_mean;

/// What is known of a shop. What is `None` is not checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct GoodsKnown<'g> {
    /// Whether its catalogue has a unit cost for its goods.
    pub unit_costs: Option<bool>,
    /// The product classes of its catalogue.
    pub classes: Option<&'g [String]>,
    /// The templates that can be rendered for it.
    pub templates: Option<&'g [String]>,
}

/// What is wrong with a policy for this shop. A compiled policy has no lines: the place is named in words;
/// [`parse_for`](crate::parse_for) names lines.
#[must_use]
pub fn check_goods(policy: &Policy, goods: &GoodsKnown<'_>) -> Vec<Diagnostic> {
    let told = faults(policy, goods).into_iter().map(|fault| Diagnostic {
        severity: Severity::Error,
        file: policy.name.clone(),
        line: 0,
        column: 0,
        message: format!("{}: {}", fault.path, fault.message),
        help: fault.help,
        source: String::new(),
        width: 1,
    });
    told.collect()
}

pub(crate) fn check(report: &mut Report<'_>, policy: &Policy, places: &Places, goods: &GoodsKnown<'_>) {
    for fault in faults(policy, goods) {
        report.error(places.at(&fault.path), fault.message, fault.help);
    }
}

struct Fault {
    path: String,
    message: String,
    help: Option<String>,
}

fn faults(policy: &Policy, goods: &GoodsKnown<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if goods.unit_costs == Some(false) {
        unit_costs(policy, &mut faults);
    }
    if let Some(classes) = goods.classes {
        let known: BTreeSet<&str> = classes.iter().map(String::as_str).collect();
        for (path, class) in named_classes(policy) {
            if !known.contains(class) {
                let help = did_you_mean(class, known.iter().copied());
                let message = format!("the catalogue has no product class \"{class}\"");
                faults.push(Fault { path, message, help });
            }
        }
    }
    if let Some(templates) = goods.templates {
        let steps = policy.sequences.iter().flat_map(|sequence| {
            let name = &sequence.name;
            let path = move |step: &str| format!("sequence.{name}.steps.{step}.template");
            sequence.steps.iter().map(move |step| (path(&step.name), step.template.as_str()))
        });
        let arms = policy.experiments.iter().flat_map(|experiment| {
            let name = &experiment.name;
            let path = move |arm: &str| format!("experiment.{name}.arms.{arm}.template");
            experiment.arms.iter().filter_map(move |arm| Some((path(&arm.name), arm.template.as_deref()?)))
        });
        for (path, template) in steps.chain(arms) {
            if !templates.iter().any(|known| known == template) {
                let help = did_you_mean(template, templates.iter().map(String::as_str));
                let message = format!("the shop has no template `{template}`");
                faults.push(Fault { path, message, help });
            }
        }
    }
    faults
}

fn unit_costs(policy: &Policy, faults: &mut Vec<Fault>) {
    let help =
        Some("give the catalogue a unit cost for each of its goods, or ask for `cart.value`".to_owned());
    for offer in policy.offers.iter().filter(|offer| offer.min_margin.is_some()) {
        faults.push(Fault {
            path: format!("offer.{}.min_margin", offer.name),
            message: format!("offer `{}` can never be given: the catalogue has no unit costs", offer.name),
            help: help.clone(),
        });
    }
    for (path, expr) in all_conditions(policy) {
        if asks_margin(expr, policy) {
            faults.push(Fault {
                path,
                message: "`cart.margin` is never known: the catalogue has no unit costs".to_owned(),
                help: help.clone(),
            });
        }
    }
}

/// Every product class that a policy names.
fn named_classes(policy: &Policy) -> Vec<(String, &str)> {
    let mut named: Vec<(String, &str)> = Vec::new();
    let idle = policy.triggers.idle_by_class.keys();
    named.extend(idle.map(|class| ("abandonment.idle_by_class".to_owned(), class.as_str())));
    let dwell = policy.browse.iter().flat_map(|browse| browse.dwell_by_class.keys());
    named.extend(dwell.map(|class| ("browse.dwell_by_class".to_owned(), class.as_str())));
    for offer in &policy.offers {
        let path = format!("offer.{}.not_for", offer.name);
        named.extend(offer.not_for.iter().map(|class| (path.clone(), class.as_str())));
    }
    for (path, expr) in all_conditions(policy) {
        visit(expr, &mut |part| {
            if let Expr::Has { field: Field::CartClasses, word } = part {
                named.push((path.clone(), word.as_str()));
            }
        });
    }
    named
}
