-- A version of the schedule is told by what it changes, so that a small change of a large site is a small row.
-- whole = 1: the version's targets are all of them; 0: they are added to, or removed from, the version before.
ALTER TABLE schedules ADD COLUMN whole INTEGER NOT NULL DEFAULT 1;
CREATE TABLE schedule_targets (
    version     INTEGER NOT NULL REFERENCES schedules (version),
    added       INTEGER NOT NULL,          -- 0: the target is no longer in the schedule, as it stood there
    signal      TEXT    NOT NULL,
    address     TEXT    NOT NULL,
    interval_us INTEGER NOT NULL,
    method      TEXT    NOT NULL,
    phased_by   TEXT    NOT NULL,
    PRIMARY KEY (version, added, signal)
) STRICT, WITHOUT ROWID;
INSERT INTO schedule_targets
SELECT version, 1, value ->> 'signal', value ->> 'address', value ->> 'interval', 'icmp', ''
FROM schedules, json_each(targets);
ALTER TABLE schedules DROP COLUMN targets;

-- Two bytes for each target that was due in the slice, in that order: round-trip time and loss.
ALTER TABLE slices ADD COLUMN latencies BLOB NOT NULL DEFAULT x'';

-- Who missed or is unknown in slices that are still open. With its slice's end an entry moves into its row.
CREATE TABLE open_looks (
    version INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    place   INTEGER NOT NULL,
    outcome TEXT    NOT NULL,
    signal  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    why     TEXT    NOT NULL,
    PRIMARY KEY (version, number, place)
) STRICT, WITHOUT ROWID;

-- From here on `signals` holds only those that the closed slices do not tell all of: a signal without a row
-- answered in the last closed slice in which it was due.
