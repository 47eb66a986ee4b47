//! Exposures to the arms of panels. A page tells that a panel came to its moment and under which arm; it
//! is believed about the moment and not about the arm, which is what the hash gives, or the first one.
//! Shows nothing and decides about no panel: that is [`crate::onsite`]'s.

use super::{Recovery, record};
use crate::effect::{Effect, Happened};
use crate::experiment::{self, Assignment};
use crate::id::{EventId, PersonId, VisitorId};
use crate::policy::{Arm, Policy, Subject};
use crate::signal::PanelMoment;
use crate::time::Timestamp;

impl Recovery {
    /// A panel that an experiment is on came to its moment in the page of `visitor`. Recorded if the
    /// arm is theirs: the one of their first exposure, or what the bucket gives. The person may have become
    /// known after the page had its bucket, so the visitor's counts too; two arms are then a conflict.
    pub fn exposed(
        &mut self,
        now: Timestamp,
        event: &EventId,
        at: Timestamp,
        moment: PanelMoment,
        policy: &Policy,
        visitor: Option<&VisitorId>,
    ) -> Vec<Effect> {
        if self.is_forgotten() || !self.is_theirs(&moment, policy, visitor) || !self.seen.insert(event) {
            return vec![];
        }
        let PanelMoment { panel, exposure, withheld } = moment;
        experiment::expose(&mut self.assignments, &exposure, at.min(now));
        let mut effects = vec![record(now, Happened::Exposed { panel, exposure, withheld })];
        effects.extend(self.exposure());
        effects
    }

    fn is_theirs(&self, moment: &PanelMoment, policy: &Policy, visitor: Option<&VisitorId>) -> bool {
        let Some(found) = experiment::on_panel(&policy.experiments, &moment.panel) else { return false };
        let named = |arm: &&Arm| arm.name == moment.exposure.arm;
        let Some(arm) = found.arms.iter().find(named) else { return false };
        if self.automated || found.name != moment.exposure.experiment || arm.silent != moment.withheld {
            return false;
        }
        let held = self.assignments.iter().any(|a| a.experiment == found.name && a.arm == arm.name);
        let units = [self.person.as_ref().map(PersonId::as_str), visitor.map(VisitorId::as_str)];
        held || units.into_iter().flatten().any(|unit| {
            let bucket = experiment::page_bucket(self.shop.as_str(), unit);
            experiment::panel_arm(&policy.experiments, &moment.panel, self.shop.as_str(), bucket)
                .is_some_and(|(_, given)| given.name == arm.name)
        })
    }

    /// What the person behind the cart was exposed to elsewhere: the first assignment wins here too. Tells
    /// them what they were exposed to here.
    /// Without a policy nothing of theirs is about a panel.
    pub fn take_assignments(&mut self, theirs: &[Assignment], policy: Option<&Policy>) -> Option<Effect> {
        if self.is_forgotten() {
            return None;
        }
        let told = self.exposure();
        let on_panels = |a: &&Assignment| {
            let mut running = policy.iter().flat_map(|p| &p.experiments);
            running.any(|e| e.name == a.experiment && matches!(e.subject, Subject::Panel { .. }))
        };
        let theirs: Vec<Assignment> = theirs.iter().filter(on_panels).cloned().collect();
        experiment::merge(&mut self.assignments, &theirs);
        told
    }

    /// What the cart knows of exposures, told to its person.
    fn exposure(&self) -> Option<Effect> {
        let person = self.person.clone().filter(|_| !self.assignments.is_empty())?;
        Some(Effect::Expose { person, assignments: self.assignments.clone() })
    }
}
