//! The few pages that the edge serves itself: the landing page of a resume link, what a dead link
//! says, preferences, a confirmation, and the inbox of a development build.
//!
//! Pure: data in, a whole HTML document out. Every page works with JavaScript off and loads nothing
//! but pictures. It decides nothing, knows no prices, dates or currencies (the caller formats them),
//! sets no status and no header; the caller sends [`CSP`] (or [`INBOX_CSP`]) with the page.
//!
//! Text from outside goes through one door, the formatter in `render.rs`: it drops what is not
//! text and escapes the rest. Addresses go through `web_url.rs`: what is not plainly a web address or a
//! path of this origin is left out together with its link or picture.

mod address;
mod linked;
mod model;
mod readable;
mod render;
mod style;
mod web_url;

pub use model::{Brand, Change, Done, InboxMessage, Landing, LandingLine, LinkTrouble, Preferences};
pub use render::{done, inbox, landing, link_trouble, preferences};
pub use style::{CSP, INBOX_CSP, INBOX_STYLESHEET, STYLESHEET};
