-- What each source said last. When it was asked last, and whether it answered, its row in `signals` knows.
CREATE TABLE heard (
    source TEXT PRIMARY KEY,
    since  INTEGER NOT NULL,               -- since when it has said so, in what matters
    said   TEXT NOT NULL                   -- all its words, in those of its room, as JSON
) STRICT, WITHOUT ROWID;
