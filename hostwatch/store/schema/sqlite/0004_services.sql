-- The signals, beside its own, whose outages are told under an emergency: canonical JSON, a list of names.
ALTER TABLE emergencies ADD COLUMN joined TEXT NOT NULL DEFAULT '[]';

-- Services that are down and whose emergencies wait for the verdict on their device.
CREATE TABLE holds (
    signal TEXT PRIMARY KEY,
    since  INTEGER NOT NULL,               -- the verdict on the service
    until  INTEGER NOT NULL                -- when it opens alone, if nothing is decided by then
) STRICT, WITHOUT ROWID;
