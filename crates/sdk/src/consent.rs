//! What the page may store, send and use, from the shop's mode, the shopper's choice and the
//! browser's Global Privacy Control. Consent per channel is the core's and lives with the person.

/// The shopper's choice, as the shop's consent banner reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Storing on the device and sending events.
    pub(crate) storage: bool,
    /// Being contacted.
    pub(crate) marketing: bool,
    /// Being scored as a person.
    pub(crate) profiling: bool,
}

/// The standing consent on this page.
#[derive(Debug)]
pub(crate) struct Consent {
    /// Nothing before a choice (opt-in), or capture until a no (opt-out).
    pub(crate) required: bool,
    /// Version of the wording the shop shows.
    pub(crate) wording: String,
    /// `navigator.globalPrivacyControl`.
    pub(crate) gpc: bool,
    /// What the shopper chose, if they did.
    pub(crate) choice: Option<Choice>,
}

impl Consent {
    /// Without a choice, storage and profiling follow the mode; marketing always waits for a yes.
    fn standing(&self) -> Choice {
        self.choice.unwrap_or(Choice { storage: !self.required, marketing: false, profiling: !self.required })
    }

    /// What is in force: Global Privacy Control overrides a yes.
    pub(crate) fn in_force(&self) -> Choice {
        let standing = self.standing();
        Choice {
            marketing: standing.marketing && !self.gpc,
            profiling: standing.profiling && !self.gpc,
            ..standing
        }
    }

    /// Whether anything may be stored or sent.
    pub(crate) fn may_store(&self) -> bool {
        self.standing().storage
    }

    /// A choice that names only some purposes leaves the others as they stand.
    pub(crate) fn choose(&mut self, storage: Option<bool>, marketing: Option<bool>, profiling: Option<bool>) {
        let standing = self.standing();
        self.choice = Some(Choice {
            storage: storage.unwrap_or(standing.storage),
            marketing: marketing.unwrap_or(standing.marketing),
            profiling: profiling.unwrap_or(standing.profiling),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consent(required: bool, gpc: bool) -> Consent {
        Consent { required, wording: String::new(), gpc, choice: None }
    }

    #[test]
    fn nothing_is_stored_before_a_required_choice() {
        let mut c = consent(true, false);
        assert!(!c.may_store());
        c.choose(None, Some(true), None);
        assert!(!c.may_store(), "a yes to marketing is no yes to storage");
        c.choose(Some(true), None, None);
        assert!(c.may_store() && c.in_force().marketing && !c.in_force().profiling);
        c.choose(Some(false), None, None);
        assert!(!c.may_store());
    }

    #[test]
    fn global_privacy_control_wins_over_a_yes() {
        let mut c = consent(false, true);
        assert_eq!(c.in_force(), Choice { storage: true, marketing: false, profiling: false });
        c.choose(Some(true), Some(true), Some(true));
        assert_eq!(c.in_force(), Choice { storage: true, marketing: false, profiling: false });
    }
}
