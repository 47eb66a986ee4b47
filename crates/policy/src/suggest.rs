//! "Did you mean": the nearest of the known words. Only for people; nothing is ever corrected.

/// A longer word is no slip of the pen, and the distance is quadratic.
const MAX_WORD: usize = 48;

/// The candidate that a small slip would turn into `word`, if there is one.
fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    if word.len() > MAX_WORD {
        return None;
    }
    let allowed = (word.len() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|c| (distance(&word, &c.to_lowercase().chars().collect::<Vec<_>>()), c))
        .filter(|(d, c)| *d <= allowed && *d < c.chars().count())
        .min()
        .map(|(_, c)| c)
}

/// ``did you mean `x`?``, else a fallback such as the list of what is known.
pub(crate) fn did_you_mean<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str> + Clone,
) -> Option<String> {
    nearest(word, candidates.clone()).map(|c| format!("did you mean `{c}`?")).or_else(|| {
        let known: Vec<&str> = candidates.into_iter().collect();
        (!known.is_empty() && known.len() <= 16).then(|| format!("known: {}", known.join(", ")))
    })
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(ca != cb)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *ca == b[j - 1] && a[i - 1] == *cb {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = core::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["percent", "name", "valid_for", "when", "at"];
        let cases = [
            ("percnet", Some("percent")),
            ("Percent", Some("percent")),
            ("valid-for", Some("valid_for")),
            ("wehn", Some("when")),
            ("nane", Some("name")),
            ("colour", None),
            ("xx", None),
            ("", None),
        ];
        for (word, expect) in cases {
            assert_eq!(nearest(word, known), expect, "{word}");
        }
        assert_eq!(nearest(&"percent".repeat(40), known), None);
    }
}
