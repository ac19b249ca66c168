/**
 * The tables of catalogue.db. There are no steps from one version to the next: a file of any other version is made anew.
 *
 * Words:
 * - A *line* is what the snapshots of one plan on one computer (without a plan: those of the same paths) are in the order of time.
 * - A *moment* is one snapshot of a line, however many repositories hold it. Its *position* is its time in milliseconds, made unique
 *   among all moments, so that a position alone tells the line, too.
 * - A *version* is what an entry was like in some successive moments of its line: those whose position is above `lo` and below `hi`. Both are
 *   positions of moments that do not have it; `lo` is 0, and `hi` NULL, where there is no such moment. So a new moment costs
 *   nothing for all that did not change: it lies between the bounds already.
 * - `trees` says the same of folders and what is in them, at any depth: the ID of the tree, and how much it is.
 *
 * What was forgotten is not a bound any more (forget.ts): between two bounds lie moments of today alone, and each row covers at least one.
 */

/** Raised by every change of the tables, and of what is in them. */
export const schemaVersion = 1;

export const schema = `
  CREATE TABLE repositories (id INTEGER PRIMARY KEY, repository TEXT NOT NULL UNIQUE, checked INTEGER, total INTEGER NOT NULL DEFAULT 0) STRICT;

  CREATE TABLE lines (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, plan TEXT, host TEXT NOT NULL, root INTEGER NOT NULL UNIQUE
  ) STRICT;

  CREATE TABLE moments (
    position INTEGER PRIMARY KEY,
    line INTEGER NOT NULL,
    time TEXT NOT NULL,
    tree BLOB NOT NULL,
    paths TEXT NOT NULL,
    problems INTEGER NOT NULL,
    UNIQUE (line, time, tree)
  ) STRICT;
  CREATE INDEX moments_of_line ON moments (line, position);

  -- Snapshots: where moments lie. Without a moment: one that is not catalogued, since it is too large.
  CREATE TABLE copies (
    repository INTEGER NOT NULL, snapshot BLOB NOT NULL, key BLOB NOT NULL, moment INTEGER,
    PRIMARY KEY (repository, snapshot)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX copies_of_moment ON copies (moment);
  CREATE INDEX copies_by_snapshot ON copies (snapshot);
  CREATE INDEX copies_by_key ON copies (key);

  -- The root of a line has no parent (0).
  CREATE TABLE folders (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, name BLOB NOT NULL) STRICT;
  CREATE INDEX folders_by_name ON folders (parent, name);

  CREATE TABLE versions (
    folder INTEGER NOT NULL, name BLOB NOT NULL, lo INTEGER NOT NULL, hi INTEGER,
    type INTEGER NOT NULL, mode INTEGER NOT NULL, size INTEGER NOT NULL,
    -- Of the last change: seconds since 1970, and nanoseconds.
    seconds INTEGER NOT NULL, nanos INTEGER NOT NULL,
    -- Of the content: see engine/listing/format.ts.
    mark INTEGER NOT NULL,
    PRIMARY KEY (folder, name, lo)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX versions_from ON versions (lo) WHERE lo > 0;
  CREATE INDEX versions_until ON versions (hi) WHERE hi IS NOT NULL;

  -- The tree's ID is cut to 16 bytes; NULL: it could not be read.
  CREATE TABLE trees (
    folder INTEGER NOT NULL, lo INTEGER NOT NULL, hi INTEGER,
    tree BLOB, files INTEGER NOT NULL, folders INTEGER NOT NULL, bytes INTEGER NOT NULL, problems INTEGER NOT NULL,
    PRIMARY KEY (folder, lo)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX trees_from ON trees (lo) WHERE lo > 0;
  CREATE INDEX trees_until ON trees (hi) WHERE hi IS NOT NULL;

  -- Each name once, whatever the folder. \`folded\`: as it is searched, where that differs. IDs are never used twice.
  CREATE TABLE names (id INTEGER PRIMARY KEY AUTOINCREMENT, name BLOB NOT NULL UNIQUE, folded TEXT) STRICT;
  CREATE TABLE places (name INTEGER NOT NULL, folder INTEGER NOT NULL, PRIMARY KEY (name, folder)) STRICT, WITHOUT ROWID;

  -- Of the names up to the one that \`indexed\` says; later ones are scanned.
  CREATE VIRTUAL TABLE search USING fts5 (folded, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1');
  CREATE TABLE indexed (name INTEGER NOT NULL) STRICT;
  INSERT INTO indexed VALUES (0);
`;
