//! Reads how many tests ran from what cargo and Node print. A skipped or ignored test counts as failed.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

impl Count {
    pub(super) const ONE_PASSED: Self = Self { passed: 1, failed: 0 };
    pub(super) const ONE_FAILED: Self = Self { passed: 0, failed: 1 };

    pub(super) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Sums `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
pub(super) fn of_cargo(text: &str) -> Count {
    let mut count = Count::default();
    for line in text.lines().filter_map(|line| line.trim().strip_prefix("test result: ")) {
        for part in line.split([';', '.']) {
            let mut words = part.split_whitespace();
            if let (Some(Ok(number)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) {
                match what {
                    "passed" => count.passed += number,
                    "failed" | "ignored" => count.failed += number,
                    _ => {}
                }
            }
        }
    }
    count
}

/// Sums the TAP reporter's summary: `# pass 3`, `# fail 0`, `# skipped 0`, …
pub(super) fn of_node(tap: &str) -> Count {
    let mut count = Count::default();
    for line in tap.lines().filter_map(|line| line.strip_prefix("# ")) {
        if let Some((what, number)) = line.split_once(' ')
            && let Ok(number) = number.trim().parse::<u64>()
        {
            match what {
                "pass" => count.passed += number,
                "fail" | "cancelled" | "skipped" | "todo" => count.failed += number,
                _ => {}
            }
        }
    }
    count
}

/// Node counts a file in which no test is as one passed test, by the file's name.
pub(super) fn files_without_tests(tap: &str) -> Vec<&str> {
    tap.lines()
        .filter(|line| line.starts_with("ok "))
        .filter_map(|line| line.split_once(" - ").map(|(_, name)| name.trim()))
        .filter(|name| name.ends_with(".test.mjs"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_results_are_summed_and_ignored_is_failed() {
        let text = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                    test result: FAILED. 5 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s\n";
        assert_eq!(of_cargo(text), Count { passed: 7, failed: 4 });
        assert_eq!(of_cargo("error: could not compile"), Count::default());
    }

    #[test]
    fn tap_summary_is_read_and_skipped_is_failed() {
        let tap = "ok 1 - a\n# tests 6\n# suites 0\n# pass 3\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 1\n# duration_ms 5.1\n";
        assert_eq!(of_node(tap), Count { passed: 3, failed: 3 });
    }

    #[test]
    fn a_file_that_is_its_own_only_test_is_noticed() {
        let tap = "ok 1 - opens a cart\nok 2 - tests/worker/empty.test.mjs\n    ok 1 - nested.test.mjs\n";
        assert_eq!(files_without_tests(tap), ["tests/worker/empty.test.mjs"]);
    }
}
