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

-- How far the counters of each switch have been counted, and what is known of the five minutes that are not over.
CREATE TABLE counted (
    source TEXT PRIMARY KEY,
    at     INTEGER NOT NULL,               -- of the reading that was counted last
    body   TEXT NOT NULL                   -- as core.counted writes it
) STRICT, WITHOUT ROWID;

-- The traffic of a port on a day of UTC: 288 figures of five minutes, as core.traffic packs them. No evidence:
-- rows are erased when they are old. Two rows share a page, which they would not do WITHOUT ROWID.
CREATE TABLE traffic (
    day     INTEGER NOT NULL,              -- since 1970
    port    TEXT NOT NULL,                 -- switch/port
    figures BLOB NOT NULL,
    PRIMARY KEY (day, port)
) STRICT;

-- The causes of outages that go on: all that is known of each, and what the rules make of it. Those of outages
-- that are over are facts.
CREATE TABLE causes (
    signal      TEXT PRIMARY KEY,
    first_miss  INTEGER NOT NULL,
    last_answer INTEGER NOT NULL,
    scene       TEXT NOT NULL,             -- what witnesses said, as canonical JSON
    finding     TEXT NOT NULL              -- what follows, with the evidence, as canonical JSON
) STRICT, WITHOUT ROWID;

-- What people stated last of the cause of an emergency.
CREATE TABLE stated (
    reference TEXT PRIMARY KEY,
    body      TEXT NOT NULL                -- as canonical JSON; the words are commitments
) STRICT, WITHOUT ROWID;
