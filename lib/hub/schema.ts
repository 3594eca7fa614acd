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
  `
  ALTER TABLE batches ADD COLUMN terms TEXT;

  -- What tells this hub from others on the same broker: one row.
  CREATE TABLE hub (
    hub_uuid TEXT NOT NULL
  );
  INSERT INTO hub VALUES (
    lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2) ||
    '-a' || substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6)))
  );

  -- Agents that were registered. \`secret\` is what their passwords at the broker are made from.
  CREATE TABLE agents (
    endpoint_uuid TEXT PRIMARY KEY,
    owner_id TEXT NOT NULL,
    owner_name TEXT NOT NULL,
    registration BLOB NOT NULL,
    secret TEXT NOT NULL,
    locked_until INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) WITHOUT ROWID;

  -- What an agent starts for one user and one configuration.
  CREATE TABLE user_endpoints (
    user_endpoint_uuid TEXT PRIMARY KEY,
    endpoint_uuid TEXT NOT NULL,
    settings TEXT NOT NULL,
    incarnation TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX user_endpoints_of_agent ON user_endpoints (endpoint_uuid);

  -- Task groups whose results go to a queue of their user's.
  CREATE TABLE result_queues (
    group_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  `,
  `
  -- Users beside the operator: what has no owner is his.
  ALTER TABLE functions ADD COLUMN owner TEXT;
  ALTER TABLE functions ADD COLUMN public INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE functions ADD COLUMN group_id TEXT;
  UPDATE functions SET
    public = coalesce(json_extract(CAST(registration AS TEXT), '$.public'), 0),
    group_id = lower(json_extract(CAST(registration AS TEXT), '$.group'));

  CREATE TABLE task_groups (
    group_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    used_at INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE clients (
    client_id TEXT PRIMARY KEY,
    name BLOB NOT NULL,
    groups TEXT NOT NULL,
    salt BLOB NOT NULL,
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL
  );

  CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL,
    client_id TEXT NOT NULL,
    resource_server TEXT NOT NULL,
    scope TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  );
  `,
  `
  -- Tasks that were ever submitted.
  ALTER TABLE hub ADD COLUMN invocations INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Pages that are owed to nobody and stay: they are not changed any more.
  CREATE TABLE shelves (
    page INTEGER PRIMARY KEY,
    ended_at INTEGER NOT NULL,
    found INTEGER NOT NULL
  );
  CREATE INDEX shelves_to_index ON shelves (page) WHERE found = 0;
  CREATE INDEX shelves_by_age ON shelves (ended_at);

  -- Where the results of those pages are, of the pages that are marked as found.
  CREATE TABLE shelved_results (
    task_id TEXT PRIMARY KEY,
    page INTEGER NOT NULL,
    place INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE shelf_groups (
    group_id TEXT NOT NULL,
    page INTEGER NOT NULL,
    PRIMARY KEY (group_id, page)
  ) WITHOUT ROWID;
  CREATE INDEX shelf_groups_of_page ON shelf_groups (page);
  `,
  `
  -- Pages of results get another layout, see paged-results.ts: those there are become rows.
  INSERT OR REPLACE INTO results (task_id, group_id, streamed, ended_at, status)
  SELECT
    json_extract(value, '$[3].task_id'), json_extract(value, '$[0]'),
    number NOT IN (SELECT page FROM shelves) AND json_extract(value, '$[1]'),
    json_extract(value, '$[2]'), value -> '$[3]'
  FROM result_pages, json_each(results);
  DROP TABLE result_pages;
  DELETE FROM shelves;
  DELETE FROM shelved_results;
  DELETE FROM shelf_groups;
  CREATE TABLE result_pages (
    number INTEGER PRIMARY KEY,
    forms TEXT NOT NULL,
    results TEXT NOT NULL
  );
  `,
];
