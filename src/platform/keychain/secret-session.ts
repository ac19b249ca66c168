/**
 * How secrets cross the message bus: encrypted for one connection, so that whoever listens to the bus reads none. Source: the Secret
 * Service API of freedesktop.org, "Transfer of Secrets", algorithm dh-ietf1024-sha256-aes128-cbc-pkcs7.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

/** The Second Oakley Group of RFC 2409 (6.2); its generator is 2. Not every build of Node knows it by name. */
const prime = BigInt(
  `0x${[
    'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74',
    '020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437',
    '4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed',
    'ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff',
  ].join('')}`,
);
const generator = 2n;
const primeBytes = 128;
/** Of the private number: twice the strength of the group, and more. */
const exponentBytes = 32;

/** What the service is asked for. */
export const sessionAlgorithm = 'dh-ietf1024-sha256-aes128-cbc-pkcs7';

/** Our half of an agreement about a key. */
export class SessionOffer {
  readonly #exponent = numberOf(randomBytes(exponentBytes));

  /** What the service is told. */
  readonly publicNumber: Buffer = bytesOf(power(generator, this.#exponent));

  /** The key, by what the service answered. */
  agree(theirs: Uint8Array): SessionKey {
    const shared = bytesOf(power(numberOf(theirs), this.#exponent));
    // HKDF (RFC 5869) without salt and info; its first block is more than enough.
    const extracted = createHmac('sha256', Buffer.alloc(32)).update(shared).digest();
    return new SessionKey(createHmac('sha256', extracted).update(Buffer.of(1)).digest().subarray(0, 16));
  }
}

export class SessionKey {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  encrypt(secret: Uint8Array): { readonly iv: Buffer; readonly encrypted: Buffer } {
    const iv = randomBytes(16);
    const cipher = createCipheriv('aes-128-cbc', this.#key, iv);
    return { iv, encrypted: Buffer.concat([cipher.update(secret), cipher.final()]) };
  }

  /** Throws when it was not encrypted with this key. */
  decrypt(iv: Uint8Array, encrypted: Uint8Array): Buffer {
    const decipher = createDecipheriv('aes-128-cbc', this.#key, iv);
    return Buffer.concat([decipher.update(encrypted), decipher.final()]);
  }
}

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x0${Buffer.from(bytes).toString('hex')}`);

/** With its zeros at the front: both sides hash all bytes. */
const bytesOf = (number: bigint): Buffer => Buffer.from(number.toString(16).padStart(primeBytes * 2, '0'), 'hex');

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % prime;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % prime;
    square = (square * square) % prime;
  }
  return result;
}
