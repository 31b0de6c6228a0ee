-- Times are nanoseconds since 1970, UTC. Bodies are JSON unless said otherwise.
-- Plain SQL throughout: PostgreSQL gets the same tables with its own types.

-- +goose Up
CREATE TABLE policies (
	hash TEXT PRIMARY KEY,
	body BLOB NOT NULL -- opaque
);

-- The one row is the fence: whoever commits names the cursor that is in it.
CREATE TABLE engine (
	id          INTEGER PRIMARY KEY CHECK (id = 1),
	stream      TEXT    NOT NULL, -- identity of the journal's stream; '' before the first commit
	seq         BIGINT  NOT NULL,
	state       BLOB,             -- opaque
	policy_hash TEXT    NOT NULL,
	feed_seq    BIGINT  NOT NULL  -- last one given out
);
INSERT INTO engine (id, stream, seq, state, policy_hash, feed_seq) VALUES (1, '', 0, NULL, '', 0);

CREATE TABLE transitions (
	n           INTEGER PRIMARY KEY AUTOINCREMENT,
	id          TEXT    NOT NULL UNIQUE,
	stream      TEXT    NOT NULL, -- with seq: the entry that caused it
	seq         BIGINT  NOT NULL,
	at          BIGINT  NOT NULL,
	type        TEXT    NOT NULL,
	key         TEXT    NOT NULL,
	policy_hash TEXT    NOT NULL,
	body        BLOB    NOT NULL
);
CREATE INDEX transitions_key ON transitions (key, n);

CREATE TABLE incidents (
	id          TEXT    PRIMARY KEY,
	target      TEXT    NOT NULL,
	phase       TEXT    NOT NULL,
	public      BOOLEAN NOT NULL,
	created_at  BIGINT  NOT NULL,
	updated_at  BIGINT  NOT NULL,
	resolved_at BIGINT,
	body        BLOB    NOT NULL
);
CREATE INDEX incidents_created ON incidents (created_at, id);
CREATE INDEX incidents_open ON incidents (created_at) WHERE resolved_at IS NULL;

-- What on-call sees, in the order in which it was committed, without gaps.
CREATE TABLE feed (
	seq      BIGINT PRIMARY KEY,
	event_id TEXT   NOT NULL UNIQUE REFERENCES transitions (id)
);

CREATE TABLE deliveries (
	n            INTEGER PRIMARY KEY AUTOINCREMENT,
	sink         TEXT    NOT NULL,
	key          TEXT    NOT NULL,
	action       TEXT    NOT NULL,
	event_id     TEXT    NOT NULL REFERENCES transitions (id),
	body         BLOB    NOT NULL, -- opaque
	created_at   BIGINT  NOT NULL,
	next_at      BIGINT  NOT NULL,
	attempts     INTEGER NOT NULL,
	error        TEXT    NOT NULL,
	delivered_at BIGINT,
	UNIQUE (sink, event_id, action)
);
CREATE INDEX deliveries_waiting ON deliveries (sink, key, n) WHERE delivered_at IS NULL;
