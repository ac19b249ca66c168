/**
 * The host's watch over the service that it carries. It starts it as a process of its own, notices when it ends or hangs, starts it again with
 * growing pauses, and runs the watchdog, which tells the person when that does not help, or when backups have stopped for any reason.
 *
 * Words: the service is *in trouble* from its first unwanted end until it has been ready for a minute; it is *hung* when its event loop has
 * given no sign of life for {@link hungAfter} in which this process was awake.
 *
 * What runs were at work is the service's to know: the next one records them as interrupted and takes them up.
 */
import type { Alarm } from '../../contract/state.ts';
import type { Clock } from '../../platform/clock.ts';
import { LogFile } from '../log-file.ts';
import { AwakeTime } from './awake-time.ts';
import { Guard } from './guard.ts';
import { guardMemory } from './memory.ts';
import { beatEveryMs, type ChildEnd, type Failure, type HostedChild, type StartChild, type ToHost } from './messages.ts';
import { hungAfter, type Notice, type WatchdogInput } from './watchdog.ts';

/** Before it is started again, by how often it has ended; milliseconds. The last one stays. */
const pauses = [1, 2, 5, 15, 30, 60, 120, 300].map((seconds) => seconds * 1000);
const steadyAfterMs = 60_000;
const guidance = 'It is started again by itself. If it goes on to end, look into logs/service.log in the folder of the profile.';
/** One that is to end and has been silent for so long is not waited for. */
const silentAtEndMs = 3 * beatEveryMs;

export interface SupervisorOptions {
  readonly clock: Clock;
  readonly startChild: StartChild;
  /** The person is to be told that something needs them (`raised`, `repeated`), or does no more. `alarm.key` is one for each problem. */
  readonly onNotice: (what: Notice['what'], alarm: Alarm) => void;
  /** For whoever looks at the host's own output; it is in the profile's log as well. */
  readonly onNote: (text: string) => void;
  /** Each time that a service is ready for clients: the first, and each that takes its place. */
  readonly onReady?: () => void;
}

/** How it came to an end. */
export interface SupervisorEnd {
  /** `stopped`: somebody wanted it. `not-started`: the service was never ready, or another one has the profile now. */
  readonly why: 'stopped' | 'not-started';
  /** Why it could not be started, where it could say. */
  readonly failure: Failure | undefined;
  readonly child: ChildEnd;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #awake: AwakeTime;
  readonly #ended = Promise.withResolvers<SupervisorEnd>();
  readonly #pause = new AbortController();
  #child: HostedChild | undefined;
  #guard: Guard | undefined;
  #log: LogFile | undefined;
  #isStopping = false;
  #wasEverReady = false;
  #isReady = false;
  /** Ends since it was steady. */
  #ends = 0;
  /** Milliseconds awake: since its last sign of life; without a ready service since the trouble began; since it is ready. */
  #silent = 0;
  #down = 0;
  #steady = 0;
  /** Of the child of now. */
  #failure: Failure | undefined;
  #wasKilled = false;
  /** Why there is trouble. */
  #because: WatchdogInput['service']['because'];
  #sentAlarms = '';

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#awake = new AwakeTime(options.clock, 2 * beatEveryMs);
  }

  /** Resolves when the service has ended for good. To be called once. */
  async run(): Promise<SupervisorEnd> {
    const stopTicking = this.#options.clock.every(beatEveryMs, () => this.#tick());
    this.#start();
    try {
      return await this.#ended.promise;
    } finally {
      stopTicking();
      this.#guard?.close();
    }
  }

  /** The service is to end: runs at work are interrupted. */
  stop(): void {
    this.#isStopping = true;
    this.#pause.abort();
    this.#child?.send({ type: 'stop' });
  }

  /** The same at once. What is stored is whole at any moment. */
  stopAtOnce(): void {
    this.stop();
    this.#child?.kill();
  }

  alarms(): Alarm[] {
    return this.#guard?.alarms() ?? [];
  }

  #start(): void {
    this.#failure = undefined;
    this.#wasKilled = false;
    this.#silent = 0;
    this.#isReady = false;
    const listener = { onMessage: (message: ToHost) => this.#hear(message), onEnd: (end: ChildEnd) => this.#childEnded(end) };
    const child = this.#options.startChild(listener, this.#wasEverReady);
    this.#child = child;
    if (this.#isStopping) child.send({ type: 'stop' });
  }

  #hear(message: ToHost): void {
    this.#count();
    this.#silent = 0;
    switch (message.type) {
      case 'hello':
        this.#meet(message.profile);
        break;
      case 'beat':
        this.#child?.send({ type: 'beat' });
        break;
      case 'ready':
        this.#isReady = true;
        this.#steady = 0;
        if (!this.#wasEverReady) this.#guard?.begin();
        this.#wasEverReady = true;
        this.#sentAlarms = '';
        this.#sendAlarms();
        this.#options.onReady?.();
        break;
      case 'watched':
        this.#guard?.see(message.plans, message.budgets);
        break;
      case 'failed':
        this.#failure = message.failure;
        break;
      case 'stopping':
        this.#isStopping = true;
        break;
    }
  }

  #meet(profile: string): void {
    if (this.#guard) return;
    const log = new LogFile(profile, this.#options.clock);
    this.#log = log;
    this.#guard = new Guard({
      clock: this.#options.clock,
      memory: guardMemory(profile),
      service: () => this.#health(),
      onNotice: (what, alarm) => {
        log.write(`${what}: ${alarm.message}`);
        this.#options.onNotice(what, alarm);
      },
      onLook: () => this.#sendAlarms(),
      onNote: (text) => this.#note(text),
    });
  }

  #health(): WatchdogInput['service'] {
    if (this.#ends === 0) return { isRunning: true, silentFor: this.#silent };
    return { isRunning: false, silentFor: this.#down, because: this.#because };
  }

  #sendAlarms(): void {
    const alarms = this.alarms();
    const text = JSON.stringify(alarms);
    if (!this.#isReady || text === this.#sentAlarms) return;
    this.#sentAlarms = text;
    this.#child?.send({ type: 'alarms', alarms });
  }

  #count(): void {
    const step = this.#awake.pass();
    this.#silent += step;
    this.#steady += step;
    if (this.#ends > 0 && !this.#isReady) this.#down += step;
  }

  #tick(): void {
    this.#count();
    if (this.#ends > 0 && this.#isReady && this.#steady >= steadyAfterMs && this.#silent < steadyAfterMs) {
      this.#ends = 0;
      this.#down = 0;
      this.#because = undefined;
      this.#guard?.look();
    }
    if (this.#child && this.#silent >= (this.#isStopping ? silentAtEndMs : hungAfter)) this.#endHung(this.#child);
    else if (this.#ends > 0) this.#guard?.look();
  }

  /** What hangs holds the profile, and does nothing for it. */
  #endHung(child: HostedChild): void {
    if (!this.#isStopping && this.#wasEverReady) this.#guard?.look();
    if (!this.#wasKilled) this.#note('The service does not answer, so it is ended.');
    this.#wasKilled = true;
    // It does not die while it waits for a disk that does not answer; then the watchdog goes on to tell of it.
    child.kill();
  }

  #childEnded(child: ChildEnd): void {
    this.#count();
    this.#child = undefined;
    this.#isReady = false;
    const failure = this.#failure;
    if (this.#isStopping) return this.#ended.resolve({ why: 'stopped', failure, child });
    // What cannot be started at all is for whoever wanted to start it; where another service has taken the profile, that one is watched by its host.
    if (!this.#wasEverReady || failure?.code === 'service-running') return this.#ended.resolve({ why: 'not-started', failure, child });
    // The time in which it hung was lost, too.
    if (this.#ends === 0 && this.#wasKilled) this.#down = this.#silent;
    this.#ends++;
    const pause = pauses[Math.min(this.#ends, pauses.length) - 1];
    const how = child.signal ? `signal ${child.signal}` : `exit code ${child.code}`;
    this.#because = failure ?? { message: `It has ended unexpectedly (${how}).`, guidance };
    const words = failure?.message ?? `The service has ended unexpectedly (${how}). What was at work is interrupted, and goes on later.`;
    this.#note(`${words} It is started again in ${pause / 1000} ${pause === 1000 ? 'second' : 'seconds'}.`);
    this.#guard?.look();
    this.#options.clock.sleep(pause, this.#pause.signal).then(
      () => this.#start(),
      () => this.#ended.resolve({ why: 'stopped', failure: undefined, child }),
    );
  }

  #note(text: string): void {
    this.#log?.write(text);
    this.#options.onNote(text);
  }
}
