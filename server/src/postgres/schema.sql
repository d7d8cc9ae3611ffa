-- The log: its entries, what follows from them, and the row by which one writer at a time is chosen.
CREATE TABLE log_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    size bigint NOT NULL,
    epoch bigint NOT NULL,
    state bytea,
    checkpoint text,
    published text,
    published_size bigint NOT NULL DEFAULT -1
) WITH (fillfactor = 20);
INSERT INTO log_head (size, epoch) VALUES (0, 0);

CREATE TABLE log_entries (
    number bigint PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    bytes bytea NOT NULL
);

-- Full tiles with the root over each; unfinished ones are made from what lies below them.
CREATE TABLE log_tiles (
    level smallint NOT NULL,
    number bigint NOT NULL,
    root bytea NOT NULL,
    hashes bytea NOT NULL,
    PRIMARY KEY (level, number)
);
-- Hashes do not get smaller by compression.
ALTER TABLE log_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;

CREATE TABLE log_records (
    key text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
) WITH (fillfactor = 85);

-- What was written once stays: a slip of the hand must not change it.
CREATE FUNCTION log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$;
CREATE TRIGGER entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON log_entries
    FOR EACH STATEMENT EXECUTE FUNCTION log_is_append_only();
CREATE TRIGGER tiles_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON log_tiles
    FOR EACH STATEMENT EXECUTE FUNCTION log_is_append_only();

-- The desk: rows of bytes under keys.
CREATE TABLE desk_rows (
    shelf text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (shelf, key)
);
