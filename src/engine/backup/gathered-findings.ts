/** What all workers' scans have found for the journal. */
import { splitList } from '../../platform/byte-list.ts';
import type { EntryCount, ScanFindings } from './scan-task.ts';

export class GatheredFindings {
  visited = 0;
  hasNewLinks = false;
  readonly before: EntryCount = { files: 0, dirs: 0, bytes: 0 };
  /** Trees of the parent snapshot. */
  readonly gone: Uint8Array[] = [];
  readonly missed: Buffer[] = [];
  /** As latin1: a folder whose names were shared out is told of by each that looked at some. */
  readonly linked = new Set<string>();

  add({ visited, hasNewLinks, before, gone, linked, missed }: ScanFindings): void {
    this.visited += visited;
    if (hasNewLinks) this.hasNewLinks = true;
    for (const name of ['files', 'dirs', 'bytes'] as const) this.before[name] += before[name];
    for (const tree of splitList(gone)) this.gone.push(tree);
    for (const folder of splitList(linked)) this.linked.add(folder.toString('latin1'));
    for (const folder of splitList(missed)) this.missed.push(Buffer.from(folder));
  }
}
