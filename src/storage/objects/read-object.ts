/** The bytes of an object from the answer that brings them, checked against what was asked for. */
import { HoldfastError } from '../../contract/errors.ts';
import { announcedLength, readBytes } from '../http/body.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import type { Range } from '../storage.ts';
import type { Task } from './bucket.ts';

export interface Origin {
  readonly location: string;
  readonly server: string;
}

/** The header that asks for a range. */
export const rangeHeader = ({ offset, length }: Range): string => `bytes=${offset}-${offset + length - 1}`;

/**
 * Reads what an answer of status 200 or 206 brings: the bytes of the range that exist, or the whole. Fails with
 * `item-tampered` when that is more than `longest` bytes, `server-not-understood` when the server gives others than it was
 * asked for.
 */
export async function readObject(
  answer: HttpAnswer,
  range: Range | undefined,
  longest: number,
  task: Task,
  { location, server }: Origin,
): Promise<Uint8Array> {
  const misunderstood = (cause: string): never => {
    answer.drop();
    throw new HoldfastError('server-not-understood', { location, server, cause });
  };
  const announced = announcedLength(answer);
  // Without a length nobody could tell a whole object from the beginning of one.
  if (announced === undefined) return misunderstood('it does not say how long what it sends is');
  // A server that knows no ranges gives the whole.
  const skip = range && answer.status === 200 ? range.offset : 0;
  if (range && answer.status === 206 && !beginsAt(answer, range.offset)) misunderstood('it gave other bytes than asked for');
  const wanted = range?.length ?? announced;
  if (range === undefined && announced > longest) {
    answer.drop();
    throw new HoldfastError('item-tampered', { file: task.file, cause: `it has ${announced} bytes` });
  }
  const { bytes, isTooLong } = await readBytes(answer, wanted, skip);
  if (isTooLong && skip === 0 && answer.status === 206) misunderstood('it gave more bytes than asked for');
  return bytes;
}

function beginsAt(answer: HttpAnswer, offset: number): boolean {
  const match = /^bytes (\d{1,15})-/.exec(answer.header('content-range') ?? '');
  // Without a word it is what was asked for.
  return match === null || Number(match[1]) === offset;
}
