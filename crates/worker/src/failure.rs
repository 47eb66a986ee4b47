//! The shell's one error, mapped once to an answer: what the caller did wrong is explained, what
//! went wrong here is logged once and answered without detail.

use comeback_wire::problem::{CONTENT_TYPE, Problem};
use wasm_bindgen::JsValue;
use worker::console_error;

use crate::http::Reply;

/// Anything that keeps a request from its ordinary answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The caller's doing: explained.
    Problem(Problem),
    /// A page for a person, with its status.
    Page(u16, String),
    /// Ours: logged, not explained.
    Internal(String),
}

/// A result of the shell.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// Something that is ours.
    pub(crate) fn internal(what: impl Into<String>) -> Self {
        Self::Internal(what.into())
    }

    /// Something that is the caller's.
    pub(crate) fn problem(
        status: u16,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self::Problem(Problem { kind, title, status, detail: detail.into() })
    }

    /// 400.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::problem(400, "/problems/malformed", "The request could not be understood", detail)
    }

    /// 401.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::problem(401, "/problems/unauthorized", "Not authorised", detail)
    }

    /// 403.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::problem(403, "/problems/forbidden", "Not allowed from here", detail)
    }

    /// 404.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::problem(404, "/problems/not-found", "Not found", detail)
    }

    /// 413.
    pub(crate) fn too_large(most: usize) -> Self {
        Self::problem(413, "/problems/too-large", "The body is too large", format!("at most {most} bytes"))
    }

    /// The answer.
    pub(crate) fn into_reply(self) -> Reply {
        match self {
            Self::Problem(problem) => problem_reply(&problem),
            Self::Page(status, html) => crate::routes::html_page(status, html),
            Self::Internal(what) => {
                console_error!("{}", serde_json::json!({ "level": "error", "what": what }));
                problem_reply(&Problem {
                    kind: "/problems/internal",
                    title: "Something went wrong here",
                    status: 500,
                    detail: String::new(),
                })
            }
        }
    }
}

fn problem_reply(problem: &Problem) -> Reply {
    let body = serde_json::to_string(problem).unwrap_or_default();
    let mut reply = Reply::text(problem.status, CONTENT_TYPE, body);
    reply.add("cache-control", "no-store");
    if problem.status == 401 {
        reply.add("www-authenticate", "Bearer");
    }
    reply
}

impl From<worker::Error> for Failure {
    fn from(e: worker::Error) -> Self {
        Self::Internal(e.to_string())
    }
}

impl From<worker::KvError> for Failure {
    fn from(e: worker::KvError) -> Self {
        Self::Internal(e.to_string())
    }
}

impl From<JsValue> for Failure {
    fn from(e: JsValue) -> Self {
        Self::Internal(format!("{e:?}"))
    }
}

impl From<serde_json::Error> for Failure {
    fn from(e: serde_json::Error) -> Self {
        // The position, not the text: the text may be personal.
        Self::Internal(comeback_wire::capture::place(&e))
    }
}

impl From<comeback_wire::stored::StoredError> for Failure {
    fn from(e: comeback_wire::stored::StoredError) -> Self {
        Self::Internal(e.to_string())
    }
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        let told = match failure {
            Failure::Problem(p) => p.title.to_owned(),
            Failure::Page(status, _) => format!("page {status}"),
            Failure::Internal(what) => what,
        };
        js_sys::Error::new(&told).into()
    }
}
