/** How the service that runs is reached: a file for its person's eyes only, made anew by each service. */
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { fail } from '../contract/errors.ts';
import type { Profile } from './profile.ts';

const accessSchema = z.object({
  pid: z.int(),
  version: z.string(),
  protocol: z.int(),
  socket: z.string(),
  /** Said by whoever connects: on some systems others can reach the socket, too. */
  token: z.string().min(32),
  /** Of its interface in a browser, with the token of that; none: it has no such interface. */
  addresses: z.array(z.string()).default([]),
});
export type Access = z.infer<typeof accessSchema>;

/** Undefined when there is none that can be read: no service has run, or one was stopped. */
export function readAccess({ accessFile }: Profile): Access | undefined {
  try {
    return accessSchema.safeParse(JSON.parse(readFileSync(accessFile, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Throws `service-not-started`. */
export function writeAccess({ accessFile }: Profile, access: Access): void {
  const temporary = `${accessFile}.tmp`;
  try {
    rmSync(temporary, { force: true });
    writeFileSync(temporary, JSON.stringify(access), { mode: 0o600, flag: 'wx' });
    chmodSync(temporary, 0o600);
    renameSync(temporary, accessFile);
  } catch (error) {
    fail('service-not-started', { cause: (error as Error).message }, error);
  }
}

export function removeAccess({ accessFile }: Profile): void {
  rmSync(accessFile, { force: true });
}
