/** One exchange over whatever carries it: sends the body, waits, and gives the answer. */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { HoldfastError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { type Paces, pacedPieceBytes } from '../pace.ts';
import type { HttpAnswer, HttpRequest, Patience } from './exchange.ts';
import type { Wait } from './silence.ts';

export interface AnswerHead {
  readonly status: number;
  header(name: string): string | undefined;
  readonly incoming: Readable;
}

/** A request that is on its way. */
export interface Carrier {
  readonly outgoing: Writable;
  /** Fails when the connection does before there is an answer. */
  readonly head: Promise<AnswerHead>;
  /** Resolves when there is a connection: from then on the server is waited for. */
  readonly connected: Promise<unknown>;
  /** Resolves when the server says that it wants the body. */
  readonly wanted: Promise<unknown>;
  /** Resolves when nothing of the request is held any more. */
  readonly closed: Promise<unknown>;
  /** Breaks the exchange off, with its connection if it has one of its own. */
  cut(error?: Error): void;
}

/** Pieces of a body that are handed over at once; bytes. Progress is seen piece by piece. */
const pieceBytes = 256 * 1024;

export interface ExchangeOptions {
  readonly patience: Patience;
  readonly paces?: Paces | undefined;
  readonly clock: Pick<Clock, 'sleep'>;
  /** Turns what broke the connection into an error for a person. */
  describe(error: unknown): HoldfastError;
}

/** Resolves when the head of the answer is there. Throws what `describe` makes of a failure. */
export async function runExchange(carrier: Carrier, request: HttpRequest, wait: Wait, options: ExchangeOptions): Promise<HttpAnswer> {
  const { body, isSlow } = request;
  const { patience, describe } = options;
  const answered = carrier.head.then(
    () => {},
    () => {},
  );
  let isConnected = false;
  let limitMs = patience.idleMs;
  const expectWithin = (ms: number): void => {
    limitMs = ms;
    if (isConnected) wait.expect(ms);
  };
  void carrier.connected.then(() => {
    isConnected = true;
    wait.expect(limitMs);
  });
  const sending = (async (): Promise<void> => {
    if (request.askFirst && body) await isWanted(carrier, answered, options);
    const isWhole = await sendBody(carrier, body ?? [], answered, () => expectWithin(patience.idleMs), options.paces);
    if (isWhole) expectWithin(body || isSlow ? patience.answerMs : patience.idleMs);
  })();
  try {
    const head = await carrier.head;
    await sending;
    wait.rest();
    return answerOf(head, carrier, wait, options);
  } catch (error) {
    wait.end();
    carrier.cut();
    await sending;
    await carrier.closed;
    throw describe(error);
  }
}

/** Waits until the server wants the body, has answered without, or has said nothing for long enough. */
async function isWanted({ wanted }: Carrier, answered: Promise<void>, { clock, patience }: ExchangeOptions): Promise<void> {
  const stop = new AbortController();
  await Promise.race([wanted, answered, clock.sleep(patience.askMs, stop.signal).catch(() => {})]);
  stop.abort();
}

/** Whether all of it was handed over; a server that answers before has heard enough. Never fails: the head does then. */
async function sendBody(
  { outgoing }: Carrier,
  parts: readonly Uint8Array[],
  answered: Promise<void>,
  onProgress: () => void,
  paces: Paces | undefined,
): Promise<boolean> {
  let isAnswered = false;
  void answered.then(() => (isAnswered = true));
  const isOver = (): boolean => isAnswered || outgoing.destroyed;
  const step = paces?.upload ? pacedPieceBytes : pieceBytes;
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += step) {
      if (isOver()) return false;
      const piece = part.subarray(at, at + step);
      const isTaken = outgoing.write(piece);
      if (paces?.upload) {
        await paces.upload.passed(piece.byteLength, isOver);
        onProgress();
      }
      if (isTaken) continue;
      const stop = new AbortController();
      await Promise.race([once(outgoing, 'drain', { signal: stop.signal }).catch(() => {}), answered]);
      stop.abort();
      onProgress();
    }
  }
  if (isAnswered || outgoing.destroyed) return false;
  outgoing.end();
  return true;
}

function answerOf(
  { status, header, incoming }: AnswerHead,
  carrier: Carrier,
  wait: Wait,
  { patience: { idleMs }, describe, paces }: ExchangeOptions,
): HttpAnswer {
  // Between two reads a failure must not go unheard as an uncaught exception: the next read tells of it.
  incoming.on('error', () => {});
  const end = (isWhole: boolean): void => {
    wait.end();
    // What was left unsent would be taken for the next request.
    if (!isWhole || !carrier.outgoing.writableEnded) carrier.cut();
  };
  async function* pieces(): AsyncGenerator<Uint8Array> {
    let isWhole = false;
    try {
      const reader = incoming[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
      for (;;) {
        wait.expect(idleMs);
        const { done, value } = await reader.next();
        wait.rest();
        if (done) break;
        await paces?.download?.passed(value.byteLength, () => incoming.destroyed);
        yield value;
      }
      isWhole = true;
    } catch (error) {
      throw describe(error);
    } finally {
      end(isWhole);
    }
  }
  return { status, header, pieces, drop: () => end(false) };
}
