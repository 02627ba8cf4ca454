-- What each source said last. When it was asked last, and whether it answered, its row in `signals` knows.
CREATE TABLE heard (
    source TEXT PRIMARY KEY,
    since  INTEGER NOT NULL,               -- since when it has said so, in what matters
    said   TEXT NOT NULL                   -- all its words, in those of its room, as JSON
) STRICT, WITHOUT ROWID;

-- The warnings that last: what operators were told of early, and is no outage.
CREATE TABLE warnings (
    what        TEXT NOT NULL,
    about       TEXT NOT NULL,             -- the source, the element, the supply or the switch
    said        TEXT NOT NULL,
    since       INTEGER NOT NULL,
    quiet_since INTEGER,                   -- since when it has not been seen any more
    PRIMARY KEY (what, about)
) STRICT, WITHOUT ROWID;
