//! An object's one row of state and its log, in the object's own SQLite. State and log change in
//! one synchronous transaction: after a crash either both are there or neither.

use std::cell::Cell;

use comeback_core::effect::Entry;
use comeback_wire::jobs::Numbered;
use comeback_wire::stored;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use wasm_bindgen::prelude::*;
use worker::{SqlStorageValue, State};

use crate::failure::Outcome;

/// The row that holds the state.
const STATE_ROW: i64 = 0;
const UPSERT: &str =
    "INSERT INTO state (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body";

/// Log entries kept in the object once they are in the ledger.
const KEPT_ENTRIES: i64 = 500;

#[wasm_bindgen]
extern "C" {
    /// `DurableObjectStorage`, for the one method that the worker crate does not bind.
    type SyncStorage;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &SyncStorage,
        body: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;
}

/// The storage of one object.
pub(crate) struct Store {
    state: State,
    /// The tables are there. They are made by the first write: an object that was only asked (anyone
    /// can make up an id) leaves nothing behind.
    made: Cell<bool>,
}

#[derive(Deserialize)]
struct CountRow {
    n: f64,
}

#[derive(Deserialize)]
struct BodyRow {
    body: String,
}

#[derive(Deserialize)]
struct LogRow {
    seq: f64,
    body: String,
}

impl Store {
    /// Opens it.
    pub(crate) fn open(state: State) -> Self {
        Self { state, made: Cell::new(false) }
    }

    /// Whether anything was ever written here.
    fn exists(&self) -> Outcome<bool> {
        if !self.made.get() {
            let query = "SELECT count(*) AS n FROM sqlite_master WHERE name = 'state'";
            let rows: Vec<CountRow> = self.state.storage().sql().exec(query, None)?.to_array()?;
            self.made.set(rows.first().is_some_and(|r| r.n > 0.0));
        }
        Ok(self.made.get())
    }

    fn make_tables(&self) -> Outcome<()> {
        if self.made.get() {
            return Ok(());
        }
        let sql = self.state.storage().sql();
        sql.exec("CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY, body TEXT NOT NULL)", None)?;
        sql.exec(
            "CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, flushed INTEGER NOT NULL DEFAULT 0)",
            None,
        )?;
        self.made.set(true);
        Ok(())
    }

    /// The platform's handle, for alarms.
    pub(crate) fn platform(&self) -> &State {
        &self.state
    }

    /// Reads the state, if there is one.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Outcome<Option<T>> {
        self.read_row(STATE_ROW)
    }

    /// Reads another row, of an object that keeps two things apart.
    pub(crate) fn read_row<T: DeserializeOwned>(&self, row: i64) -> Outcome<Option<T>> {
        if !self.exists()? {
            return Ok(None);
        }
        let rows: Vec<BodyRow> = self
            .state
            .storage()
            .sql()
            .exec("SELECT body FROM state WHERE id = ?", vec![SqlStorageValue::Integer(row)])?
            .to_array()?;
        Ok(match rows.first() {
            Some(row) => Some(stored::read(&row.body)?),
            None => None,
        })
    }

    /// Writes another row by itself.
    pub(crate) fn write_row<T: Serialize>(&self, row: i64, value: &T) -> Outcome<()> {
        self.make_tables()?;
        let text = SqlStorageValue::String(stored::write(value)?);
        self.state.storage().sql().exec(UPSERT, vec![SqlStorageValue::Integer(row), text])?;
        Ok(())
    }

    /// Writes state and log entries, both or neither.
    pub(crate) fn write<T: Serialize>(&self, state: &T, entries: &[Entry]) -> Outcome<()> {
        self.write_after(state, entries, false)
    }

    /// The same, and of the log so far nothing stays. Entries go on being numbered from where they were.
    pub(crate) fn write_anew<T: Serialize>(&self, state: &T, entries: &[Entry]) -> Outcome<()> {
        self.write_after(state, entries, true)
    }

    fn write_after<T: Serialize>(&self, state: &T, entries: &[Entry], anew: bool) -> Outcome<()> {
        self.make_tables()?;
        let mut body = stored::write(state)?;
        let mut lines = entries.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
        let storage = self.state.storage();
        let sql = storage.sql();
        let mut run = || -> Result<JsValue, JsValue> {
            // Run once, so what is written may be taken.
            let text = SqlStorageValue::String(std::mem::take(&mut body));
            sql.exec(UPSERT, vec![SqlStorageValue::Integer(STATE_ROW), text]).map_err(JsValue::from)?;
            if anew {
                sql.exec("DELETE FROM log", None).map_err(JsValue::from)?;
            }
            for line in lines.drain(..) {
                sql.exec("INSERT INTO log (body) VALUES (?)", vec![SqlStorageValue::String(line)])
                    .map_err(JsValue::from)?;
            }
            Ok(JsValue::UNDEFINED)
        };
        // One statement is a transaction by itself, and most batches of events leave no log entry.
        if entries.is_empty() && !anew {
            run()?;
            return Ok(());
        }
        let raw: &JsValue = storage.as_raw();
        raw.unchecked_ref::<SyncStorage>().transaction_sync(&mut run)?;
        Ok(())
    }

    /// Entries that the ledger has not taken yet.
    pub(crate) fn unflushed(&self) -> Outcome<Vec<Numbered>> {
        self.entries("SELECT seq, body FROM log WHERE flushed = 0 ORDER BY seq LIMIT 100")
    }

    /// The whole log that is kept.
    pub(crate) fn log(&self) -> Outcome<Vec<Numbered>> {
        self.entries("SELECT seq, body FROM log ORDER BY seq")
    }

    fn entries(&self, query: &str) -> Outcome<Vec<Numbered>> {
        let rows: Vec<LogRow> = self.state.storage().sql().exec(query, None)?.to_array()?;
        rows.iter()
            .map(|row| {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a row number")]
                let seq = row.seq as u64;
                Ok(Numbered { seq, entry: serde_json::from_str(&row.body)? })
            })
            .collect()
    }

    /// The ledger took everything up to this number; the oldest beyond the bound go.
    pub(crate) fn flushed(&self, upto: u64) -> Outcome<()> {
        let upto = i64::try_from(upto).unwrap_or(i64::MAX);
        let sql = self.state.storage().sql();
        sql.exec(
            "UPDATE log SET flushed = 1 WHERE seq <= ? AND flushed = 0",
            vec![SqlStorageValue::Integer(upto)],
        )?;
        sql.exec(
            "DELETE FROM log WHERE flushed = 1 AND seq <= (SELECT MAX(seq) FROM log) - ?",
            vec![SqlStorageValue::Integer(KEPT_ENTRIES)],
        )?;
        Ok(())
    }

    /// Forgets everything. Should this instance be called once more, it finds nothing.
    pub(crate) async fn forget(&self) -> Outcome<()> {
        self.state.storage().delete_alarm().await?;
        self.state.storage().delete_all().await?;
        self.made.set(false);
        Ok(())
    }
}
