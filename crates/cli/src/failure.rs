//! The desk's one error, with its exit code: 1 for what was found or could not be done, 2 for a command
//! that could not be understood. Holds no secret: a token is never part of a text.

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command itself is wrong.
    Usage(String),
    /// It was understood, and something is amiss.
    Found(String),
    /// Something is amiss, and all of it was said on stdout.
    Told,
    /// The output could not be written.
    Output(std::io::Error),
}

impl Failure {
    /// The exit code.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Found(_) | Self::Told | Self::Output(_) => 1,
        }
    }

    /// What is still to be said.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Usage(text) => Some(format!("comeback: {text}\nTry `comeback help`.")),
            Self::Found(text) => Some(format!("comeback: {text}")),
            Self::Told => None,
            Self::Output(e) => Some(format!("comeback: {e}")),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(e: std::io::Error) -> Self {
        Self::Output(e)
    }
}
