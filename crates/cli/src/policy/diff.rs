//! `comeback policy diff`: what changes from one policy to another, in the policy crate's words.

use std::io::Write;

use comeback_core::policy::Policy;
use comeback_policy::ChangeKind;

use crate::failure::Failure;
use crate::shown;

/// Prints it.
pub(super) fn print(a: &Policy, b: &Policy, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let changes = comeback_policy::diff(a, b);
    if json {
        let all = serde_json::json!({ "from": a.version, "to": b.version, "changes": changes });
        return Ok(writeln!(out, "{all:#}")?);
    }
    let (from, to) = (shown::line(&a.name), shown::line(&b.name));
    writeln!(out, "`{from}` {} -> `{to}` {}", a.version, b.version)?;
    if changes.is_empty() {
        writeln!(out, "  no difference")?;
    }
    for change in &changes {
        let mark = match change.kind {
            ChangeKind::Added => '+',
            ChangeKind::Removed => '-',
            ChangeKind::Changed => '~',
        };
        writeln!(out, "{mark} {}", shown::line(&change.text))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_differs_from_itself_in_nothing_and_from_another_in_words() {
        let classic = super::super::load("classic").unwrap();
        let said = |a: &Policy, b: &Policy| {
            let mut out = vec![];
            print(a, b, false, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert!(said(&classic, &classic).contains("no difference"));
        let mut other = classic.clone();
        other.sequences[0].steps[0].at_ms = 2 * 3_600_000;
        other.sequences[0].steps.pop();
        let told = said(&classic, &other);
        assert!(told.lines().any(|l| l.starts_with("~ ") && l.contains("2h")), "{told}");
        assert!(told.lines().any(|l| l.starts_with("- ")), "{told}");
    }
}
