/**
 * The tables of the archive, and how each schema becomes the next.
 *
 * **Invariant**: a step is never changed after a release; a new schema is a new step.
 *
 * Format: docs/formats/archive.md
 */

/** Kept in `PRAGMA user_version`. 1: one row per relay and run; 2: the archive. */
export const ARCHIVE_SCHEMA_VERSION = 2

/** The tables of schema 2. */
export const ARCHIVE_TABLES = `
  CREATE TABLE run (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL,
    shard TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    invalid TEXT,
    origin TEXT NOT NULL,
    evidence TEXT NOT NULL,
    has_rows INTEGER NOT NULL,
    success INTEGER NOT NULL,
    wrong_ip INTEGER NOT NULL,
    dns_fail INTEGER NOT NULL,
    timeout INTEGER NOT NULL,
    circuit_fail INTEGER NOT NULL,
    error INTEGER NOT NULL,
    exception INTEGER NOT NULL,
    not_tested INTEGER NOT NULL,
    UNIQUE (run_id, shard)
  ) STRICT;
  CREATE TABLE run_metadata (seq INTEGER PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE run_rows (seq INTEGER PRIMARY KEY, block BLOB NOT NULL) STRICT;
  CREATE TABLE evidence (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    class INTEGER NOT NULL,
    first TEXT NOT NULL,
    block BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX evidence_place ON evidence (seq, class, first);
  CREATE TABLE verdict (
    relay INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    latency_ms INTEGER,
    PRIMARY KEY (relay, run_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE relay_day (
    relay INTEGER NOT NULL,
    day INTEGER NOT NULL,
    success INTEGER NOT NULL,
    wrong_ip INTEGER NOT NULL,
    dns_fail INTEGER NOT NULL,
    timeout INTEGER NOT NULL,
    circuit_fail INTEGER NOT NULL,
    error INTEGER NOT NULL,
    exception INTEGER NOT NULL,
    not_tested INTEGER NOT NULL,
    PRIMARY KEY (relay, day)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE relay (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    first_point TEXT,
    last_row TEXT
  ) STRICT;
  CREATE TABLE fact (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    relay INTEGER NOT NULL,
    value TEXT NOT NULL,
    detail TEXT NOT NULL
  ) STRICT;
  CREATE INDEX fact_relay ON fact (relay, id);
  CREATE TABLE family (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, members BLOB NOT NULL) STRICT;
  CREATE TABLE kind (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE term (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE) STRICT;
`

/** The table of schema 1, as it was created. */
export const SCHEMA_1_TABLE = 'exit_verdict'
