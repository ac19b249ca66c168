/**
 * Key files: the repository's master key, locked with a password. A repository may have several passwords, one a file.
 * See restic's design document, "Keys, Encryption and MAC".
 */
import { randomBytes, scrypt } from 'node:crypto';
import { HoldfastError, hasCode } from '../contract/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { type MasterKey, Sealer } from './crypto.ts';
import type { Kernel } from './kernel/kernel.ts';
import { localTime } from './tree/go-time.ts';

export interface KeyFile {
  readonly created: string;
  readonly username: string;
  readonly hostname: string;
  readonly kdf: 'scrypt';
  readonly N: number;
  readonly r: number;
  readonly p: number;
  /** Base64. */
  readonly salt: string;
  /** Base64: the sealed master key. */
  readonly data: string;
}

/** Cost of scrypt: `N` and `p` are raised by calibration, `r` stays 8. See RFC 7914. */
export interface KeyCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

export const leastCost: KeyCost = { N: 1 << 15, r: 8, p: 1 };
/** 128 MiB of memory at r = 8: what every machine can spare for a moment. */
const largestN = 1 << 17;
const targetMs = 250;
const saltBytes = 64;

const derive = (password: string, salt: Uint8Array, { N, r, p }: KeyCost): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const done = (error: Error | null, key: Buffer): void => (error ? reject(error) : resolve(key));
    scrypt(password, salt, 64, { N, r, p, maxmem: 128 * N * r + 128 * r * p + (1 << 20) }, done);
  });

/** The cost that takes about 250 ms on this machine, never less than {@link leastCost}. */
export async function calibrate(clock: Clock): Promise<KeyCost> {
  const salt = Buffer.alloc(64);
  const began = clock.monotonic();
  await derive('calibration', salt, leastCost);
  const once = Math.max(1, clock.monotonic() - began);
  let { N } = leastCost;
  let expected = once;
  while (N < largestN && expected * 2 <= targetMs * 1.2) {
    N *= 2;
    expected *= 2;
  }
  return { N, r: leastCost.r, p: Math.min(16, Math.max(1, Math.floor(targetMs / expected))) };
}

/** Throws `password-empty`: whoever reads such a repository's files could open it. */
export function refuseEmpty(password: string): void {
  if (password === '') throw new HoldfastError('password-empty');
}

const keyFrom64 = (bytes: Buffer): MasterKey => ({
  encrypt: bytes.subarray(0, 32),
  macK: bytes.subarray(32, 48),
  macR: bytes.subarray(48, 64),
});

/** Room for the JSON of a master key. */
const keyTextBytes = 4096;

export interface KeyOwner {
  readonly username: string;
  readonly hostname: string;
}

/** A key file that opens `master` with `password`, as the bytes to store. Throws `password-empty`. */
export async function lockKey(
  master: MasterKey,
  password: string,
  owner: KeyOwner,
  cost: KeyCost,
  kernel: Kernel,
  clock: Clock,
): Promise<Buffer> {
  refuseEmpty(password);
  const salt = randomBytes(saltBytes);
  const sealer = new Sealer(keyFrom64(await derive(password, salt, cost)), kernel, keyTextBytes);
  const text = JSON.stringify({
    mac: { k: Buffer.from(master.macK).toString('base64'), r: Buffer.from(master.macR).toString('base64') },
    encrypt: Buffer.from(master.encrypt).toString('base64'),
  });
  const data = Buffer.alloc(text.length + 32);
  sealer.seal(Buffer.from(text), data, 0);
  const file: KeyFile = {
    created: localTime.format(BigInt(Math.round(clock.now())) * 1_000_000n),
    username: owner.username,
    hostname: owner.hostname,
    kdf: 'scrypt',
    N: cost.N,
    r: cost.r,
    p: cost.p,
    salt: salt.toString('base64'),
    data: data.toString('base64'),
  };
  return Buffer.from(JSON.stringify(file));
}

/** The fields of a key file. Throws `key-invalid`, also for a cost that would take this machine's memory or hours. */
export function parseKeyFile(bytes: Uint8Array): KeyFile {
  let file: Partial<KeyFile>;
  try {
    file = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<KeyFile>;
  } catch (error) {
    throw new HoldfastError('key-invalid', { cause: 'it is not JSON' }, { cause: error });
  }
  const { N, r, p, kdf, salt, data } = file ?? {};
  const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value > 0;
  if (kdf !== 'scrypt' || typeof salt !== 'string' || typeof data !== 'string' || !isCount(N) || !isCount(r) || !isCount(p))
    throw new HoldfastError('key-invalid', { cause: 'a field is missing' });
  // scrypt takes 128·r·(N + p) bytes and a time that grows with N·r·p.
  if (N < 2 || (N & (N - 1)) !== 0 || 128 * r * (N + p) > 1 << 30 || N * r * p > 1 << 27)
    throw new HoldfastError('key-invalid', { cause: 'its cost is absurd' });
  if (Buffer.from(salt, 'base64').length !== saltBytes) throw new HoldfastError('key-invalid', { cause: 'its salt has another length' });
  const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    created: textOf(file.created),
    username: textOf(file.username),
    hostname: textOf(file.hostname),
    kdf,
    N,
    r,
    p,
    salt,
    data,
  };
}

/** The master key inside a key file, or undefined when the password is not this key's. Throws `key-invalid`. */
export async function unlockKey(file: KeyFile, password: string, kernel: Kernel): Promise<MasterKey | undefined> {
  const sealer = new Sealer(keyFrom64(await derive(password, Buffer.from(file.salt, 'base64'), file)), kernel, keyTextBytes);
  let text: Buffer;
  try {
    text = Buffer.from(sealer.open(Buffer.from(file.data, 'base64')));
  } catch (error) {
    if (hasCode(error, 'item-tampered')) return undefined;
    throw error;
  }
  try {
    const { mac, encrypt } = JSON.parse(text.toString('utf8')) as { mac: { k: string; r: string }; encrypt: string };
    const key = { encrypt: Buffer.from(encrypt, 'base64'), macK: Buffer.from(mac.k, 'base64'), macR: Buffer.from(mac.r, 'base64') };
    if (key.encrypt.length === 32 && key.macK.length === 16 && key.macR.length === 16) return key;
  } catch (error) {
    throw new HoldfastError('key-invalid', { cause: 'its content is not a key' }, { cause: error });
  }
  throw new HoldfastError('key-invalid', { cause: 'its content is not a key' });
}
