-- To find the present version of one device among a million. Without it each change reads all devices.
CREATE INDEX population_present ON population (thing, name) WHERE valid_until IS NULL;
