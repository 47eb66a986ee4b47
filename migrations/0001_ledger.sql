-- The query-side view of carts' logs. Everything here can be rebuilt from the archive; nothing here
-- may stop or allow a send. No personal data: carts and persons by their random ids only.

CREATE TABLE entries (
  shop TEXT NOT NULL,
  cart TEXT NOT NULL,
  seq  INTEGER NOT NULL, -- number within the cart's log
  at   INTEGER NOT NULL, -- milliseconds since the epoch
  kind TEXT NOT NULL,    -- born, moved, linked, offered, decided, settled, clicked, ordered
  what TEXT NOT NULL,    -- the entry as JSON
  PRIMARY KEY (shop, cart, seq)
) WITHOUT ROWID;

CREATE INDEX entries_by_time ON entries (shop, at);

CREATE TABLE carts (
  shop  TEXT NOT NULL,
  cart  TEXT NOT NULL,
  seq   INTEGER NOT NULL, -- of the last entry this row was made from
  phase TEXT NOT NULL,
  due   INTEGER,          -- when the cart next has something to do; the sweep looks here
  at    INTEGER NOT NULL,
  PRIMARY KEY (shop, cart)
) WITHOUT ROWID;

CREATE INDEX carts_by_due ON carts (due) WHERE due IS NOT NULL;

CREATE TABLE dead_letters (
  queue TEXT NOT NULL,
  id    TEXT NOT NULL,
  at    INTEGER NOT NULL,
  body  TEXT NOT NULL,
  PRIMARY KEY (queue, id)
) WITHOUT ROWID;
