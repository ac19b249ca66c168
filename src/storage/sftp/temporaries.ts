/**
 * Temporary files: each has a name of its own, beside the file that it becomes, and is gone whatever comes of it, be it that the
 * next connection takes it away.
 */
import { randomBytes } from 'node:crypto';
import type { SftpChannel } from './channel.ts';
import { exists } from './folders.ts';
import { isMissing, StatusError } from './status.ts';

/** What a killed save leaves: the name of the file, then `-tmp-` and digits; restic's have `-restic-temp-`. */
const temporaryName = /^(config|[0-9a-f]{64})-(tmp|restic-temp)-[0-9a-f]+$/;

export const isTemporaryName = (name: string): boolean => temporaryName.test(name);

export class Temporaries {
  /** Those that could not be removed because the connection broke. */
  readonly #orphans = new Set<string>();

  /** Calls `work` with the path of a file that it may make, and makes sure that there is none if it fails. */
  async beside(channel: SftpChannel, final: string, work: (temporary: string) => Promise<void>): Promise<void> {
    const temporary = `${final}-tmp-${randomBytes(8).toString('hex')}`;
    try {
      await work(temporary);
    } catch (error) {
      await channel.remove(temporary).catch((why: unknown) => {
        if (!(why instanceof StatusError)) this.#orphans.add(temporary);
      });
      throw error;
    }
  }

  /** What an earlier connection has left behind when it broke. */
  async removeOrphans(channel: SftpChannel): Promise<void> {
    const orphans = [...this.#orphans];
    this.#orphans.clear();
    await Promise.all(
      orphans.map((path) =>
        channel.remove(path).catch((error: unknown) => {
          if (!(error instanceof StatusError)) this.#orphans.add(path);
        }),
      ),
    );
  }
}

/** Whether a hard link put the file in place; false where server or file system have none. */
export async function linkInPlace(channel: SftpChannel, temporary: string, final: string): Promise<boolean> {
  try {
    if (!(await channel.link(temporary, final))) return false;
  } catch (error) {
    if (!(error instanceof StatusError) || (await exists(channel, final))) throw error;
    return false;
  }
  await channel.remove(temporary).catch((error: unknown) => (isMissing(error) ? undefined : Promise.reject(error)));
  return true;
}
