-- Which attempt of another notice the message of an attempt was: one message may tell several notices.
ALTER TABLE attempts ADD COLUMN led_by TEXT NOT NULL DEFAULT '';

-- What stands behind a notice that is still to be sent is told with it.
CREATE INDEX notices_by_follows ON notices (follows) WHERE follows IS NOT NULL;
