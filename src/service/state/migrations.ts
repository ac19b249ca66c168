/** The tables of state.db, as steps from each version to the next. A step that has been delivered is never changed. */

export const migrations: readonly string[] = [
  `
  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE destinations (id TEXT PRIMARY KEY, position INTEGER NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE plans (id TEXT PRIMARY KEY, position INTEGER NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  -- What the scheduler, the watchdog and others remember, each under a name of its own.
  CREATE TABLE memory (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    plan TEXT,
    destination TEXT,
    plan_name TEXT NOT NULL,
    destination_name TEXT NOT NULL,
    cause TEXT NOT NULL,
    strategy TEXT,
    status TEXT NOT NULL,
    reason TEXT,
    attempt INTEGER NOT NULL,
    created INTEGER NOT NULL,
    started INTEGER,
    ended INTEGER,
    snapshot TEXT,
    figures TEXT,
    error TEXT,
    problems INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX runs_of_plan ON runs (plan, destination, kind, status, id);
  CREATE INDEX runs_of_destination ON runs (destination, id);
  CREATE INDEX runs_by_status ON runs (status, id);

  CREATE TABLE run_log (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX run_log_of_run ON run_log (run);

  CREATE TABLE run_problems (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL
  ) STRICT;
  CREATE INDEX run_problems_of_run ON run_problems (run);
  `,
  `
  CREATE INDEX runs_of_plan_in_order ON runs (plan, id);
  CREATE INDEX runs_of_strategy ON runs (plan, kind, strategy, status, id);
  CREATE INDEX runs_of_kind ON runs (kind, id);
  CREATE INDEX runs_by_end ON runs (ended);
  `,
  `
  -- In JSON; what it is depends on the run's kind.
  CREATE TABLE run_details (
    run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    request TEXT,
    receipt TEXT
  ) STRICT;
  `,
  `
  -- 1 for one that a person has paused: it waits for a person, whatever the scheduler has to say, and also after a restart.
  ALTER TABLE runs ADD COLUMN held_by_person INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- One measurement a day of how large a repository is; free: null where nobody can tell.
  CREATE TABLE sizes (
    repository TEXT NOT NULL,
    day TEXT NOT NULL,
    at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    packs INTEGER NOT NULL,
    snapshots INTEGER NOT NULL,
    free INTEGER,
    PRIMARY KEY (repository, day)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- In JSON: destinations that failed, each with the one that took over. NULL: none did.
  ALTER TABLE runs ADD COLUMN takeovers TEXT;
  `,
];
