/** What a person asks for, in the engine's words. */
import type { RestoreRequest as Wish } from '../../contract/restore-request.ts';
import type { RestoreRequest } from '../../engine/restore/plan.ts';
import type { WantedRequest } from '../../engine/restore/wanted.ts';
import { splitPath } from '../../platform/byte-paths.ts';
import { pathBytes } from '../../platform/path-text.ts';
import { absolutePath } from '../../engine/snapshot-path.ts';

const policies = { overwrite: 'always', 'keep-newer': 'if-newer', 'keep-both': 'keep-both', skip: 'never' } as const;

/** What is wanted of a snapshot: what the items share stands above, so that a target holds no long way down to them. */
export function wantedOf(snapshot: string, items: readonly string[]): WantedRequest {
  const paths = items.map((item) => splitPath(pathBytes(item)));
  if (paths.some((names) => names.length === 0)) return { snapshot };
  const above = paths[0]!.slice(0, -1);
  for (const names of paths) {
    let shared = 0;
    while (shared < above.length && shared < names.length - 1 && above[shared]!.equals(names[shared]!)) shared += 1;
    above.length = shared;
  }
  return { snapshot, path: absolutePath(above), items: paths.map(absolutePath) };
}

/** For a target that is no ZIP. `snapshot` is the ID on the destination that it is read from. */
export function engineRequest(snapshot: string, { items, target, conflicts }: Wish): RestoreRequest {
  const whole = items.some((item) => splitPath(pathBytes(item)).length === 0);
  const home = whole ? { snapshot } : { snapshot, items: items.map(pathBytes) };
  const wanted = target.kind === 'folder' ? wantedOf(snapshot, items) : home;
  return { ...wanted, target: target.kind === 'folder' ? target.path : undefined, overwrite: policies[conflicts], verify: true };
}
