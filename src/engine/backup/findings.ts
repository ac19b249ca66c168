/** The worker's notes for the journal while it scans: what was where it looks, what is gone, and what nobody had told of. */
import { joinList } from '../../platform/byte-list.ts';
import type { Node } from '../../repository/tree/node.ts';
import type { ParentFolder } from './parent-folder.ts';
import type { ScanFindings } from './scan-task.ts';

export class Findings {
  visited = 0;
  hasNewLinks = false;
  readonly before = { files: 0, dirs: 0, bytes: 0 };
  readonly gone: Uint8Array[] = [];
  readonly linked: Uint8Array[] = [];
  readonly missed: Uint8Array[] = [];

  /** All that the parent's tree of a folder holds, whose entries have `names` (ascending) now. Throws `tree-invalid`. */
  countFolder(parent: ParentFolder, names: readonly Buffer[]): void {
    let next = 0;
    parent.forAll((node) => {
      this.countEntry(node);
      while (next < names.length && names[next].compare(node.name) < 0) next += 1;
      if (next >= names.length || !names[next].equals(node.name)) this.lose(node);
    });
  }

  /** An entry of the parent's tree. */
  countEntry({ type, size }: Node): void {
    if (type === 'dir') this.before.dirs += 1;
    else if (type === 'file') {
      this.before.files += 1;
      this.before.bytes += size;
    }
  }

  /** What the parent has under this name is no folder of the backup any more. */
  lose({ subtree }: Node): void {
    if (subtree) this.gone.push(new Uint8Array(subtree));
  }

  result(): ScanFindings {
    const { visited, before, hasNewLinks } = this;
    return {
      visited,
      before,
      hasNewLinks,
      gone: joinList(this.gone),
      linked: joinList(this.linked),
      missed: joinList(this.missed),
    };
  }
}
