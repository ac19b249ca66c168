/**
 * Whether an update is what its makers have published. The manifest's SHA-512 sums keep a download whole; that the manifest itself is
 * theirs is proved by a signature of their own (Ed25519), so that whoever takes over the place where updates lie cannot put a program on
 * anybody's computer. Pure.
 *
 * Signed is the text of {@link signedText}: the version, and every file with its sum and size. scripts/sign-update.mjs makes it.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { fail } from '../../src/contract/errors.ts';

export const manifestSchema = z.object({
  version: z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/),
  files: z
    .array(
      z.object({
        url: z.string().regex(/^[\w.-]+$/),
        /** Base64 of 64 bytes. */
        sha512: z.string().regex(/^[A-Za-z0-9+/]{86}==$/),
        size: z.int().nonnegative(),
      }),
    )
    .min(1),
});
export type Manifest = z.infer<typeof manifestSchema>;
const signedSchema = manifestSchema.extend({ signature: z.string().regex(/^[A-Za-z0-9+/]{86}==$/) });

/** What is signed. One line each, in the manifest's order; none of the parts can hold a space or a line break. */
export const signedText = ({ version, files }: Manifest): string =>
  ['holdfast-update-1', version, ...files.map(({ url, sha512, size }) => `${sha512} ${size} ${url}`), ''].join('\n');

export interface Expected {
  /** PEM. */
  readonly publicKey: string;
  /** The version that runs. */
  readonly current: string;
  /** The newest that was ever offered with a right signature. */
  readonly newestSeen: string | undefined;
}

/**
 * @param manifest as it was loaded
 * @returns undefined when it offers nothing newer than what runs
 * @throws update-refused
 */
export function checkManifest(manifest: unknown, { publicKey, current, newestSeen }: Expected): Manifest | undefined {
  const parsed = signedSchema.safeParse(manifest);
  if (!parsed.success) return fail('update-refused', { cause: 'its description is malformed, or not signed' });
  const { signature, ...rest } = parsed.data;
  const key = createPublicKey(publicKey);
  const isTheirs =
    key.asymmetricKeyType === 'ed25519' && verify(null, Buffer.from(signedText(rest)), key, Buffer.from(signature, 'base64'));
  if (!isTheirs) return fail('update-refused', { cause: 'its signature is not that of Holdfast' });
  // An old one, signed when it was new, would bring old holes back.
  if (newestSeen !== undefined && compareVersions(rest.version, newestSeen) < 0)
    return fail('update-refused', { cause: `version ${rest.version} is offered after version ${newestSeen}` });
  return compareVersions(rest.version, current) > 0 ? rest : undefined;
}

/** That a file is one of those that were signed; it may have been replaced since it was loaded. Throws `update-refused`. */
export async function checkDownload(file: string, { files }: Manifest): Promise<void> {
  const hash = createHash('sha512');
  let size = 0;
  for await (const piece of createReadStream(file)) {
    hash.update(piece as Buffer);
    size += (piece as Buffer).length;
  }
  const sum = hash.digest('base64');
  if (!files.some((each) => each.sha512 === sum && each.size === size))
    fail('update-refused', { cause: 'what was loaded is not what was signed' });
}

/** Below zero when `a` is the older one. Of the form 1.2.3. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (let i = 0; i < 3; i++) if (left[i] !== right[i]) return left[i] - right[i];
  return 0;
}
