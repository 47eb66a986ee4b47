//! Every page in every state as it is sent, so that a change of words or markup is seen in review.
//! The style sheet is left out: it has a test of its own.

mod sample;

use comeback_page::{INBOX_STYLESHEET, STYLESHEET};

#[test]
fn every_page_is_as_reviewed() {
    for (name, html) in sample::every_page() {
        let html = html.replace(STYLESHEET, "…").replace(INBOX_STYLESHEET, "…");
        insta::assert_snapshot!(name, html);
    }
}
