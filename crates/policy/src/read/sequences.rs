//! Sequences and their steps.

use comeback_core::policy::{Sequence, Step};
use comeback_core::recovery::Trigger;
use comeback_core::time::Millis;

use super::{Names, Reader, TEMPLATES};
use crate::diagnostic::Report;
use crate::quantity::show_span;
use crate::section::Section;
use crate::suggest::did_you_mean;
use crate::word::{channel, trigger};
use comeback_core::consent::Channel;

impl Reader<'_> {
    pub(super) fn sequences(
        &mut self,
        report: &mut Report<'_>,
        root: &Section<'_>,
        offers: &Names,
        retention: Millis,
    ) -> Vec<Sequence> {
        let mut names = Names::default();
        let mut sequences = Vec::new();
        for section in root.tables(report, "sequence") {
            let audience = self.early_condition(report, &section, "for");
            let name = names.read(report, &section, "a sequence");
            let on = triggers(report, &section);
            let path = name.as_ref().map(|name| format!("sequence.{}", name.get_ref()));
            let steps = self.steps(report, &section, offers, retention, path.as_deref());
            if let (Some(name), Some(path)) = (name, path) {
                self.places.note(&path, &section);
                sequences.push(Sequence { name: name.into_inner(), on, audience, steps });
            }
        }
        sequences
    }

    fn steps(
        &mut self,
        report: &mut Report<'_>,
        sequence: &Section<'_>,
        offers: &Names,
        retention: Millis,
        path: Option<&str>,
    ) -> Vec<Step> {
        let mut names = Names::default();
        let mut before: Option<Millis> = None;
        let mut steps = Vec::new();
        for section in sequence.tables(report, "steps") {
            let name = names.read(report, &section, "a step");
            let at = section.duration(report, "at");
            if let Some(at) = at {
                if let Some(before) = before.filter(|before| *before >= at) {
                    let before = show_span(before);
                    let message =
                        format!("steps are in the order of `at`; this one is not later than {before}");
                    report.error(section.span_of("at"), message, None);
                }
                if at >= retention {
                    let message =
                        format!("the cart is gone by then: carts are kept {}", show_span(retention));
                    report.error(section.span_of("at"), message, None);
                }
                before = Some(at);
            }
            let window_ms = section.duration(report, "window").unwrap_or_default();
            let channels = channels(report, &section);
            let template = template(report, &section, &channels);
            let offer = section.text(report, "offer");
            let offer = offer.and_then(|offer| offers.find(report, &offer, "offer"));
            let when = self.condition(report, &section, "when");
            if let (Some(name), Some(at_ms), Some(template)) = (name, at, template) {
                if let Some(path) = path {
                    // Steps stand under a sequence's keys; no key of it may have their name.
                    self.places.note(&format!("{path}.steps.{}", name.get_ref()), &section);
                }
                steps.push(Step {
                    name: name.into_inner(),
                    at_ms,
                    window_ms,
                    channels,
                    template,
                    offer,
                    when,
                });
            }
        }
        steps
    }
}

/// What a sequence answers. All of them but browsing, and saying nothing, mean the same.
fn triggers(report: &mut Report<'_>, section: &Section<'_>) -> Vec<Trigger> {
    let mut on: Vec<Trigger> =
        section.words(report, "on", "trigger").into_iter().filter_map(trigger).collect();
    on.sort();
    let all = Trigger::ALL.into_iter().filter(|trigger| *trigger != Trigger::Browse);
    if all.eq(on.iter().copied()) { Vec::new() } else { on }
}

/// The channels of a step or an arm.
pub(super) fn channels(report: &mut Report<'_>, section: &Section<'_>) -> Vec<Channel> {
    section.words(report, "channel", "channel").into_iter().filter_map(channel).collect()
}

/// A template that is written for each of the channels.
pub(super) fn template(
    report: &mut Report<'_>,
    section: &Section<'_>,
    channels: &[Channel],
) -> Option<String> {
    let template = section.text(report, "template")?;
    let name = *template.get_ref();
    let known = TEMPLATES.map(|(known, _)| known);
    if !known.contains(&name) {
        report.error(template.span(), format!("there is no template `{name}`"), did_you_mean(name, known));
        return None;
    }
    fits(report, section, "template", name, channels);
    Some(name.to_owned())
}

/// Reports a template that one of the channels cannot carry.
pub(super) fn fits(
    report: &mut Report<'_>,
    section: &Section<'_>,
    key: &str,
    template: &str,
    channels: &[Channel],
) {
    let Some((_, written_for)) = TEMPLATES.into_iter().find(|(known, _)| *known == template) else {
        return;
    };
    if let Some(channel) = channels.iter().find(|channel| !written_for.contains(channel)) {
        let fitting: Vec<&str> =
            TEMPLATES.into_iter().filter(|(_, of)| of.contains(channel)).map(|(known, _)| known).collect();
        let help = format!("templates for {channel}: {}", fitting.join(", "));
        let message = format!("template `{template}` cannot be sent by {channel}");
        report.error(section.span_of(key), message, Some(help));
    }
}
