/** Sets and reads attributes and times of its own files over and over, then tells what went wrong, if anything did. */
import { lstatSync, writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { getXattr, listXattrs, makeFifo, setIoPriorityIdle, setTimes, setXattr } from '../../src/platform/posix.ts';
import type { PosixError } from '../../src/platform/posix-error.ts';

const { folder, index } = workerData as { folder: string; index: number };
const failures: string[] = [];
setIoPriorityIdle();
for (let i = 0; i < 200; i++) {
  const file = Buffer.from(`${folder}/${index}-${i}`);
  const value = Buffer.from(`${index}:${i}`);
  const mtimeNs = BigInt(index) * 1_000_000_000_000n - BigInt(i) - 5_000_000_000_000n;
  writeFileSync(file, '');
  if (listXattrs(file).length !== 0) failures.push(`${i}: attributes of a new file`);
  setXattr(file, Buffer.from('user.thread'), value);
  setTimes(file, { atimeNs: -mtimeNs, mtimeNs });
  const { atimeNs, mtimeNs: readNs } = lstatSync(file, { bigint: true });
  if (readNs !== mtimeNs || atimeNs !== -mtimeNs) failures.push(`${i}: times`);
  if (!getXattr(file, Buffer.from('user.thread'))?.equals(value)) failures.push(`${i}: value`);
  // Each thread provokes another error, so that a shared error number would show.
  const [bad, code] = (
    [
      [`${folder}/none/x`, 'ENOENT'],
      [folder, 'EEXIST'],
      [`${folder}/${index}-0/x`, 'ENOTDIR'],
    ] as const
  )[index % 3] as readonly [string, string];
  try {
    makeFifo(Buffer.from(bad), 0o600);
    failures.push(`${i}: no error`);
  } catch (thrown) {
    if ((thrown as PosixError).code !== code) failures.push(`${i}: ${(thrown as PosixError).code} for ${code}`);
  }
}
parentPort?.postMessage(failures);
