-- What proves that somebody was told: a term of the agreement.
ALTER TABLE duties ADD COLUMN met_by TEXT NOT NULL DEFAULT 'accepted';

-- What each attempt proves, as far as anybody has said, and what the other side calls the message: by that it may
-- say more later.
ALTER TABLE attempts ADD COLUMN proof TEXT;
ALTER TABLE attempts ADD COLUMN receipt TEXT NOT NULL DEFAULT '';
UPDATE attempts SET proof = 'accepted' WHERE outcome = 'accepted';
CREATE INDEX attempts_open ON attempts (notice) WHERE outcome = 'open';
CREATE INDEX attempts_by_receipt ON attempts (receipt) WHERE receipt <> '';

-- That a customer as a whole is told in time follows from the duties to their people.
CREATE TABLE customer_duties (
    emergency   TEXT    NOT NULL REFERENCES emergencies (reference),
    customer    TEXT    NOT NULL,
    due         INTEGER NOT NULL,
    met_at      INTEGER,
    breached_at INTEGER,
    released_at INTEGER,                   -- nobody is left who could be told
    body        TEXT    NOT NULL,          -- who counts, and of whom it is met, as canonical JSON
    PRIMARY KEY (emergency, customer)
) STRICT, WITHOUT ROWID;
CREATE INDEX customer_duties_open ON customer_duties (due) WHERE met_at IS NULL AND breached_at IS NULL
    AND released_at IS NULL;

-- Whose person a duty is owed to.
ALTER TABLE duties ADD COLUMN customer TEXT NOT NULL DEFAULT '';
UPDATE duties SET customer = coalesce((SELECT customer FROM notices WHERE notices.duty = duties.id), '');
