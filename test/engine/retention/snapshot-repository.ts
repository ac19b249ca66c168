/**
 * Writes a restic repository that holds nothing but snapshots, any number in no time: the judge's `forget` reads no more. Independent
 * of Holdfast's own repository code on purpose. The key's scrypt is weak, so that each run of restic starts at once.
 */
import { createCipheriv, createHash, randomBytes, scryptSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { poly1305 } from '@noble/ciphers/_poly1305.js';
import type { RetentionSnapshot } from '../../../src/engine/retention.ts';

interface Key {
  readonly encrypt: Buffer;
  readonly k: Buffer;
  readonly r: Buffer;
}

/** `IV ‖ AES-256-CTR ‖ Poly1305-AES(ciphertext)`. */
function seal(key: Key, plain: Buffer): Buffer {
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-ctr', key.encrypt, iv);
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  const block = createCipheriv('aes-128-ecb', key.k, null).setAutoPadding(false);
  const pad = Buffer.concat([block.update(iv), block.final()]);
  const mac = poly1305(ciphertext, Buffer.concat([key.r, pad]));
  return Buffer.concat([iv, ciphertext, mac]);
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function store(folder: string, bytes: Buffer): string {
  const id = sha256(bytes);
  writeFileSync(join(folder, id), bytes);
  return id;
}

/** Creates the repository in the empty folder `dir` and returns the snapshots with the IDs that they got. */
export function writeSnapshotRepository(
  dir: string,
  password: string,
  snapshots: readonly Omit<RetentionSnapshot, 'id'>[],
): RetentionSnapshot[] {
  for (const name of ['data', 'index', 'keys', 'locks', 'snapshots']) mkdirSync(join(dir, name));
  const salt = randomBytes(64);
  const derived = scryptSync(password, salt, 64, { N: 2, r: 8, p: 1 });
  const user: Key = { encrypt: derived.subarray(0, 32), k: derived.subarray(32, 48), r: derived.subarray(48) };
  const master: Key = { encrypt: randomBytes(32), k: randomBytes(16), r: randomBytes(16) };
  const masterJson = {
    mac: { k: master.k.toString('base64'), r: master.r.toString('base64') },
    encrypt: master.encrypt.toString('base64'),
  };
  const key = {
    created: '2020-01-01T00:00:00Z',
    username: 'u',
    hostname: 'h',
    kdf: 'scrypt',
    N: 2,
    r: 8,
    p: 1,
    salt: salt.toString('base64'),
    data: seal(user, Buffer.from(JSON.stringify(masterJson))).toString('base64'),
  };
  store(join(dir, 'keys'), Buffer.from(JSON.stringify(key)));
  const config = { version: 2, id: randomBytes(32).toString('hex'), chunker_polynomial: '3da3358b4dc173' };
  writeFileSync(join(dir, 'config'), seal(master, Buffer.from(JSON.stringify(config))));
  return snapshots.map((snapshot) => {
    const { time, hostname, paths, tags } = snapshot;
    const json = { time, tree: '0'.repeat(63) + '1', paths, hostname, tags: tags?.length ? tags : undefined };
    return { ...snapshot, id: store(join(dir, 'snapshots'), seal(master, Buffer.from(JSON.stringify(json)))) };
  });
}
