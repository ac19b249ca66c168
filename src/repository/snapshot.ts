/** Snapshots: what a run saw, at one moment. See restic's design document, "Snapshots". */
import { HoldfastError } from '../contract/errors.ts';
import { isId } from './ids.ts';

/** Figures of the run that made a snapshot; counts, and bytes. Files and folders are compared with the parent. */
export interface SnapshotSummary {
  readonly backup_start: string;
  readonly backup_end: string;
  readonly files_new: number;
  readonly files_changed: number;
  readonly files_unmodified: number;
  readonly dirs_new: number;
  readonly dirs_changed: number;
  readonly dirs_unmodified: number;
  readonly data_blobs: number;
  readonly tree_blobs: number;
  /** Bytes of the new blobs before compression. */
  readonly data_added: number;
  /** Bytes that the new blobs take in packs. */
  readonly data_added_packed: number;
  readonly total_files_processed: number;
  readonly total_bytes_processed: number;
}

/** The fields in the order in which restic writes them. */
export interface SnapshotFields {
  /** RFC 3339. */
  readonly time: string;
  readonly parent?: string | undefined;
  readonly tree: string;
  readonly paths: readonly string[];
  readonly hostname?: string | undefined;
  readonly username?: string | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly excludes?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly original?: string | undefined;
  readonly program_version?: string | undefined;
  readonly summary?: SnapshotSummary | undefined;
}

export interface Snapshot extends SnapshotFields {
  readonly id: string;
}

/** In the order in which restic writes them. */
const fieldNames = [
  'time',
  'parent',
  'tree',
  'paths',
  'hostname',
  'username',
  'uid',
  'gid',
  'excludes',
  'tags',
  'original',
  'program_version',
  'summary',
] as const satisfies readonly (keyof SnapshotFields)[];

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === '' || value === 0 || (Array.isArray(value) && value.length === 0);

const knownFields = (fields: Readonly<Partial<Record<keyof SnapshotFields, unknown>>>): [string, unknown][] =>
  fieldNames.filter((name) => name === 'paths' || !isEmpty(fields[name])).map((name) => [name, fields[name]]);

/** The JSON text to store. Empty fields are left out, as restic does. */
export const formatSnapshot = (fields: SnapshotFields): Buffer => Buffer.from(JSON.stringify(Object.fromEntries(knownFields(fields))));

/** What a rewritten snapshot says anew; `undefined` takes a field away. Figures that are not given stay. */
export type SnapshotChanges = Omit<Partial<SnapshotFields>, 'summary'> & { readonly summary?: Partial<SnapshotSummary> };

/** As restic writes them where there were none. */
const noSummary: SnapshotSummary = {
  backup_start: '0001-01-01T00:00:00Z',
  backup_end: '0001-01-01T00:00:00Z',
  files_new: 0,
  files_changed: 0,
  files_unmodified: 0,
  dirs_new: 0,
  dirs_changed: 0,
  dirs_unmodified: 0,
  data_blobs: 0,
  tree_blobs: 0,
  data_added: 0,
  data_added_packed: 0,
  total_files_processed: 0,
  total_bytes_processed: 0,
};

/**
 * The text of a stored snapshot, one that {@link parseSnapshot} has read, with some fields changed. All else stays, also fields that
 * nobody here knows: another program may rely on them. Texts of the same content are the same, whatever order the stored one had.
 */
export function changeSnapshot(text: Buffer, changes: SnapshotChanges): Buffer {
  const stored = JSON.parse(text.toString('utf8')) as Record<string, unknown>;
  const fields = { ...stored, ...changes };
  if (changes.summary) fields.summary = { ...noSummary, ...(stored.summary as object | null | undefined), ...changes.summary };
  const others = Object.entries(fields).filter(([name]) => !fieldNames.some((each) => each === name));
  return Buffer.from(JSON.stringify(Object.fromEntries([...knownFields(fields), ...others])));
}

const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string');
const textOr = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const textsOr = (value: unknown): string[] | undefined => (isTexts(value) && value.length > 0 ? value : undefined);
const countOr = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;

/** Figures that are not numbers count as 0: nothing but what a person is told depends on them. */
function summaryOr(value: unknown): SnapshotSummary | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const raw = value as Partial<Record<keyof SnapshotSummary, unknown>>;
  const count = (name: keyof SnapshotSummary): number => countOr(raw[name]) ?? 0;
  return {
    backup_start: textOr(raw.backup_start) ?? '',
    backup_end: textOr(raw.backup_end) ?? '',
    files_new: count('files_new'),
    files_changed: count('files_changed'),
    files_unmodified: count('files_unmodified'),
    dirs_new: count('dirs_new'),
    dirs_changed: count('dirs_changed'),
    dirs_unmodified: count('dirs_unmodified'),
    data_blobs: count('data_blobs'),
    tree_blobs: count('tree_blobs'),
    data_added: count('data_added'),
    data_added_packed: count('data_added_packed'),
    total_files_processed: count('total_files_processed'),
    total_bytes_processed: count('total_bytes_processed'),
  };
}

/** A stored snapshot. Unknown fields are ignored. Throws `snapshot-invalid` when time or tree are not there. */
export function parseSnapshot(id: string, text: Buffer): Snapshot {
  const invalid = (cause: string): HoldfastError => new HoldfastError('snapshot-invalid', { snapshot: id, cause });
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(text.toString('utf8')) as Record<string, unknown>;
  } catch {
    throw invalid('it is not JSON');
  }
  const { time, tree, paths, summary } = raw ?? {};
  if (typeof time !== 'string' || Number.isNaN(Date.parse(time))) throw invalid('its time is not one');
  if (!isId(tree)) throw invalid('its tree is not an ID');
  return {
    id,
    time,
    parent: isId(raw.parent) ? raw.parent : undefined,
    tree,
    paths: isTexts(paths) ? paths : [],
    hostname: textOr(raw.hostname),
    username: textOr(raw.username),
    uid: countOr(raw.uid),
    gid: countOr(raw.gid),
    excludes: textsOr(raw.excludes),
    tags: textsOr(raw.tags),
    original: textOr(raw.original),
    program_version: textOr(raw.program_version),
    summary: summaryOr(summary),
  };
}
