-- What proves that somebody was told: a term of the agreement.
ALTER TABLE duties ADD COLUMN met_by TEXT NOT NULL DEFAULT 'accepted';

-- What each attempt proves, as far as anybody has said, and what the other side calls the message: by that it may
-- say more later.
ALTER TABLE attempts ADD COLUMN proof TEXT;
ALTER TABLE attempts ADD COLUMN receipt TEXT NOT NULL DEFAULT '';
UPDATE attempts SET proof = 'accepted' WHERE outcome = 'accepted';
CREATE INDEX attempts_open ON attempts (notice) WHERE outcome = 'open';
CREATE INDEX attempts_by_receipt ON attempts (receipt) WHERE receipt <> '';
