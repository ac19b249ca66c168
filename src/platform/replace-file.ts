/** Small files of which always a whole one is there. */
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';

/** Writes a file that only its owner may read, or replaces it; its content is on the disk before it has the name. Throws what the system does. */
export function replaceFile(file: string | Buffer, text: string): void {
  const growing = Buffer.concat([Buffer.from(file), Buffer.from('.tmp')]);
  const fd = openSync(growing, 'w', 0o600);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(growing, file);
}
