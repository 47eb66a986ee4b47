//! Local runs only: the virtual clock with its registry of due times, the inbox, and switches that
//! break things on purpose. The platform's alarms and queue delays know only real time, so each
//! cart reports here, with its write, when it is due; `POST /dev/clock` then goes from one due
//! time to the next.

use std::rc::Rc;

use comeback_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use worker::{Env, SqlStorageValue, State, worker_sys};

use crate::failure::{Failure, Outcome};
use crate::platform::DEV;
use crate::{objects, tasks};

/// A message as the inbox keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InboxMessage {
    pub(crate) send_id: String,
    pub(crate) channel: String,
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) at: String,
    /// The whole message as a mail server would get it.
    pub(crate) mime: Option<String>,
}

/// Calls of the one dev object.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub(crate) enum DevCall {
    Now,
    Set {
        now: Timestamp,
    },
    Report {
        name: String,
        due: Option<Timestamp>,
        under_way: bool,
    },
    Forget {
        name: String,
    },
    /// The earliest due time not after this one; it becomes the time.
    Pop {
        upto: Timestamp,
    },
    UnderWay,
    Put {
        message: Box<InboxMessage>,
    },
    Inbox,
    Fault {
        name: String,
        on: bool,
    },
    IsFaulty {
        name: String,
    },
    Reset,
}

/// Answers of the one dev object.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct DevAnswer {
    pub(crate) now: Timestamp,
    pub(crate) name: Option<String>,
    pub(crate) names: Vec<String>,
    pub(crate) faulty: bool,
    pub(crate) messages: Vec<InboxMessage>,
}

/// The Rust side of `DevDo`.
#[wasm_bindgen]
pub struct DevObject(Rc<Object>);

struct Object {
    state: State,
}

#[derive(Deserialize)]
struct Row {
    value: String,
}

#[derive(Deserialize)]
struct Due {
    name: String,
    due: f64,
}

#[wasm_bindgen]
impl DevObject {
    /// Made by entry.js.
    #[wasm_bindgen(constructor)]
    pub fn new(state: worker_sys::DurableObjectState, _env: Env) -> Result<Self, JsValue> {
        let object = Object { state: State::from(state) };
        object.make_tables()?;
        Ok(Self(Rc::new(object)))
    }

    /// A call, as JSON in and out, begun by entry.js under a number.
    pub fn call(&self, call: u32, _now: f64, body: String) {
        let object = self.0.clone();
        tasks::begin(call, async move { object.call(&body) });
    }

    /// The virtual clock has no alarm.
    pub fn alarm(&self, call: u32) {
        tasks::begin(call, async { Ok(String::new()) });
    }
}

impl Object {
    fn call(&self, body: &str) -> Outcome<String> {
        Ok(serde_json::to_string(&self.answer(serde_json::from_str(body)?)?)?)
    }

    fn make_tables(&self) -> Outcome<()> {
        for table in [
            "CREATE TABLE IF NOT EXISTS kv (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS due (name TEXT PRIMARY KEY, due INTEGER, under_way INTEGER NOT NULL)",
            // The send id is the key: what a provider with idempotency keys does.
            "CREATE TABLE IF NOT EXISTS inbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, send_id TEXT UNIQUE, value TEXT NOT NULL)",
        ] {
            self.state.storage().sql().exec(table, None)?;
        }
        Ok(())
    }

    fn run(&self, query: &str, values: Vec<SqlStorageValue>) -> Outcome<worker::SqlCursor> {
        Ok(self.state.storage().sql().exec(query, values)?)
    }

    fn setting(&self, name: &str) -> Outcome<Option<String>> {
        let rows: Vec<Row> = self.run("SELECT value FROM kv WHERE name = ?", vec![text(name)])?.to_array()?;
        Ok(rows.into_iter().next().map(|r| r.value))
    }

    fn set(&self, name: &str, value: &str) -> Outcome<()> {
        self.run("INSERT OR REPLACE INTO kv (name, value) VALUES (?, ?)", vec![text(name), text(value)])?;
        Ok(())
    }

    fn now(&self) -> Outcome<Timestamp> {
        let offset = self.setting("offset")?.and_then(|o| o.parse::<i64>().ok()).unwrap_or(0);
        Ok(crate::clock::platform_now().plus(offset))
    }

    fn set_now(&self, now: Timestamp) -> Outcome<()> {
        self.set("offset", &now.since(crate::clock::platform_now()).to_string())
    }

    fn answer(&self, call: DevCall) -> Outcome<DevAnswer> {
        let mut answer = DevAnswer::default();
        match call {
            DevCall::Now => {}
            DevCall::Set { now } => self.set_now(now)?,
            DevCall::Report { name, due, under_way } => {
                let due = due.map_or(SqlStorageValue::Null, |d| SqlStorageValue::Integer(d.millis()));
                let values = vec![text(&name), due, SqlStorageValue::Integer(i64::from(under_way))];
                self.run("INSERT OR REPLACE INTO due (name, due, under_way) VALUES (?, ?, ?)", values)?;
            }
            DevCall::Forget { name } => {
                self.run("DELETE FROM due WHERE name = ?", vec![text(&name)])?;
            }
            DevCall::Pop { upto } => {
                let query = "SELECT name, due FROM due WHERE due <= ? ORDER BY due LIMIT 1";
                let rows: Vec<Due> =
                    self.run(query, vec![SqlStorageValue::Integer(upto.millis())])?.to_array()?;
                match rows.into_iter().next() {
                    Some(row) => {
                        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of our era")]
                        let due = Timestamp::from_millis(row.due as i64);
                        // An overdue object is woken now, not in the past.
                        if due > self.now()? {
                            self.set_now(due)?;
                        }
                        // Not twice for the same due time, should the object fail to report.
                        self.run("UPDATE due SET due = NULL WHERE name = ?", vec![text(&row.name)])?;
                        answer.name = Some(row.name);
                    }
                    None if upto > self.now()? => self.set_now(upto)?,
                    None => {}
                }
            }
            DevCall::UnderWay => {
                let rows: Vec<Row> =
                    self.run("SELECT name AS value FROM due WHERE under_way = 1", vec![])?.to_array()?;
                answer.names = rows.into_iter().map(|r| r.value).collect();
            }
            DevCall::Put { message } => {
                let body = serde_json::to_string(&message)?;
                let values = vec![text(&message.send_id), text(&body)];
                self.run("INSERT OR IGNORE INTO inbox (send_id, value) VALUES (?, ?)", values)?;
            }
            DevCall::Inbox => {
                let rows: Vec<Row> = self.run("SELECT value FROM inbox ORDER BY seq", vec![])?.to_array()?;
                answer.messages =
                    rows.iter().map(|r| serde_json::from_str(&r.value)).collect::<Result<_, _>>()?;
            }
            DevCall::Fault { name, on } => {
                self.set(&format!("fault:{name}"), if on { "on" } else { "off" })?;
            }
            DevCall::IsFaulty { name } => {
                answer.faulty = self.setting(&format!("fault:{name}"))?.as_deref() == Some("on");
            }
            DevCall::Reset => {
                for table in ["kv", "due", "inbox"] {
                    self.run(&format!("DELETE FROM {table}"), vec![])?;
                }
            }
        }
        answer.now = self.now()?;
        Ok(answer)
    }
}

fn text(value: &str) -> SqlStorageValue {
    SqlStorageValue::String(value.to_owned())
}

/// Calls the one dev object.
pub(crate) async fn call(env: &Env, call: &DevCall) -> Outcome<DevAnswer> {
    objects::call(env, DEV, "dev", Timestamp::default(), call).await
}

/// The virtual time.
pub(crate) async fn now(env: &Env) -> Outcome<Timestamp> {
    Ok(call(env, &DevCall::Now).await?.now)
}

/// A cart tells when it is due and whether a send of it is under way.
pub(crate) async fn report(env: &Env, name: &str, due: Option<Timestamp>, under_way: bool) -> Outcome<()> {
    if crate::platform::is_local(env) {
        call(env, &DevCall::Report { name: name.to_owned(), due, under_way }).await?;
    }
    Ok(())
}

/// A cart is gone.
pub(crate) async fn forget(env: &Env, name: &str) -> Outcome<()> {
    if crate::platform::is_local(env) {
        call(env, &DevCall::Forget { name: name.to_owned() }).await?;
    }
    Ok(())
}

/// Fails if this part was broken on purpose.
pub(crate) async fn fail_if(env: &Env, name: &str) -> Outcome<()> {
    if crate::platform::is_local(env) && call(env, &DevCall::IsFaulty { name: name.to_owned() }).await?.faulty
    {
        return Err(Failure::internal(format!("{name} was broken on purpose")));
    }
    Ok(())
}

/// Waits as long as this part is held up on purpose, half a minute at the most: the time in which
/// a test kills the engine.
pub(crate) async fn hold_while(env: &Env, name: &str) -> Outcome<()> {
    if !crate::platform::is_local(env) {
        return Ok(());
    }
    for _ in 0..600 {
        if !call(env, &DevCall::IsFaulty { name: name.to_owned() }).await?.faulty {
            return Ok(());
        }
        call(env, &DevCall::Fault { name: format!("{name}:reached"), on: true }).await?;
        tasks::sleep(50).await;
    }
    Ok(())
}
