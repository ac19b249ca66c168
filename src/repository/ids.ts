/** IDs: the SHA-256 of a blob's plaintext or of a file's stored bytes; 32 bytes, or 64 lower-case hex digits in text. */
import { hash } from 'node:crypto';

export const idLength = 32;

export const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');

const pattern = /^[0-9a-f]{64}$/;

export const isId = (text: unknown): text is string => typeof text === 'string' && pattern.test(text);

export const bytesOfId = (hex: string): Buffer => Buffer.from(hex, 'hex');
