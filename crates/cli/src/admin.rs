//! The admin routes as this desk calls them: one question, one answer, no retry. Holds the
//! administrator's token and shows it to nobody but the deployment it is for.

use std::path::PathBuf;
use std::time::Duration;

use comeback_core::id::ShopId;
use serde::Deserialize;
use ureq::Agent;
use ureq::http::Response;

use crate::address::Address;
use crate::failure::Failure;
use crate::shown;

/// Long enough for a cold start, short enough to wait for.
const TIMEOUT: Duration = Duration::from_secs(20);
/// A log of 500 entries with all their checks is below this.
const MOST: u64 = 16 * 1024 * 1024;

/// What the main function read from the environment.
pub(crate) struct Environment {
    /// `COMEBACK_ADMIN_TOKEN`.
    pub(crate) token: Option<String>,
    /// The working folder.
    pub(crate) folder: Option<PathBuf>,
    /// Whoever is logged in, for the record of changes.
    pub(crate) user: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Secrets {
    admin_token: String,
}

#[derive(Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    detail: String,
}

#[derive(Deserialize)]
struct Switched {
    stopped: bool,
}

/// A deployment and the right to ask it.
pub(crate) struct Client {
    agent: Agent,
    address: Address,
    token: String,
}

impl Client {
    /// Finds the token: the environment's, or for this machine the one of a local run.
    pub(crate) fn new(address: Address, environment: Environment) -> Result<Self, Failure> {
        let token = match environment.token {
            Some(token) => token,
            // Only a local run is asked with a local run's secret.
            None if address.is_local() => local_token(environment.folder)?,
            None => return Err(Failure::Found("COMEBACK_ADMIN_TOKEN is not set".to_owned())),
        };
        let mut config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            // A redirect would carry the token to wherever it points.
            .max_redirects(0)
            .max_redirects_will_error(false);
        if address.is_local() {
            config = config.proxy(None);
        }
        Ok(Self { agent: config.build().into(), address, token })
    }

    /// A route of a shop, read: `policies`, `sends/snd_…`.
    pub(crate) fn get(&self, shop: &ShopId, route: &str) -> Result<String, Failure> {
        let url = format!("{}/v1/admin/shops/{shop}/{route}", self.address);
        self.read(self.agent.get(&url).header("authorization", self.bearer()).call())
    }

    /// A route of a shop, written to, as JSON.
    pub(crate) fn post(
        &self,
        shop: &ShopId,
        route: &str,
        body: &serde_json::Value,
    ) -> Result<String, Failure> {
        let url = format!("{}/v1/admin/shops/{shop}/{route}", self.address);
        let call = self.agent.post(&url).header("authorization", self.bearer());
        self.read(call.header("content-type", "application/json").send(body.to_string()))
    }

    /// Reads an answer to one of these.
    pub(crate) fn understood<T: serde::de::DeserializeOwned>(&self, text: &str) -> Result<T, Failure> {
        serde_json::from_str(text).map_err(|_| self.not_understood())
    }

    /// Stops or resumes all sends of a shop; returns whether they are stopped now.
    pub(crate) fn switch(&self, shop: &ShopId, stop: bool) -> Result<bool, Failure> {
        let act = if stop { "stop" } else { "resume" };
        let url = format!("{}/v1/admin/shops/{shop}/{act}", self.address);
        let text = self.read(self.agent.post(&url).header("authorization", self.bearer()).send_empty())?;
        let now: Switched = serde_json::from_str(&text).map_err(|_| self.not_understood())?;
        if now.stopped != stop {
            return Err(Failure::Found(format!("{} did not {act}", self.address)));
        }
        Ok(now.stopped)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn not_understood(&self) -> Failure {
        Failure::Found(format!("{} answered something else than was asked", self.address))
    }

    fn read(&self, answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<String, Failure> {
        let mut answer =
            answer.map_err(|e| Failure::Found(format!("{} could not be asked: {e}", self.address)))?;
        let status = answer.status();
        let text = answer
            .body_mut()
            .with_config()
            .limit(MOST)
            .read_to_string()
            .map_err(|e| Failure::Found(format!("{}: the answer broke off: {e}", self.address)))?;
        if status.is_success() {
            return Ok(text);
        }
        let told = serde_json::from_str::<Problem>(&text).map_or_else(
            |_| String::new(),
            |p| if p.detail.is_empty() { p.title } else { format!("{}: {}", p.title, p.detail) },
        );
        // The errors of a refused policy are many lines.
        Err(Failure::Found(format!("{} said {} {}", self.address, status.as_u16(), shown::lines(&told))))
    }
}

/// The token of a local run, from the nearest `.comeback/secrets.json`.
fn local_token(folder: Option<PathBuf>) -> Result<String, Failure> {
    let missing = || {
        Failure::Found(
            "no token: set COMEBACK_ADMIN_TOKEN, or run this where `cargo xtask demo` keeps .comeback/"
                .to_owned(),
        )
    };
    let folder = folder.ok_or_else(missing)?;
    let file = folder
        .ancestors()
        .map(|f| f.join(".comeback/secrets.json"))
        .find(|f| f.is_file())
        .ok_or_else(missing)?;
    let unreadable = |e: &dyn std::fmt::Display| Failure::Found(format!("{}: {e}", file.display()));
    let text = std::fs::read_to_string(&file).map_err(|e| unreadable(&e))?;
    // A parse error would quote what it found; that is a secret.
    let secrets: Secrets = serde_json::from_str(&text).map_err(|_| unreadable(&"no `adminToken` in it"))?;
    Ok(secrets.admin_token)
}
