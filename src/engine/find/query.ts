/** What a search looks for, as plain data that every worker understands; and what an entry must be to be found. */
import type { BlobType } from '../../repository/blob-index.ts';
import type { Node, NodeType } from '../../repository/tree/node.ts';
import { type FieldSet, fieldSet } from '../../repository/tree/read-node.ts';
import { nameText } from '../backup/name-text.ts';
import type { WorkerContext } from '../workers/context.ts';
import { everything, type Level, type Levels, levelsOf, type PatternOptions } from './levels.ts';

/** Entries by name and properties; all that is given must hold. */
export interface EntryQuery extends PatternOptions {
  readonly kind: 'entries';
  readonly types: readonly NodeType[] | undefined;
  /** Of files, in bytes; when one is given nothing but files is found. */
  readonly minSize: number | undefined;
  readonly maxSize: number | undefined;
  /** Time of change: not before, and not after. Nanoseconds since 1970. */
  readonly newerNs: bigint | undefined;
  readonly olderNs: bigint | undefined;
}

/** Files and folders by the blobs that they need. */
export interface BlobQuery {
  readonly kind: 'blobs';
  /** For each record of the index that lookups give: 1 when its blob is wanted. On shared memory. */
  readonly wanted: Uint8Array;
  /** Blobs that no index names: `data` or `tree`, a space, 64 hex digits. */
  readonly missing: readonly string[];
}

export type Query = EntryQuery | BlobQuery;

/** A query made ready, in one worker. */
export interface Search {
  /** Fields that it looks at. */
  readonly fields: FieldSet;
  readonly levels: Levels;
  /** Whether the entry is found. */
  hits(level: Level, node: Node): boolean;
  /** The level of what is in the folder. */
  enter(level: Level, node: Node): Level | undefined;
}

const stateName = 'search';

/** Each worker compiles a query once. Throws `bad-usage`. */
export function searchFor(query: Query, context: WorkerContext): Search {
  const known = context.state.get(stateName) as Search | undefined;
  if (known) return known;
  const search = query.kind === 'entries' ? entrySearch(query) : blobSearch(query, context);
  context.state.set(stateName, search);
  return search;
}

function entrySearch(query: EntryQuery): Search {
  const { minSize, maxSize, newerNs, olderNs } = query;
  const types = query.types && new Set(query.types);
  const hasSize = minSize !== undefined || maxSize !== undefined;
  const isWanted = ({ type, size, mtimeNs }: Node): boolean => {
    if (types && !types.has(type)) return false;
    if (hasSize && (type !== 'file' || size < (minSize ?? 0) || size > (maxSize ?? Number.POSITIVE_INFINITY))) return false;
    return (newerNs === undefined || mtimeNs >= newerNs) && (olderNs === undefined || mtimeNs <= olderNs);
  };
  return {
    fields: fieldSet([...(hasSize ? ['size'] : []), ...(newerNs === undefined && olderNs === undefined ? [] : ['mtime'])]),
    levels: levelsOf(query),
    hits: (level, node) => isWanted(node) && level.hits(nameText(node.name)),
    enter: (level, node) => level.enter(nameText(node.name)),
  };
}

function blobSearch(query: BlobQuery, context: WorkerContext): Search {
  return {
    fields: fieldSet([]),
    levels: { root: everything, at: () => everything },
    hits: (_, node) => wantedBlobs(query, node, context).next().done !== true,
    enter: (level) => level,
  };
}

export interface WantedBlob {
  readonly type: BlobType;
  /** A view. */
  readonly id: Buffer;
}

/** The blobs of a node that are wanted, each once for each place where it stands. */
export function* wantedBlobs({ wanted, missing }: BlobQuery, { content, subtree }: Node, { index }: WorkerContext): Generator<WantedBlob> {
  for (const [type, ids] of [
    ['tree', subtree],
    ['data', content],
  ] as const) {
    if (!ids) continue;
    for (let at = 0; at < ids.length; at += 32) {
      const record = index.entryOf(ids, at, type);
      const id = ids.subarray(at, at + 32);
      if (record < 0 ? missing.length > 0 && missing.includes(`${type} ${id.toString('hex')}`) : wanted[record] === 1) yield { type, id };
    }
  }
}
