/**
 * The shell's own line to the service: it attaches to the one that runs, or starts one, follows its state, and does so again whenever the
 * line breaks. Whoever shows something is told of each change.
 */
import { applyEvent } from '../../src/contract/apply-event.ts';
import { hasCode } from '../../src/contract/errors.ts';
import type { ServiceEvent } from '../../src/contract/state.ts';
import type { Clock } from '../../src/platform/clock.ts';
import type { Profile } from '../../src/service/profile.ts';
import { type Attached, attach, type ServiceClient } from '../../src/service/rpc/client.ts';
import type { Known } from './tray-state.ts';

/** The shell's own service, which is started again when it ends unexpectedly. */
export interface CarriedService {
  /** Resolves when it serves. Rejects with the reason when it cannot, such as `service-running`. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended for good. */
  readonly ended: Promise<void>;
  /** Asks it to end: runs at work are interrupted, and go on with the next service. */
  stop(): void;
  /** Ends it at once. */
  kill(): void;
}

export interface ConnectionOptions {
  readonly profile: Profile;
  readonly clock: Pick<Clock, 'sleep'>;
  /** Starts a process; called only while none of the shell's own is there. */
  readonly start: () => CarriedService;
  readonly onKnown: (known: Known, event: ServiceEvent | undefined) => void;
  /** Told why the service could not be reached; it is tried again. */
  readonly onTrouble: (error: unknown) => void;
}

const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** Failed tries that nobody need hear of. */
const patience = 4;
/** For runs at work to be written down as interrupted. */
const goodbyeMs = 8000;

export class ServiceConnection {
  readonly #options: ConnectionOptions;
  readonly #stop = new AbortController();
  #known: Known = { connection: 'starting', state: undefined };
  #attached: Attached | undefined;
  #carried: CarriedService | undefined;
  #lastEvent: string | undefined;
  #following: Promise<void> = Promise.resolve();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get known(): Known {
    return this.#known;
  }

  /** Undefined while the service is away. */
  get client(): ServiceClient | undefined {
    return this.#attached?.client;
  }

  /** Whether the service is the shell's own, which is told of its alarms directly. */
  get isCarrying(): boolean {
    return this.#carried !== undefined;
  }

  begin(): void {
    this.#following = this.#follow();
  }

  /** Ends the line, and the service, where the shell has started it. One that somebody else has started goes on. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#attached?.close();
    const carried = this.#carried;
    carried?.stop();
    if (carried) {
      const enough = new AbortController();
      const late = this.#options.clock.sleep(goodbyeMs, enough.signal).then(
        () => carried.kill(),
        () => {},
      );
      await carried.ended;
      enough.abort();
      await late;
    }
    await this.#following;
  }

  async #follow(): Promise<void> {
    const { clock, onTrouble } = this.#options;
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        this.#attached = await this.#reach();
        if (signal.aborted) this.#attached.close();
        await this.#listen(this.#attached.client, () => (failures = 0));
        this.#tell({ connection: 'starting', state: this.#known.state });
      } catch (error) {
        if (signal.aborted) return;
        // What was lost is taken up again at once, and one that has ended is started again: only what stays away is away.
        const isLost = failures < patience && (this.#attached !== undefined || this.#carried !== undefined);
        const connection = hasCode(error, 'service-other-version') ? 'other-version' : isLost ? 'starting' : 'away';
        this.#tell({ connection, state: this.#known.state });
        if (!isLost) onTrouble(error);
      } finally {
        this.#attached?.close();
        this.#attached = undefined;
      }
      await clock.sleep(Math.min(firstPauseMs * 2 ** failures, longestPauseMs), signal).catch(() => {});
    }
  }

  /** Attaches to the service that runs; where none does, starts one. */
  async #reach(): Promise<Attached> {
    const { profile, start } = this.#options;
    try {
      return await attach(profile);
    } catch (error) {
      // One of our own that is there but cannot be reached is not helped by another one.
      if (!hasCode(error, 'service-absent') || this.#carried || this.#stop.signal.aborted) throw error;
    }
    const carried = start();
    this.#carried = carried;
    void carried.ended.then(() => {
      if (this.#carried === carried) this.#carried = undefined;
    });
    try {
      await carried.ready;
    } catch (error) {
      // Another one was quicker: it is the one to talk to, when it says how.
      if (!hasCode(error, 'service-running')) throw error;
    }
    return attach(profile);
  }

  async #listen(client: ServiceClient, onOpen: () => void): Promise<void> {
    const events = await client.events(this.#lastEvent === undefined ? {} : { since: this.#lastEvent });
    // What follows an event that is known comes without the whole state, which is there.
    if (this.#known.state) this.#tell({ connection: 'open', state: this.#known.state });
    onOpen();
    for await (const { id, event } of events) {
      this.#lastEvent = id;
      this.#tell({ connection: 'open', state: applyEvent(this.#known.state, event) }, event);
    }
  }

  #tell(known: Known, event?: ServiceEvent): void {
    this.#known = known;
    this.#options.onKnown(known, event);
  }
}
