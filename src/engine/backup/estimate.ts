/**
 * How much a backup has before it: counts files and bytes by names and sizes alone, so that progress can say how far it is
 * and how long it will take. It decides nothing; what cannot be looked at is not counted.
 */
import { lstatSync, readdirSync } from 'node:fs';
import { joinPath } from '../../platform/byte-paths.ts';
import type { WorkerContext } from '../workers/context.ts';
import { createExcluder, type FolderExcluder } from './exclude.ts';
import { isTooLarge } from './exclude-facts.ts';
import { createTagFinder } from './exclude-tags.ts';
import type { ScanOptions } from './scan-task.ts';

export interface EstimateTask extends Omit<ScanOptions, 'visits'> {
  readonly sources: readonly Uint8Array[];
}

export interface Estimate {
  readonly files: number;
  readonly bytes: number;
}

/** Job: see the top of this file. */
export function estimate({ rules, leftOut, sources }: EstimateTask, context: WorkerContext): Estimate {
  const tags = rules.tags.length > 0 ? createTagFinder(rules.tags, () => {}) : undefined;
  let files = 0;
  let bytes = 0;
  const folders: { path: Buffer; excluder: FolderExcluder; device: bigint }[] = [];
  const meet = (path: Buffer, excluder: () => FolderExcluder, device: bigint | undefined): void => {
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (!stat) return;
    if (stat.isFile() && !isTooLarge(rules.largerThan, Number(stat.size), false)) {
      files += 1;
      bytes += Number(stat.size);
    }
    if (!stat.isDirectory() || leftOut.some(({ device: dev, inode }) => inode === stat.ino && dev === stat.dev)) return;
    if (device !== undefined && rules.oneFileSystem && stat.dev !== device) return;
    folders.push({ path, excluder: excluder(), device: device ?? stat.dev });
  };
  for (const source of sources) {
    const path = Buffer.from(source);
    meet(path, () => createExcluder(rules, path).root, undefined);
  }
  for (let folder = folders.pop(); folder; folder = folders.pop()) {
    context.control.checkpoint();
    const { path, excluder, device } = folder;
    try {
      const isLeftOut = tags?.find(path);
      for (const entry of readdirSync(path, { encoding: 'buffer', withFileTypes: true })) {
        const name = entry.name as unknown as Buffer;
        if (isLeftOut?.(name) || excluder.excludes(name, entry.isDirectory())) continue;
        meet(joinPath(path, name), () => excluder.enter(name), device);
      }
    } catch {
      // The backup itself meets the same folder and reports it.
    }
  }
  return { files, bytes };
}
