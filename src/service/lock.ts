/** Sees to it that a profile has one service. */
import { DatabaseSync } from 'node:sqlite';
import { fail } from '../contract/errors.ts';
import { readAccess } from './access.ts';
import { asStateError } from './state/database.ts';
import type { Profile } from './profile.ts';

/** SQLITE_BUSY and SQLITE_LOCKED. */
const heldCodes = new Set([5, 6]);

/**
 * Takes the lock of the profile; it is given back by the returned function, or by the system when this process ends, however it does.
 * The lock is SQLite's on an empty database: the one lock on files that Node has on every system.
 * Throws `service-running` when another process holds it, `state-failed`.
 */
export function lockProfile(profile: Profile): () => void {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(profile.lockFile, { timeout: 0 });
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
    const held = database;
    return () => held.close();
  } catch (error) {
    database?.close();
    if (heldCodes.has(Number((error as { errcode?: number }).errcode) & 0xff))
      return fail('service-running', { pid: readAccess(profile)?.pid }, error);
    throw asStateError(error, profile.lockFile);
  }
}
