-- The record. Facts are append-only: the triggers refuse anything else.
CREATE TABLE facts (
    seq         INTEGER PRIMARY KEY,
    kind        TEXT    NOT NULL,
    happened_at INTEGER NOT NULL,          -- microseconds since 1970, as all *_at columns
    recorded_at INTEGER NOT NULL,
    boot_id     TEXT    NOT NULL,
    body        TEXT    NOT NULL,          -- canonical JSON
    leaf        BLOB    NOT NULL           -- SHA-256(0x00 || canonical entry), RFC 6962
) STRICT;
CREATE INDEX facts_by_kind ON facts (kind, seq);
CREATE TRIGGER facts_are_not_changed BEFORE UPDATE ON facts
BEGIN SELECT RAISE(ABORT, 'a fact is never changed'); END;
CREATE TRIGGER facts_are_not_deleted BEFORE DELETE ON facts
BEGIN SELECT RAISE(ABORT, 'a fact is never deleted'); END;
-- REPLACE deletes without asking the trigger above.
CREATE TRIGGER facts_are_not_replaced BEFORE INSERT ON facts
WHEN EXISTS (SELECT 1 FROM facts WHERE seq = new.seq)
BEGIN SELECT RAISE(ABORT, 'a fact is never changed'); END;

-- What commitments in facts stand for: the only place of personal data, and erasable.
CREATE TABLE personal (
    commitment TEXT PRIMARY KEY,           -- SHA-256(salt || value), hexadecimal
    salt       BLOB NOT NULL,
    value      TEXT NOT NULL,
    kept_at    INTEGER NOT NULL,
    again      INTEGER NOT NULL            -- 1: the next run is to know it, so that it has one commitment
) STRICT, WITHOUT ROWID;
CREATE INDEX personal_again ON personal (kept_at) WHERE again = 1;

-- One row: who writes, and until when the watch was alive.
CREATE TABLE watch (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    epoch         INTEGER NOT NULL,
    alive_at      INTEGER,
    configuration TEXT,
    vantage       TEXT NOT NULL DEFAULT 'main'
) STRICT;
INSERT INTO watch (one, epoch) VALUES (1, 0);

-- Dated versions of customers, contacts and devices. valid_until NULL: the present version.
CREATE TABLE population (
    thing       TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    customer    TEXT    NOT NULL,
    valid_from  INTEGER NOT NULL,
    valid_until INTEGER,
    recorded    INTEGER NOT NULL REFERENCES facts (seq),
    state       TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    PRIMARY KEY (thing, customer, name, recorded)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedules (
    version    INTEGER PRIMARY KEY,
    adopted_at INTEGER NOT NULL,
    slice_us   INTEGER NOT NULL,
    digest     TEXT    NOT NULL,
    targets    TEXT    NOT NULL            -- canonical JSON
) STRICT;

-- Evidence that we looked: whoever was due and is in neither list answered, once closed_at is set.
CREATE TABLE slices (
    version   INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    missed    TEXT    NOT NULL,
    unknown   TEXT    NOT NULL,
    closed_at INTEGER,
    PRIMARY KEY (version, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER slices_closed_stay BEFORE UPDATE ON slices WHEN old.closed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a closed slice is never changed'); END;
CREATE TRIGGER slices_are_not_deleted BEFORE DELETE ON slices
BEGIN SELECT RAISE(ABORT, 'evidence is never deleted'); END;
-- What is brought again for a closed slice is passed over: the first evidence stands.
CREATE TRIGGER slices_are_not_replaced BEFORE INSERT ON slices
WHEN EXISTS (SELECT 1 FROM slices WHERE version = new.version AND number = new.number AND closed_at IS NOT NULL)
BEGIN SELECT RAISE(IGNORE); END;

-- Looks outside the schedule: after a time in which we could not look.
CREATE TABLE unscheduled (
    signal  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    outcome TEXT    NOT NULL,
    why     TEXT    NOT NULL,
    PRIMARY KEY (signal, at)
) STRICT, WITHOUT ROWID;

-- The present state of each signal.
CREATE TABLE signals (
    name                TEXT PRIMARY KEY,
    speaks_until        INTEGER NOT NULL,
    last_reading        INTEGER,
    last_answer         INTEGER,
    blind_since         INTEGER,
    blind_why           TEXT    NOT NULL,
    misses              INTEGER NOT NULL,
    counted_at          INTEGER,
    silence_last_answer INTEGER,
    silence_first_miss  INTEGER,
    silence_last_miss   INTEGER,
    silence_why         TEXT,
    verdict             INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE blind (
    why   TEXT PRIMARY KEY,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE emergencies (
    reference TEXT PRIMARY KEY,
    signal    TEXT    NOT NULL,
    customer  TEXT    NOT NULL,
    device    TEXT    NOT NULL,
    opened_at INTEGER NOT NULL,
    ended_at  INTEGER,
    withdrawn INTEGER NOT NULL,
    story     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
-- At most one open emergency for a signal.
CREATE UNIQUE INDEX emergencies_open ON emergencies (signal) WHERE ended_at IS NULL;

CREATE TABLE duties (
    id          TEXT PRIMARY KEY,
    emergency   TEXT    NOT NULL REFERENCES emergencies (reference),
    contact     TEXT    NOT NULL,
    due         INTEGER NOT NULL,
    met_at      INTEGER,
    breached_at INTEGER,
    released_at INTEGER                    -- nothing more is done for it, though it was not met
) STRICT, WITHOUT ROWID;
CREATE INDEX duties_open ON duties (due) WHERE met_at IS NULL AND released_at IS NULL;

-- The outbox.
CREATE TABLE notices (
    id         TEXT PRIMARY KEY,
    kind       TEXT    NOT NULL,
    customer   TEXT    NOT NULL,
    contact    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    duty       TEXT,
    follows    TEXT,
    state      TEXT    NOT NULL,
    settled_at INTEGER,
    late       INTEGER NOT NULL,           -- 1: settled after the deadline of its duty
    stories    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_pending ON notices (created_at) WHERE state = 'pending';

-- One notice may tell of several emergencies, and an emergency is told by several notices.
CREATE TABLE notice_emergencies (
    notice    TEXT NOT NULL REFERENCES notices (id),
    emergency TEXT NOT NULL REFERENCES emergencies (reference),
    place     INTEGER NOT NULL,
    PRIMARY KEY (notice, emergency)
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_by_emergency ON notice_emergencies (emergency);

CREATE TABLE attempts (
    notice          TEXT    NOT NULL REFERENCES notices (id),
    number          INTEGER NOT NULL,
    rung            INTEGER NOT NULL,
    channel         TEXT    NOT NULL,
    began_at        INTEGER NOT NULL,
    ended_at        INTEGER,
    outcome         TEXT    NOT NULL,
    perhaps_arrived INTEGER NOT NULL,
    retry_after_us  INTEGER,
    repeat          INTEGER NOT NULL,
    address         TEXT    NOT NULL,
    said            TEXT    NOT NULL,
    way             TEXT    NOT NULL,      -- what the channel was, whatever its rung: a keyed hash
    PRIMARY KEY (notice, number)
) STRICT, WITHOUT ROWID;
