/** Turns what the jobs found into findings, and names the files that are harmed. */
import type { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { TreeProblem } from '../trees/mark-job.ts';
import type { JobRunner } from '../workers/pool.ts';
import type { DraftFinding, FindingCode, Findings } from './finding.ts';
import { type IndexSurvey, recordKind, recordsOf } from './index-survey.ts';
import type { PackDamage } from './pack-job.ts';
import { asked, pathsForEach } from './paths-job.ts';

export class DamageReport {
  readonly #index: BlobIndex;
  readonly #survey: IndexSurvey;
  readonly #best: Uint32Array;
  /** For each record that lookups give: 1 when a snapshot needs its blob. */
  readonly #marks: Uint8Array;
  readonly #findings: Findings;
  /** For each record what is asked about it; on shared memory, made when the first damage is found. */
  #wanted: Uint8Array<SharedArrayBuffer> | undefined;
  /** Findings by the keys of findPaths. */
  readonly #drafts = new Map<string, DraftFinding>();
  readonly #missing: string[] = [];

  constructor(index: BlobIndex, survey: IndexSurvey, best: Uint32Array, marks: Uint8Array, findings: Findings) {
    this.#index = index;
    this.#survey = survey;
    this.#best = best;
    this.#marks = marks;
    this.#findings = findings;
  }

  /**
   * A pack that the storage does not hold as the index describes it. `what` continues a sentence about it. When no snapshot needs
   * anything that lies nowhere else, this is only a warning.
   */
  addUnfitPack(pack: number, code: FindingCode, what: string): void {
    const { primary, packOf } = this.#survey;
    const needed = recordsOf(this.#survey, pack).some(
      (record) => this.#marks[primary[record]] === 1 && packOf[this.#best[primary[record]]] === pack,
    );
    if (needed) {
      this.addPack(pack, code, what);
      return;
    }
    const id = this.#index.packId(pack).toString('hex');
    const message = `Pack ${id.slice(0, 8)} ${what}, but nothing in it is needed or all of it is stored elsewhere. A prune tidies up.`;
    this.#findings.add('warning', code, message, { pack: id });
  }

  /** `what` continues a sentence about the pack. */
  addPack(pack: number, code: FindingCode, what: string): void {
    const id = this.#index.packId(pack).toString('hex');
    const draft = this.#findings.add('error', code, `Pack ${id.slice(0, 8)} ${what}.`, { pack: id });
    const key = `p${pack}`;
    if (!draft || this.#drafts.has(key)) return;
    this.#drafts.set(key, draft);
    const { primary, packOf } = this.#survey;
    const wanted = this.#asking();
    for (const record of recordsOf(this.#survey, pack)) {
      const known = primary[record];
      if (wanted[known] === asked.nothing && packOf[this.#best[known]] === pack) wanted[known] = asked.pack;
    }
  }

  addTreeProblem({ kind, type, blob, cause }: TreeProblem): void {
    if (kind === 'unreadable') {
      this.#addBlob(this.#best[this.#index.entryOf(bytesOfId(blob), 0, type)], cause);
      return;
    }
    const what = type === 'tree' ? 'Folder listing' : 'Piece of data';
    const draft = this.#findings.add('error', 'blob-missing', `${what} ${blob.slice(0, 8)} is missing: ${cause}.`, { blob });
    if (!draft) return;
    const key = `${type} ${blob}`;
    this.#drafts.set(key, draft);
    this.#missing.push(key);
  }

  addPackDamage({ pack, kind, record, cause }: PackDamage): void {
    if (kind === 'blob') this.#addBlob(record, cause);
    else if (kind === 'header') this.addPack(pack, 'pack-header', `and the index do not agree: ${cause}`);
    else if (kind === 'name') this.#addWithoutPaths(pack, `is damaged: ${cause}`);
    else this.addPack(pack, 'pack-damaged', `cannot be read: ${cause}`);
  }

  /** Names files for all findings: walks from the newest snapshot to the oldest, as they are given. */
  async findPaths(pool: JobRunner, snapshots: readonly Snapshot[]): Promise<void> {
    if (this.#drafts.size === 0) return;
    const wanted = this.#asking();
    const seen = new Uint8Array(new SharedArrayBuffer(wanted.length));
    const missing = this.#missing;
    const best = this.#best;
    const { packOf } = this.#survey;
    const jobs = snapshots.map(async ({ tree, id }) => {
      const root = this.#index.entryOf(bytesOfId(tree), 0, 'tree');
      const found = await pool.run('findPaths', { root, seen, wanted, packOf, best, missing });
      if (root < 0) found.push({ key: `tree ${tree}`, path: `/ (snapshot ${id.slice(0, 8)})` });
      return found;
    });
    for (const { key, path } of (await Promise.all(jobs)).flat()) {
      const paths = this.#drafts.get(key)?.paths;
      if (paths && paths.length < pathsForEach && !paths.includes(path)) paths.push(path);
    }
  }

  /** Which blobs are harmed is told by findings of their own. */
  #addWithoutPaths(pack: number, what: string): void {
    const id = this.#index.packId(pack).toString('hex');
    this.#findings.add('error', 'pack-damaged', `Pack ${id.slice(0, 8)} ${what}.`, { pack: id });
  }

  #addBlob(record: number, cause: string): void {
    const { kinds, packOf, primary } = this.#survey;
    const known = primary[record];
    const key = `b${known}`;
    if (this.#drafts.has(key)) return;
    const isTree = (kinds[record] & recordKind.tree) !== 0;
    const blob = this.#index.idAt(record).toString('hex');
    const pack = this.#index.packId(packOf[record]).toString('hex');
    const what = isTree ? 'Folder listing' : 'Piece of data';
    const message = `${what} ${blob.slice(0, 8)} in pack ${pack.slice(0, 8)} is damaged: ${cause}.`;
    const draft = this.#findings.add('error', isTree ? 'tree-damaged' : 'blob-damaged', message, { blob, pack });
    if (!draft) return;
    this.#drafts.set(key, draft);
    this.#asking()[known] = asked.blob;
  }

  #asking(): Uint8Array<SharedArrayBuffer> {
    this.#wanted ??= new Uint8Array(new SharedArrayBuffer(this.#survey.primary.length));
    return this.#wanted;
  }
}
