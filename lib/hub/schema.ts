/**
 * The hub's tables. Ids are UUIDs as text, times Unix milliseconds. Texts that come from outside are kept as bytes, since
 * SQLite's text ends at a NUL.
 */
export const HUB_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE functions (
    number INTEGER PRIMARY KEY,
    function_uuid TEXT NOT NULL UNIQUE,
    content_hash TEXT NOT NULL UNIQUE,
    registration BLOB NOT NULL,
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL
  );
  CREATE VIRTUAL TABLE function_index USING fts5(name, description, author, source);

  CREATE TABLE endpoints (
    name TEXT PRIMARY KEY,
    endpoint_uuid TEXT NOT NULL UNIQUE
  );

  -- Tasks that have not ended, one row for all that were submitted together.
  CREATE TABLE batches (
    number INTEGER PRIMARY KEY,
    function_id TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    streamed INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ids TEXT NOT NULL,
    args BLOB NOT NULL,
    stages BLOB NOT NULL
  );

  -- Tasks that have ended and whose result was not acknowledged.
  CREATE TABLE results (
    task_id TEXT PRIMARY KEY,
    group_id TEXT NOT NULL,
    streamed INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    status BLOB NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX results_of_group ON results (group_id, ended_at);
  CREATE INDEX results_by_age ON results (ended_at);
  `,
  `
  -- Results that ended close together, in one row as long as they are fresh: a list in JSON.
  CREATE TABLE result_pages (
    number INTEGER PRIMARY KEY,
    results TEXT NOT NULL
  );
  `,
];
