-- Who has an emergency: all who said so, as canonical JSON.
CREATE TABLE acknowledged (
    reference TEXT NOT NULL PRIMARY KEY REFERENCES emergencies (reference),
    body      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Calls that a human of the operator is making, or had taken: of which attempt, and by whom, as canonical JSON.
CREATE TABLE calls (
    notice TEXT NOT NULL PRIMARY KEY REFERENCES notices (id),
    body   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
