/**
 * The service of a profile: everything that acts. It is driven through its router; a host (local socket, browser, desktop shell)
 * carries requests to it and events away.
 *
 * Words: the *desk* is where runs wait, work and end; the *pause* holds everything that starts by itself and what is at work.
 */
import { randomUUID } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Destination } from '../contract/destination.ts';
import { fail, toHoldfastError } from '../contract/errors.ts';
import { type Plan, type PlanFile, type PlanInput } from '../contract/plan.ts';
import type { MountedDrive } from '../contract/drive.ts';
import type { RecoverableSettings } from '../contract/recovery.ts';
import type { LogLine, Run } from '../contract/run.ts';
import type { Strategy } from '../contract/schedule.ts';
import type { Settings, SettingsChange } from '../contract/settings.ts';
import type { Alarm, Pause, PlanState, State } from '../contract/state.ts';
import type { Clock } from '../platform/clock.ts';
import type { Drives } from '../platform/drives/volume.ts';
import type { HostIdentity } from '../platform/host.ts';
import { computerZone } from '../platform/time-zone.ts';
import { pacesOf } from '../storage/rates.ts';
import { Besides } from './besides.ts';
import { Destinations } from './destinations/destinations.ts';
import { EventLog } from './events.ts';
import { lockProfile } from './lock.ts';
import { LogFile } from './log-file.ts';
import { PluggedDrives } from './machine/plugged-drives.ts';
import { PowerWatch } from './machine/power-watch.ts';
import { Forgetting } from './plans/forgetting.ts';
import { forgetSnapshotsOf } from './plans/forget-snapshots.ts';
import { exportPlans, importPlans } from './plans/plan-file.ts';
import { liveFilesOf, makeProfile, type Profile } from './profile.ts';
import { Desk } from './runs/desk.ts';
import type { Power } from './schedule/due.ts';
import { type PauseWish, pauseEnd } from './schedule/pause.ts';
import { Scheduling } from './scheduling.ts';
import { type SecretKeeper, Secrets } from './secrets.ts';
import { copyFolderOf } from './settings-copy/copy.ts';
import { SettingsKeeper } from './settings-copy/keeper.ts';
import { findSettings, takeOver } from './settings-copy/recover.ts';
import { StateStore } from './state/store.ts';
import { PlanWatches } from './watch/plan-watches.ts';
import { alarmOf, type Names } from './watchdog/alarm.ts';
import { Guard } from './watchdog/guard.ts';
import { watchedPlans } from './watchdog/watched-plans.ts';
import type { Notice } from './watchdog/watchdog.ts';

export interface ServiceOptions {
  readonly profile: Profile;
  readonly clock: Clock;
  readonly identity: HostIdentity;
  readonly keeper: SecretKeeper;
  /** The person's home folder; default: as the system says. */
  readonly home?: string | undefined;
  /** Of far repositories; default: in the profile. */
  readonly cacheFolder?: string | undefined;
  readonly drives: Drives;
  /** How the computer is fed and connected. */
  readonly readPower: (signal: AbortSignal) => Promise<Power>;
  /** Somebody is to be told that something needs them, or that it does no more. */
  readonly onNotice?: ((what: Notice['what'], alarm: Alarm) => void) | undefined;
  /** For whoever looks at the service's own output. */
  readonly onNote?: ((text: string) => void) | undefined;
}

/** Names of what is remembered. */
const guardName = 'watchdog';
const thinEveryMs = 10 * 60_000;
const thinnedAtOnce = 500;
const dayMs = 24 * 60 * 60_000;

const ignore = (): void => {};

export class Service {
  readonly profile: Profile;
  readonly startedAt: number;
  readonly destinations: Destinations;
  readonly desk: Desk;
  readonly state: StateStore;
  readonly events: EventLog;
  readonly #options: ServiceOptions;
  readonly #log: LogFile;
  readonly #unlock: () => void;
  readonly #scheduling: Scheduling;
  readonly #drives: PluggedDrives;
  readonly #power: PowerWatch;
  readonly #watches: PlanWatches;
  readonly #guard: Guard;
  readonly #copy: SettingsKeeper;
  readonly #forgetting: Forgetting;
  readonly #besides = new Besides();
  #stopThinning: () => void = () => {};
  #acting: Promise<void> = Promise.resolve();
  #ejecting: Promise<void> = Promise.resolve();

  /** Takes the profile. Throws `service-running`, `state-newer`, `state-failed`. */
  constructor(options: ServiceOptions) {
    const { profile, clock, identity, keeper } = options;
    const cacheFolder = options.cacheFolder ?? join(profile.folder, 'cache');
    const log = new LogFile(profile.folder, clock);
    const onNote = (text: string): void => {
      log.write(text);
      options.onNote?.(text);
    };
    this.#log = log;
    this.#options = { ...options, onNote };
    this.profile = profile;
    this.startedAt = clock.now();
    makeProfile(profile);
    this.#unlock = lockProfile(profile);
    try {
      this.state = new StateStore(profile.stateFile, clock, (what, error) => onNote(`${what} cannot be read (${error.message}).`));
    } catch (error) {
      this.#unlock();
      throw error;
    }
    const { state } = this;
    this.#copy = new SettingsKeeper({ profile, state, clock, identity, home: this.#home, onNote });
    this.#copy.rebuild();
    this.#forgetting = new Forgetting(state);
    this.events = new EventLog(() => this.whole());
    this.#drives = new PluggedDrives({
      clock,
      drives: options.drives,
      onArrived: (uuid) => this.#driveMoved(uuid, true),
      onLeft: (uuid) => this.#driveMoved(uuid, false),
    });
    this.#power = new PowerWatch(clock, options.readPower, () => this.#scheduling.scheduler.look());
    this.destinations = new Destinations({
      state: this.state,
      identity,
      clock,
      secrets: new Secrets(keeper),
      settings: () => this.state.settings(),
      cacheFolder,
      locate: (destination) => this.#drives.locate(destination),
      volumeOf: (folder) => this.#drives.volumeOf(folder),
      onChange: (destination) => this.events.publish({ type: 'destination', destination }),
      onStored: () => {
        this.#copy.keep();
        this.#watches.setPlans(this.state.plans());
      },
      onRemoved: (id) => this.events.publish({ type: 'destination-removed', id }),
    });
    this.desk = new Desk({
      state: this.state,
      destinations: this.destinations,
      clock,
      identity,
      settingsCopy: copyFolderOf(profile),
      leftOut: [cacheFolder, ...liveFilesOf(profile)],
      writeSettingsCopy: () => this.#copy.write(),
      onRun: (run) => this.events.publish({ type: 'run', run }),
      onDefect: (error) => onNote(toHoldfastError(error).message),
      onProgress: (progress) => this.events.publishProgress({ type: 'progress', progress }),
      onEnded: (run) => this.#ended(run),
    });
    this.#watches = new PlanWatches({
      clock,
      onChange: (plan) => this.#scheduling.scheduler.changed(plan),
      ownFolders: () => [profile.folder, cacheFolder, ...this.state.destinations().map(({ place }) => place)],
      onDefect: (error) => onNote(toHoldfastError(error).message),
    });
    this.#guard = new Guard({
      clock,
      plans: () => watchedPlans(state, clock, (id) => this.#isThere(id)),
      recall: () => this.state.recall(guardName),
      remember: (known) => this.state.remember(guardName, known),
      alarmOf: (problem, since) => alarmOf(problem, since, this.#names),
      onNotice: (what, alarm) => {
        log.write(`${what}: ${alarm.message}`);
        options.onNotice?.(what, alarm);
      },
      onAlarms: () => this.events.publish({ type: 'alarms', alarms: this.#guard.alarms() }),
      onDefect: (error) => onNote(toHoldfastError(error).message),
    });
    this.#scheduling = new Scheduling({
      clock,
      watches: this.#watches,
      state: this.state,
      desk: this.desk,
      power: () => this.#power.now,
      isDestinationThere: (id) => this.#isThere(id),
      onPlan: (id) => this.#tellPlanState(id),
      onPause: () => this.events.publish({ type: 'pause', pause: this.pause }),
      onDefect: (error) => onNote(toHoldfastError(error).message),
    });
  }

  /** Begins to act, and takes up what the last service left. `atLogin`: it is started because its person has logged in. */
  async start({ atLogin = false } = {}): Promise<void> {
    const { clock } = this.#options;
    this.#power.begin();
    await this.#drives.begin();
    this.desk.takeUp(this.#scheduling.resumes);
    if (atLogin) this.#scheduling.scheduler.loggedIn();
    this.#watches.setPlans(this.state.plans());
    this.#guard.begin();
    this.#acting = this.#scheduling.scheduler.begin();
    this.#stopThinning = clock.every(thinEveryMs, () => this.#thin());
    const plans = new Set(this.state.plans().map(({ id }) => id));
    // Of a plan that is still there the removal did not come about.
    for (const plan of this.#forgetting.plans()) if (!plans.has(plan.id)) this.#forgetSnapshots(plan).catch(ignore);
  }

  async close(): Promise<void> {
    this.#scheduling.scheduler.stop();
    this.#stopThinning();
    this.#guard.close();
    this.#besides.cancel();
    this.#watches.close();
    await Promise.all([this.desk.close(), this.#drives.close(), this.#power.close()]);
    await Promise.all([this.#acting, this.#ejecting, this.#besides.ended()]);
    this.state.close();
    this.#unlock();
  }

  /** Everything but history. */
  whole(): State {
    const plans = this.state.plans();
    return {
      plans,
      planStates: plans.map((plan) => this.planState(plan)),
      destinations: this.destinations.views(),
      settings: this.state.settings(),
      pause: this.pause,
      runs: this.desk.unfinished(),
      progress: this.desk.progress(),
      alarms: this.#guard.alarms(),
    };
  }

  planState({ id, destinations }: Plan): PlanState {
    const lastSuccess: Record<string, number> = {};
    for (const { destination } of destinations) {
      const ended = this.state.runs.lastSuccess(id, destination)?.ended;
      if (ended) lastSuccess[destination] = ended;
    }
    const outlook = this.#scheduling.scheduler.outlook(id);
    const decision = outlook?.decision;
    const blocker = decision && (decision.do === 'wait' || decision.do === 'hold') ? decision.for : undefined;
    const waitsFor = blocker ? { by: blocker.by, until: 'until' in blocker ? (blocker.until ?? null) : null } : null;
    return { plan: id, nextDue: outlook?.next ?? null, waitsFor, watchNotes: this.#watches.notes(id), lastSuccess };
  }

  /** The volumes that are mounted now. */
  async drives(): Promise<MountedDrive[]> {
    const volumes = await this.#options.drives.list();
    return volumes.map(({ device: _device, uuid = null, space = null, ...volume }) => ({ ...volume, uuid, space }));
  }

  /** Throws `bad-usage` for a limit that cannot be read. */
  changeSettings(change: SettingsChange): Settings {
    const { limitUpload, limitDownload } = change;
    pacesOf({ limitUpload: limitUpload ?? undefined, limitDownload: limitDownload ?? undefined }, this.#options.clock);
    const settings = this.state.changeSettings(change);
    this.#copy.keep();
    this.events.publish({ type: 'settings', settings });
    return settings;
  }

  /** Throws `destination-not-found`. */
  createPlan(input: PlanInput): Plan {
    return this.#savePlan({ id: randomUUID(), ...input });
  }

  /** Throws `plan-not-found`, `destination-not-found`. */
  changePlan(id: string, input: PlanInput): Plan {
    this.state.plan(id);
    return this.#savePlan({ id, ...input });
  }

  /**
   * Removes a plan; with `forget` its snapshots, too, on those destinations that can be reached. Throws `plan-not-found`, `run-at-work` while
   * one of its runs is unfinished.
   */
  async removePlan(id: string, data: 'keep' | 'forget'): Promise<{ snapshotsForgotten: number; notReached: string[] }> {
    const plan = this.state.plan(id);
    const run = this.desk.unfinished().find((each) => each.plan === id);
    if (run) fail('run-at-work', { plan: plan.name, run: run.id });
    if (data === 'forget') this.#forgetting.note(plan);
    this.state.removePlan(id);
    this.#copy.keep();
    this.#scheduling.removed(id);
    this.events.publish({ type: 'plan-removed', id });
    if (data === 'keep') return { snapshotsForgotten: 0, notReached: [] };
    return this.#forgetSnapshots(plan);
  }

  #forgetSnapshots(plan: Plan): ReturnType<typeof forgetSnapshotsOf> {
    const { clock, identity } = this.#options;
    return this.#besides.run(async (control) => {
      const done = await forgetSnapshotsOf(plan, this.state.destinations(), this.destinations, { clock, identity, control });
      this.#forgetting.done(plan.id);
      return done;
    });
  }

  exportPlans(ids: readonly string[] | undefined): PlanFile {
    const plans = ids ? ids.map((id) => this.state.plan(id)) : this.state.plans();
    return exportPlans(plans, this.state.destinations());
  }

  /** Throws `plan-without-destination` before anything is changed. */
  importPlans(file: PlanFile): Plan[] {
    return importPlans(file, this.state.destinations()).map((input) => this.createPlan(input));
  }

  /** A person wants a backup now. Throws what {@link Desk.ask} throws. */
  startRun(plan: string, destination: string | undefined, strategy: Strategy | undefined): Run {
    return this.desk.ask({ plan, destination, cause: 'person', strategy: strategy ?? 'incremental' });
  }

  /** Nothing starts by itself until then, and what did waits. What a person has asked for goes on. */
  pauseFor(wish: PauseWish): Pause {
    this.#scheduling.scheduler.pause(wish);
    this.#scheduling.storePause();
    return this.pause!;
  }

  resume(): void {
    this.#scheduling.scheduler.resume();
    this.#scheduling.storePause();
  }

  get pause(): Pause | null {
    const pause = this.#scheduling.scheduler.paused;
    if (!pause) return null;
    const until = pauseEnd(pause, computerZone());
    return { since: pause.since, until: until === Infinity ? null : until };
  }

  /** What a repository holds of settings that can come back. Throws what opening throws. */
  async lookForSettings(destination: string): Promise<RecoverableSettings[]> {
    return (await this.#findSettings(destination)).map(({ found }) => found);
  }

  /** Throws `profile-in-use`, `settings-not-found`, what opening throws. */
  async takeSettings(destination: string, snapshot: string): Promise<{ plans: Plan[]; destinations: Destination[] }> {
    if (this.state.plans().length > 0) fail('profile-in-use');
    const chosen = (await this.#findSettings(destination)).find(({ found }) => found.snapshot === snapshot);
    if (!chosen) return fail('settings-not-found', { snapshot });
    const taken = takeOver(this.state, chosen.copy, this.#home);
    this.#copy.keep();
    this.#scheduling.changed();
    this.events.publish({ type: 'state', state: this.whole() });
    return taken;
  }

  async #findSettings(destination: string): ReturnType<typeof findSettings> {
    const { clock, identity } = this.#options;
    return this.#besides.run(async (control) => {
      const repository = await this.destinations.open(destination, { signal: control.signal });
      try {
        return await findSettings(repository, { control, clock, holder: { ...identity, pid: process.pid } });
      } finally {
        await repository.storage.close().catch(() => {});
      }
    });
  }

  get #home(): string {
    return this.#options.home ?? homedir();
  }

  #savePlan(plan: Plan): Plan {
    for (const { destination } of plan.destinations) this.state.destination(destination);
    this.state.savePlan(plan);
    this.#copy.keep();
    this.#scheduling.changed();
    this.events.publish({ type: 'plan', plan });
    this.#tellPlanState(plan.id);
    return plan;
  }

  #ended(run: Run): void {
    const { id, planName, destinationName, status, error } = run;
    this.#log.write(`Run ${id} of “${planName}” to “${destinationName}”: ${status}${error ? ` (${error.message})` : ''}.`);
    if (run.plan !== null) this.#tellPlanState(run.plan);
    this.#scheduling.scheduler.look();
    this.#guard.look();
    this.#ejecting = this.#ejecting.then(() => this.#ejectAfter(run));
  }

  #isThere(id: string): boolean {
    const destination = this.state.destinations().find((each) => each.id === id);
    return destination === undefined || this.#drives.isThere(destination);
  }

  #names: Names = {
    plan: (id) => this.state.plans().find((each) => each.id === id)?.name ?? id,
    destination: (id) => this.state.destinations().find((each) => each.id === id)?.name ?? id,
  };

  #driveMoved(uuid: string, isThere: boolean): void {
    for (const { id, volume } of this.state.destinations()) {
      if (volume?.uuid !== uuid) continue;
      this.destinations.moved(id, isThere);
      if (isThere) this.#scheduling.scheduler.driveArrived(id);
      else this.#scheduling.scheduler.look();
    }
  }

  /** Ejects the drive of a destination that wants it, once nothing waits for it any more. */
  async #ejectAfter({ id: run, destination: id }: Run): Promise<void> {
    const destination = this.state.destinations().find((each) => each.id === id);
    if (!destination?.ejectAfterRun || this.desk.unfinished().some((each) => each.destination === id)) return;
    const log = (level: LogLine['level'], text: string): void => this.state.runs.log(run, { at: this.#options.clock.now(), level, text });
    try {
      const name = await this.#drives.eject(destination);
      if (name !== undefined) log('info', `The drive ${name} is ejected and can be unplugged.`);
    } catch (error) {
      const { message, guidance } = toHoldfastError(error);
      log('warning', `${message} ${guidance}`);
    }
  }

  /** Some old runs at a time, so that nobody waits for it. */
  #thin(): void {
    const { clock, onNote } = this.#options;
    try {
      this.state.runs.thin(clock.now() - this.state.settings().keepRunsDays * dayMs, thinnedAtOnce);
    } catch (error) {
      onNote?.(toHoldfastError(error).message);
    }
  }

  #tellPlanState(id: string): void {
    const plan = this.state.plans().find((each) => each.id === id);
    if (plan) this.events.publish({ type: 'plan-state', state: this.planState(plan) });
  }
}
