/**
 * What the service has said, for a look back: `logs/service.log` in the profile, one line each, and some older files beside it. Nothing
 * secret is ever said. That nothing can be written there keeps nobody from anything.
 */
import { appendFileSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../platform/clock.ts';
import { localTime } from '../repository/tree/go-time.ts';

/** Bytes after which a new file is begun, and how many older ones are kept. */
const fullBytes = 1 << 20;
const keptFiles = 4;

export class LogFile {
  readonly #file: string;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(profileFolder: string, clock: Pick<Clock, 'now'>) {
    this.#file = join(profileFolder, 'logs', 'service.log');
    this.#clock = clock;
  }

  write(text: string): void {
    const time = localTime.format(BigInt(this.#clock.now()) * 1_000_000n).slice(0, 19);
    try {
      mkdirSync(join(this.#file, '..'), { recursive: true, mode: 0o700 });
      if ((statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0) >= fullBytes) this.#rotate();
      appendFileSync(this.#file, `${time} ${text.replaceAll(/\s+/g, ' ').slice(0, 10_000)}\n`, { mode: 0o600 });
    } catch {
      // A full disk, mostly.
    }
  }

  #rotate(): void {
    rmSync(`${this.#file}.${keptFiles}`, { force: true });
    for (let i = keptFiles - 1; i >= 0; i--) {
      const from = i === 0 ? this.#file : `${this.#file}.${i}`;
      if (statSync(from, { throwIfNoEntry: false })) renameSync(from, `${this.#file}.${i + 1}`);
    }
  }
}
