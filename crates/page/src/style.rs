//! The two style sheets and the Content-Security-Policy that lets exactly them in.

/// The style sheet of every page but the inbox, as it stands in the page's `<style>`.
pub const STYLESHEET: &str = include_str!("../templates/page.css");

/// The style sheet of the development inbox.
pub const INBOX_STYLESHEET: &str = include_str!("../templates/inbox.css");

/// Content-Security-Policy of every page but the inbox.
///
/// `form-action` names https besides the page's own origin: the form of the landing page posts to
/// this origin and is answered with a redirect to the shop's cart, often on another host, and
/// Chromium holds the whole chain of redirects against this list. The target of the form itself is
/// always a path of this origin (see [`crate::Landing::action`]).
pub const CSP: &str = "default-src 'none'; img-src 'self' https: http://localhost:* http://127.0.0.1:*; style-src 'sha256-QEOAQwGY3JdPzNXI7GUNpf2DdeFs2yKhyAd0KmjWFOU='; \
    form-action 'self' https: http://localhost:* http://127.0.0.1:*; base-uri 'none'; frame-ancestors 'none'";

/// Content-Security-Policy of the development inbox. A frame made of `srcdoc` inherits it, and mail
/// is styled in attributes: hence `unsafe-inline` for styles, and for nothing else.
pub const INBOX_CSP: &str = "default-src 'none'; img-src 'self' https: http: data:; style-src 'unsafe-inline'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
