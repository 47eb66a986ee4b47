//! Text from elsewhere on its way to a terminal. Titles, wordings and problem details were written by
//! strangers; an escape sequence in one of them must not move the reader's cursor.

/// One line: control characters become spaces.
pub(crate) fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Several lines: as `line`, but line breaks stay.
pub(crate) fn lines(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(super::line("a\u{1b}[2Jb\nc\u{9b}d"), "a [2Jb c d");
        assert_eq!(super::lines("a\u{1b}[2Jb\nc"), "a [2Jb\nc");
    }
}
