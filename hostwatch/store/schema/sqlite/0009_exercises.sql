-- Exercises: people are told of nothing, to see that they can be told. People and channel as canonical JSON.
CREATE TABLE exercises (
    reference TEXT    NOT NULL PRIMARY KEY,
    opened_at INTEGER NOT NULL,
    due       INTEGER NOT NULL,
    ended_at  INTEGER,
    actor     TEXT    NOT NULL,
    people    TEXT    NOT NULL,
    by_kind   TEXT    NOT NULL                -- empty: by the whole ladder
) STRICT, WITHOUT ROWID;
CREATE INDEX exercises_open ON exercises (reference) WHERE ended_at IS NULL;

-- Of which exercise a notice tells.
CREATE TABLE notice_exercises (
    notice   TEXT NOT NULL PRIMARY KEY REFERENCES notices (id),
    exercise TEXT NOT NULL REFERENCES exercises (reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_by_exercise ON notice_exercises (exercise);

-- Who has said that they have it, as canonical JSON.
CREATE TABLE exercises_acknowledged (
    reference TEXT NOT NULL PRIMARY KEY REFERENCES exercises (reference),
    body      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
