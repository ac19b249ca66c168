/** Folders on the server: making them, and having their entries put on the disk. */
import type { Handle, SftpChannel } from './channel.ts';
import { isMissing, StatusError } from './status.ts';

/** As restic makes them. */
const folderMode = 0o700;

/** Whether a folder, or whatever else, is at a path. */
export async function exists(channel: SftpChannel, path: string): Promise<boolean> {
  try {
    await channel.factsAt(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Makes a folder in one that is there; false when it is there already. Throws the server's answer. */
export async function makeFolder(channel: SftpChannel, path: string): Promise<boolean> {
  try {
    await channel.makeFolder(path, folderMode);
    return true;
  } catch (error) {
    if (!(error instanceof StatusError) || isMissing(error)) throw error;
    // Servers say no more than that it failed.
    const facts = await channel.factsAt(path).catch(() => undefined);
    if (facts?.isFolder) return false;
    throw error;
  }
}

/** Makes a folder and those above it. Resolves to those that hold a new entry, the lowest first. */
export async function makeFolders(channel: SftpChannel, path: string): Promise<string[]> {
  try {
    return (await makeFolder(channel, path)) ? [parentOf(path)] : [];
  } catch (error) {
    const parent = parentOf(path);
    if (!isMissing(error) || parent === path) throw error;
    const above = await makeFolders(channel, parent);
    return (await makeFolder(channel, path)) ? [parent, ...above] : above;
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  if (slash < 0) return '.';
  return slash === 0 ? '/' : path.slice(0, slash);
}

/** A folder that is open, so that it can be put on the disk when the work in it is done. */
export interface PendingSync {
  /** Once; does nothing a second time. */
  finish(): Promise<void>;
  /** It is not wanted any more, or was done. */
  drop(): void;
}

/**
 * Has the server put the entries of folders on its disk. There is no request for that; yet OpenSSH opens a folder as if it were a
 * file, and then takes the request for files. With servers that do not, a power cut of theirs may take back a name.
 */
export class FolderSync {
  #isPossible = true;

  /** Opens the folder while something else is done in it. */
  begin(channel: SftpChannel, folder: string): PendingSync {
    if (!this.#isPossible) return { finish: async () => {}, drop: () => {} };
    let opened: Promise<Handle | undefined> | undefined = channel.openToRead(folder).catch((error: unknown) => {
      // One that is not there is met by what is done in it, too.
      if (error instanceof StatusError && !isMissing(error)) this.#isPossible = false;
      return undefined;
    });
    const take = (): Promise<Handle | undefined> | undefined => {
      const taken = opened;
      opened = undefined;
      return taken;
    };
    // Nobody waits for the answer.
    const close = (handle: Handle | undefined): void => {
      if (handle) channel.close(handle).catch(() => {});
    };
    return {
      finish: async () => {
        const handle = await take();
        if (handle === undefined) return;
        try {
          if (!(await channel.sync(handle))) this.#isPossible = false;
        } finally {
          close(handle);
        }
      },
      drop: () => void take()?.then(close),
    };
  }

  async sync(channel: SftpChannel, folder: string): Promise<void> {
    await this.begin(channel, folder).finish();
  }
}
