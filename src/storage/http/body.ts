/** Reading the bodies of answers, each checked against what was announced or asked for. */
import { constants } from 'node:buffer';
import { HoldfastError } from '../../contract/errors.ts';
import { takeMemory } from '../../platform/spare-memory.ts';
import type { HttpAnswer } from './exchange.ts';

/** What an answer brought: fewer bytes than wanted when it ended early. */
export interface Received {
  readonly bytes: Buffer;
  /** Whether more came than wanted. */
  readonly isTooLong: boolean;
}

/** The length that the answer announces, in bytes; undefined when it announces none that makes sense. */
export function announcedLength(answer: HttpAnswer): number | undefined {
  const text = answer.header('content-length');
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Reads up to `length` bytes, after leaving `skip` bytes out, and drops the rest. The memory is the caller's own, and may be larger. */
export async function readBytes(answer: HttpAnswer, length: number, skip = 0): Promise<Received> {
  const announced = announcedLength(answer);
  // A server that announces little needs little memory, whatever was asked for.
  const room = announced === undefined ? length : Math.max(0, Math.min(length, announced - skip));
  if (room > constants.MAX_LENGTH) throw new HoldfastError('internal', { cause: `${room} bytes do not fit into memory` });
  const bytes = Buffer.from(takeMemory(room), 0, room);
  let got = 0;
  let left = skip;
  let isTooLong = false;
  for await (const piece of answer.pieces()) {
    const wanted = left >= piece.length ? piece.subarray(0, 0) : piece.subarray(left);
    left -= Math.min(left, piece.length);
    const fits = wanted.subarray(0, room - got);
    bytes.set(fits, got);
    got += fits.length;
    isTooLong ||= wanted.length > fits.length;
    // Reading on would only use the connection; it is given up instead.
    if (isTooLong) break;
  }
  return { bytes: bytes.subarray(0, got), isTooLong };
}

/** Reads a body of which nothing is wanted, so that its connection can be used again; one that is long is dropped. */
export async function discard(answer: HttpAnswer): Promise<void> {
  let seen = 0;
  for await (const { length } of answer.pieces()) {
    seen += length;
    if (seen > discardedWhole) return;
  }
}

const discardedWhole = 64 * 1024;
const longestReason = 200;

/** The first words of an answer that tells of an error; '' when they are none for a person. Never fails. */
export async function reasonIn(answer: HttpAnswer): Promise<string> {
  const chunks: Uint8Array[] = [];
  try {
    let seen = 0;
    for await (const piece of answer.pieces()) {
      if (seen < 4096) chunks.push(piece);
      seen += piece.length;
      if (seen > discardedWhole) break;
    }
  } catch {
    // The status alone has to do then.
  }
  if (/html|xml|json/.test(answer.header('content-type') ?? '')) return '';
  const [first = ''] = Buffer.concat(chunks).subarray(0, 4096).toString('utf8').trim().split('\n');
  // A reason is a part of a sentence here.
  return first
    .replace(/[\x00-\x1f\x7f]/g, ' ')
    .trim()
    .slice(0, longestReason)
    .replace(/[.!]+$/, '');
}
