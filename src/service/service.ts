/**
 * The service of a profile: everything that acts. It is driven through its router; a host (local socket, browser, desktop shell)
 * carries requests to it and events away.
 *
 * Words: the *desk* is where runs wait, work and end; the *pause* holds everything that starts by itself and what is at work; a *part* is
 * what else begins and closes with the service (parts.ts).
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { toHoldfastError } from '../contract/errors.ts';
import type { MachineNews } from '../contract/machine.ts';
import type { Run } from '../contract/run.ts';
import type { Strategy } from '../contract/schedule.ts';
import type { Settings, SettingsChange } from '../contract/settings.ts';
import type { Alarm } from '../contract/state.ts';
import type { Clock } from '../platform/clock.ts';
import type { Drives } from '../platform/drives/volume.ts';
import type { HostIdentity } from '../platform/host.ts';
import { computerZone } from '../platform/time-zone.ts';
import { pacesOf } from '../storage/rates.ts';
import { App } from './app.ts';
import { Besides } from './besides.ts';
import { Capacities } from './capacity/capacities.ts';
import { Care } from './care/care.ts';
import { CatalogueKeeper } from './catalogue/keeper.ts';
import { CopyKeeper } from './copies/keeper.ts';
import { Destinations } from './destinations/destinations.ts';
import { Emptying } from './destinations/emptying.ts';
import { OpenedKeys } from './destinations/opened-keys.ts';
import { EventLog } from './events.ts';
import { lockProfile } from './lock.ts';
import { LogFile } from './log-file.ts';
import { Ejecting } from './machine/ejecting.ts';
import { PluggedDrives } from './machine/plugged-drives.ts';
import { PowerWatch } from './machine/power-watch.ts';
import { type Moving, workOnMove } from './moves/move-job.ts';
import { Moves } from './moves/moves.ts';
import { Overview } from './overview.ts';
import type { Common, Part } from './parts.ts';
import { Plans } from './plans/plans.ts';
import { liveFilesOf, makeProfile, type Profile } from './profile.ts';
import { Desk } from './runs/desk.ts';
import { ResidentIndexes } from './runs/resident-indexes.ts';
import { Thinning } from './runs/thinning.ts';
import type { Power } from './schedule/due.ts';
import { zoneOf } from './schedule/next-due.ts';
import { Scheduling } from './scheduling.ts';
import { type SecretKeeper, Secrets } from './secrets.ts';
import { copyFolderOf } from './settings-copy/copy.ts';
import { SettingsKeeper } from './settings-copy/keeper.ts';
import { Recovery } from './settings-copy/recovery.ts';
import { StateStore } from './state/store.ts';
import { defectAlarms } from './watch/defect-alarms.ts';
import { JournalDefects } from './watch/journal-defects.ts';
import { PlanWatches } from './watch/plan-watches.ts';
import type { HostLink } from './watchdog/host-link.ts';
import { guardMemory } from './watchdog/memory.ts';
import { ServiceWatch } from './watchdog/service-watch.ts';
import { watchedBudgets } from './watchdog/watched-budgets.ts';
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
  /** The process that watches over this one, and tells its person. Without one the service watches itself. */
  readonly host?: HostLink | undefined;
  /** Somebody is to be told that something needs them, or that it does no more; as long as no host does it. */
  readonly onNotice?: ((what: Notice['what'], alarm: Alarm) => void) | undefined;
  /** For whoever looks at the service's own output. */
  readonly onNote?: ((text: string) => void) | undefined;
}

export class Service {
  readonly profile: Profile;
  readonly startedAt: number;
  readonly state: StateStore;
  readonly events: EventLog;
  readonly destinations: Destinations;
  readonly desk: Desk;
  readonly plans: Plans;
  readonly scheduling: Scheduling;
  readonly recovery: Recovery;
  readonly overview: Overview;
  readonly drives: PluggedDrives;
  readonly app: App;
  readonly care: Care;
  readonly catalogue: CatalogueKeeper;
  readonly capacities: Capacities;
  readonly defects: JournalDefects;
  readonly moves: Moves;
  readonly copies: CopyKeeper;
  /** Folders and files of the service's own that go into no backup. */
  readonly leftOut: readonly string[];
  readonly #common: Common;
  readonly #log: LogFile;
  readonly #unlock: () => void;
  readonly #power: PowerWatch;
  readonly #watches: PlanWatches;
  readonly #indexes: ResidentIndexes;
  readonly #openedKeys: OpenedKeys;
  readonly #watch: ServiceWatch;
  readonly #copy: SettingsKeeper;
  readonly #parts: readonly Part[];
  #acting: Promise<void> = Promise.resolve();

  /** Takes the profile. Throws `service-running`, `state-newer`, `state-failed`. */
  constructor(options: ServiceOptions) {
    const { profile, clock, identity } = options;
    const { home = homedir(), cacheFolder = join(profile.folder, 'cache') } = options;
    this.profile = profile;
    this.startedAt = clock.now();
    this.#log = new LogFile(profile.folder, clock);
    const onNote = (text: string): void => {
      this.#log.write(text);
      options.onNote?.(text);
    };
    const onDefect = (error: unknown): void => onNote(toHoldfastError(error).message);
    makeProfile(profile);
    this.#unlock = lockProfile(profile);
    try {
      this.state = new StateStore(profile.stateFile, clock, (what, error) => onNote(`${what} cannot be read (${error.message}).`));
    } catch (error) {
      this.#unlock();
      throw error;
    }
    const { state } = this;
    this.events = new EventLog(() => this.overview.whole());
    const { events } = this;
    const common: Common = { profile, clock, identity, home, cacheFolder, state, events, besides: new Besides(), onNote };
    this.#common = common;
    this.leftOut = [cacheFolder, ...liveFilesOf(profile)];
    this.#copy = new SettingsKeeper(common);
    this.#copy.rebuild();
    this.drives = new PluggedDrives({
      clock,
      drives: options.drives,
      onArrived: (uuid) => this.#driveMoved(uuid, true),
      onLeft: (uuid) => this.#driveMoved(uuid, false),
    });
    this.#power = new PowerWatch(clock, options.readPower, () => this.scheduling.scheduler.look());
    this.#openedKeys = new OpenedKeys(clock);
    const secrets = new Secrets(options.keeper);
    this.destinations = new Destinations({
      state,
      identity,
      clock,
      ownPlace: profile.ownRepository,
      secrets,
      openedKeys: this.#openedKeys,
      settings: () => state.settings(),
      cacheFolder,
      locate: (destination) => this.drives.locate(destination),
      volumeOf: (folder) => this.drives.volumeOf(folder),
      onChange: (destination) => {
        events.publish({ type: 'destination', destination });
        this.copies.destinationTold(destination);
      },
      onStored: () => {
        this.#copy.keep();
        this.#watches.setPlans(state.plans());
        this.catalogue.destinationsChanged();
      },
      onRemoved: (id) => {
        events.publish({ type: 'destination-removed', id });
        this.app.library.moved(id);
        this.care.removed(id);
      },
      onDefect,
    });
    this.#indexes = new ResidentIndexes(clock);
    this.moves = new Moves({
      state,
      secrets,
      desk: { askTask: (task) => this.desk.askTask(task), unfinished: () => this.desk.unfinished() },
    });
    const moving: Moving = {
      state,
      secrets,
      destinations: this.destinations,
      plans: { change: (id, input) => this.plans.change(id, input) },
      onPlaced: (id) => this.app.library.moved(id),
    };
    this.desk = new Desk({
      state,
      destinations: this.destinations,
      clock,
      identity,
      settingsCopy: copyFolderOf(profile),
      leftOut: this.leftOut,
      indexes: this.#indexes,
      takeJournal: (run, besides) => this.#watches.take(run, besides),
      writeSettingsCopy: () => this.#copy.write(),
      onRun: (run) => {
        events.publish({ type: 'run', run });
        this.catalogue.runsChanged();
        this.copies.runsChanged(run);
      },
      onDefect,
      onProgress: (progress) => events.publishProgress({ type: 'progress', progress }),
      onEnded: (run) => this.#ended(run),
      otherWork: (kind) => {
        if (kind === 'move') return (job) => workOnMove(job, moving);
        return kind === 'copy' ? this.copies.work : (this.app.workOf(kind) ?? this.care.workOf(kind));
      },
      onDamage: (destination) => this.care.damageMet(destination, []),
      spare: (plan, destination, going, here) => this.copies.spare(plan, destination, going, here),
    });
    this.defects = new JournalDefects(state, clock, (plan) => {
      this.overview.tellPlan(plan);
      this.#tellAlarms();
    });
    this.#watches = new PlanWatches({
      clock,
      onChange: (plan) => this.scheduling.scheduler.changed(plan),
      defects: this.defects,
      ownFolders: () => [profile.folder, cacheFolder, ...state.destinations().map(({ place }) => place)],
      onDefect,
    });
    this.#watch = new ServiceWatch({
      clock,
      host: options.host,
      memory: guardMemory(profile.folder),
      plans: () => watchedPlans(state, clock, (id) => this.#isThere(id)),
      budgets: () => watchedBudgets(this.capacities),
      onNotice: (what, alarm) => {
        this.#log.write(`${what}: ${alarm.message}`);
        options.onNotice?.(what, alarm);
      },
      onAlarms: () => this.#tellAlarms(),
      onNote,
    });
    this.scheduling = new Scheduling({
      clock,
      watches: this.#watches,
      state,
      desk: this.desk,
      power: () => this.#power.now,
      isDestinationThere: (id) => this.#isThere(id),
      onPlan: (id) => this.overview.tellPlan(id),
      onPause: () => events.publish({ type: 'pause', pause: this.scheduling.pause }),
      onDefect,
    });
    this.overview = new Overview({
      ...common,
      destinations: this.destinations,
      desk: this.desk,
      pause: () => this.scheduling.pause,
      outlook: (plan) => this.scheduling.scheduler.outlook(plan),
      watchNotes: (plan) => this.#watches.notes(plan),
      alarms: () => this.#alarms(),
    });
    this.plans = new Plans({
      ...common,
      desk: this.desk,
      destinations: this.destinations,
      onStored: () => {
        this.#copy.keep();
        this.scheduling.changed();
      },
      onRemoved: (id) => {
        this.#copy.keep();
        this.scheduling.removed(id);
      },
      onChanged: (id) => this.overview.tellPlan(id),
      onForgotten: () => this.catalogue.look(),
    });
    this.recovery = new Recovery({
      ...common,
      destinations: this.destinations,
      onTaken: () => {
        this.#copy.keep();
        this.scheduling.changed();
        events.publish({ type: 'state', state: this.overview.whole() });
      },
    });
    this.app = new App({
      ...common,
      destinations: this.destinations,
      desk: this.desk,
      whole: () => this.overview.whole(),
      isThere: (id) => this.#isThere(id),
      onStored: () => this.#copy.keep(),
      onDamage: (destination) => this.care.damageMet(destination, 'all'),
    });
    this.care = new Care({
      ...common,
      destinations: this.destinations,
      desk: this.desk,
      power: () => this.#power.now,
      isPaused: () => this.scheduling.pause !== undefined,
    });
    this.catalogue = new CatalogueKeeper({
      ...common,
      file: profile.catalogueFile,
      destinations: this.destinations,
      desk: this.desk,
      indexes: this.#indexes,
    });
    this.capacities = new Capacities({
      ...common,
      destinations: this.destinations,
      isThere: (id) => this.#isThere(id),
      onStored: () => this.#copy.keep(),
      onChange: () => this.#watch.look(),
    });
    this.copies = new CopyKeeper({
      ...common,
      library: this.app.library,
      destinations: this.destinations,
      desk: this.desk,
      isThere: (id) => this.#isThere(id),
      blocker: (plan) => this.scheduling.blockerOf(plan),
      zoneOf: ({ schedule }) => zoneOf(schedule, computerZone()),
    });
    const release = async (destination: string): Promise<void> => {
      const { app, catalogue, capacities } = this;
      await Promise.all([app.library.books.release(destination), catalogue.release(destination), capacities.release(destination)]);
    };
    this.#parts = [
      this.plans,
      this.app,
      this.care,
      this.catalogue,
      this.capacities,
      this.copies,
      this.#watch,
      new Emptying({ ...common, library: this.app.library, desk: this.desk }),
      new Thinning(common),
      new Ejecting({ ...common, drives: this.drives, desk: this.desk, isWanted: (id) => this.copies.isWanted(id), release }),
    ];
  }

  /** Begins to act, and takes up what the last service left. `atLogin`: it is started because its person has logged in. */
  async start({ atLogin = false } = {}): Promise<void> {
    this.#power.begin();
    await this.drives.begin();
    for (const part of this.#parts) part.begin?.();
    this.desk.takeUp(this.scheduling.resumes);
    if (atLogin) this.scheduling.scheduler.loggedIn();
    this.#watches.setPlans(this.state.plans());
    this.#acting = this.scheduling.scheduler.begin();
  }

  /** Somebody else notices when this service ends or hangs. */
  get isWatched(): boolean {
    return this.#watch.isWatched;
  }

  async close(): Promise<void> {
    const { besides } = this.#common;
    this.scheduling.scheduler.stop();
    besides.cancel();
    this.#watches.close();
    this.#indexes.close();
    this.#openedKeys.clear();
    await Promise.all([this.desk.close(), this.drives.close(), this.#power.close()]);
    await Promise.all([this.#acting, ...this.#parts.map((part) => part.close?.()), besides.ended()]);
    this.state.close();
    this.#unlock();
  }

  #alarms(): Alarm[] {
    return [...this.#watch.alarms(), ...defectAlarms(this.state.plans(), this.defects)];
  }

  #tellAlarms(): void {
    this.events.publish({ type: 'alarms', alarms: this.#alarms() });
  }

  /** Throws `bad-usage` for a limit that cannot be read. */
  changeSettings(change: SettingsChange): Settings {
    const { limitUpload, limitDownload } = change;
    pacesOf({ limitUpload: limitUpload ?? undefined, limitDownload: limitDownload ?? undefined }, this.#common.clock);
    const settings = this.state.changeSettings(change);
    this.#copy.keep();
    this.events.publish({ type: 'settings', settings });
    return settings;
  }

  /** A person wants a backup now. Throws what {@link Desk.ask} throws. */
  startRun(plan: string, destination: string | undefined, strategy: Strategy | undefined): Run {
    return this.desk.ask({ plan, destination, cause: 'person', strategy: strategy ?? 'incremental' });
  }

  /** The computer fell asleep, woke, or is fed in another way: what depends on that is looked at again. */
  machineNews(news: MachineNews): void {
    this.#log.write(`The computer: ${news}.`);
    if (news === 'suspend') {
      // What sleeps may be taken away, memory and all.
      this.#openedKeys.clear();
      return;
    }
    // Network cards and drives come back some time after the wake; whatever needs them is tried again anyway.
    this.#power.look();
    this.scheduling.scheduler.look();
  }

  #ended(run: Run): void {
    const { id, planName, destinationName, status, error } = run;
    this.#log.write(`Run ${id} of “${planName}” to “${destinationName}”: ${status}${error ? ` (${error.message})` : ''}.`);
    if (run.plan !== null) this.overview.tellPlan(run.plan);
    this.scheduling.runEnded(run);
    this.scheduling.scheduler.look();
    for (const part of this.#parts) part.runEnded?.(run);
  }

  #isThere(id: string): boolean {
    const destination = this.state.destinations().find((each) => each.id === id);
    return destination === undefined || this.drives.isThere(destination);
  }

  #driveMoved(uuid: string, isThere: boolean): void {
    for (const { id, volume } of this.state.destinations()) {
      if (volume?.uuid !== uuid) continue;
      this.destinations.moved(id, isThere);
      this.app.library.moved(id);
      if (isThere) {
        this.scheduling.scheduler.driveArrived(id);
        this.catalogue.look(id);
      } else this.scheduling.scheduler.look();
    }
  }
}
