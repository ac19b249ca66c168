/** What a restore, an undo or a mirror does, for people and for programs. */
import type { PlannedEntry, RestoreProblem, WalkFigures } from '../engine/restore/walk-task.ts';
import { displayPath } from '../platform/byte-paths.ts';
import { type Output, pathFields } from './output.ts';
import { counted, formatBytes } from '../platform/sizes.ts';

export function showEntry(output: Output, { path, other, type, action, size, existingSize }: PlannedEntry): void {
  const isFile = type === 'file' && action !== 'delete';
  const beside = other === undefined ? '' : ` as ${displayPath(Buffer.from(other))}`;
  output.lines(
    `${action.padEnd(8)} ${displayPath(Buffer.from(path))}${type === 'dir' ? '/' : ''}${isFile ? ` (${formatBytes(size)})` : ''}${beside}`,
  );
  const otherFields = other === undefined ? undefined : pathFields(other);
  output.object('entry', {
    ...pathFields(path),
    kind: type,
    action,
    size,
    ...(existingSize === undefined ? {} : { existingSize }),
    ...(otherFields === undefined
      ? {}
      : { other: otherFields.path, ...(otherFields.pathBytes === undefined ? {} : { otherBytes: otherFields.pathBytes }) }),
  });
}

/** What was done, or with `to` what is to be done. */
export function figuresText({ create, replace, beside, same, keep, delete: deleted, bytes }: WalkFigures, to = ''): string {
  const parts = [`${counted(create, 'item')} ${to}create`];
  if (to === '') parts[0] = `${counted(create, 'item')} created`;
  const add = (count: number, plain: string, past: string): void => {
    if (count > 0) parts.push(`${counted(count, 'item')} ${to === '' ? past : `${to}${plain}`}`);
  };
  add(replace, 'replace', 'replaced');
  add(beside, 'restore beside another', 'restored beside another');
  add(deleted, 'delete', 'deleted');
  if (same > 0) parts.push(`${counted(same, 'item')} the same already`);
  if (keep > 0) parts.push(`${counted(keep, 'item')} left as they were`);
  return `${parts.join(', ')}; ${formatBytes(bytes)} ${to === '' ? 'written' : `${to}write`}`;
}

export function reportProblems(output: Output, problems: readonly RestoreProblem[]): void {
  const words: Readonly<Record<RestoreProblem['kind'], string>> = {
    damaged: 'was not restored: the repository lacks data of it',
    failed: 'was not restored',
    metadata: 'was restored, but not all of its properties could be set',
    differs: 'was restored, but is not what the snapshot holds',
  };
  for (const { path, kind, detail } of problems)
    output.problem({ path, kind, detail: `${words[kind]}${detail === '' ? '' : ` (${detail})`}` });
}
