/**
 * Node's agent for https through a proxy, with an end to its patience: it waits some time for the proxy to open the way, and for ever
 * for the server behind it to begin with TLS, while nothing of the request can be cut off.
 */
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../platform/clock.ts';
import { SilenceError } from './connection-errors.ts';

type Created = (error: Error | null, stream: Duplex) => void;

export class TunnelAgent extends https.Agent {
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #patienceMs: number;

  /** `patienceMs` is for the whole way, until TLS is agreed on with the server. */
  constructor(options: https.AgentOptions, clock: Pick<Clock, 'sleep'>, patienceMs: number) {
    super(options);
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  override createConnection(options: https.RequestOptions, created: Created = () => {}): Duplex | null | undefined {
    const waiting = new AbortController();
    let isOver = false;
    const end: Created = (error, stream) => {
      waiting.abort();
      // What comes too late is nobody's.
      if (isOver) stream?.destroy();
      else created(error, stream);
      isOver = true;
    };
    this.#clock.sleep(this.#patienceMs, waiting.signal).then(
      // The request that hears of the error asks for no stream.
      () => end(new SilenceError(true), undefined as unknown as Duplex),
      () => {},
    );
    return super.createConnection(options, end);
  }
}
