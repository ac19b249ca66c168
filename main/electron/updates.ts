/** New versions: looked for once a day, loaded in the background, checked, and installed when the person says so. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'electron';
import type { AppUpdater } from 'electron-updater';
import type { UpdateState } from '../../src/contract/desktop-calls.ts';
import { fail, HoldfastError } from '../../src/contract/errors.ts';
import type { Clock } from '../../src/platform/clock.ts';
import { replaceFile } from '../../src/platform/replace-file.ts';
import { checkDownload, checkManifest, compareVersions, type Manifest, manifestSchema } from './update-check.ts';

const lookEveryMs = 24 * 60 * 60_000;

/** The part of electron-updater that is used. */
export type Updater = Pick<
  AppUpdater,
  'checkForUpdates' | 'downloadUpdate' | 'quitAndInstall' | 'autoDownload' | 'autoInstallOnAppQuit'
> & {
  on(event: 'download-progress', listener: (progress: { percent: number }) => void): unknown;
  on(event: 'error', listener: () => void): unknown;
};

export interface UpdatesOptions {
  /** Undefined where this program cannot replace itself. */
  readonly updater: (() => Promise<Updater>) | undefined;
  /** PEM; undefined in a build that was made without one. */
  readonly publicKey: string | undefined;
  readonly current: string;
  /** Remembers the newest version that was offered. */
  readonly seenFile: string;
  readonly clock: Pick<Clock, 'every'>;
  readonly log: (text: string) => void;
}

interface Loaded {
  readonly manifest: Manifest;
  readonly file: string;
  readonly updater: Updater;
}

export class Updates {
  readonly #options: UpdatesOptions;
  readonly #listeners = new Set<(state: UpdateState) => void>();
  #state: UpdateState;
  #looking: Promise<void> | undefined;
  #loaded: Loaded | undefined;
  /** What must be ended before the program is replaced. */
  beforeInstall: () => Promise<void> = async () => {};

  constructor(options: UpdatesOptions) {
    this.#options = options;
    this.#state = { is: options.updater && options.publicKey !== undefined ? 'idle' : 'unsupported' };
  }

  get state(): UpdateState {
    return this.#state;
  }

  /** Returns the function that stops it. */
  onChange(listener: (state: UpdateState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begins to look by itself. Returns the function that stops it. */
  begin(): () => void {
    if (this.#state.is === 'unsupported') return () => {};
    void this.look();
    return this.#options.clock.every(lookEveryMs, () => void this.look());
  }

  /** Looks whether there is a newer version, and loads it. Never rejects: what went wrong is the state. Resolves before it is loaded. */
  async look(): Promise<UpdateState> {
    if (this.#state.is === 'unsupported' || this.#state.is === 'ready' || this.#state.is === 'loading') return this.#state;
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    await this.#looking;
    return this.#state;
  }

  /** Ends Holdfast and begins the new version. Throws `update-refused`, `update-absent`. */
  async install(): Promise<void> {
    if (!this.#loaded) return fail('update-absent');
    const { manifest, file, updater } = this.#loaded;
    try {
      // Some time has passed since it was loaded, in a place that other programs of this person can write to.
      await checkDownload(file, manifest);
    } catch (error) {
      this.#failed(error);
      throw error;
    }
    await this.beforeInstall();
    updater.quitAndInstall(false, true);
  }

  async #look(): Promise<void> {
    const { updater: load, publicKey = '', current, seenFile } = this.#options;
    this.#tell({ is: 'looking' });
    try {
      const updater = await load!();
      // Nothing is loaded that was not looked at, and nothing installed that nobody has asked for.
      updater.autoDownload = false;
      updater.autoInstallOnAppQuit = false;
      const found = await updater.checkForUpdates();
      const newestSeen = readSeen(seenFile);
      const manifest = found ? checkManifest(found.updateInfo, { publicKey, current, newestSeen }) : undefined;
      if (!manifest) return this.#tell({ is: 'current' });
      if (newestSeen === undefined || compareVersions(manifest.version, newestSeen) > 0) remember(seenFile, manifest.version);
      this.#tell({ is: 'loading', version: manifest.version, percent: 0 });
      void this.#load(updater, manifest);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #load(updater: Updater, manifest: Manifest): Promise<void> {
    const { version } = manifest;
    try {
      updater.on('download-progress', ({ percent }) => {
        if (this.#state.is === 'loading') this.#tell({ is: 'loading', version, percent: Math.floor(percent) });
      });
      const [file] = await updater.downloadUpdate();
      await checkDownload(file, manifest);
      this.#loaded = { manifest, file, updater };
      this.#tell({ is: 'ready', version });
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    const known =
      error instanceof HoldfastError ? error : new HoldfastError('update-failed', { cause: firstLine(error) }, { cause: error });
    this.#loaded = undefined;
    this.#options.log(known.message);
    this.#tell({ is: 'failed', error: known.toJSON() as Extract<UpdateState, { is: 'failed' }>['error'] });
  }

  #tell(state: UpdateState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0];

const version = manifestSchema.shape.version;

function readSeen(file: string): string | undefined {
  try {
    return version.safeParse(readFileSync(file, 'utf8')).data;
  } catch {
    return undefined;
  }
}

function remember(file: string, seen: string): void {
  try {
    replaceFile(file, seen);
  } catch {
    // Then an old one could be offered again, but never one that is older than what runs.
  }
}

export interface UpdateSurroundings extends Pick<UpdatesOptions, 'clock' | 'log'> {
  readonly app: Pick<App, 'isPackaged' | 'getVersion'>;
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of the shell. */
  readonly folder: string;
  /** Of the program, with what was put there when it was made. */
  readonly resources: string;
}

/** The updates of this program: of one that was installed by hand or by the system's package manager there are none. */
export function updatesOf({ app, platform, env, folder, resources, clock, log }: UpdateSurroundings): Updates {
  const keyFile = join(resources, 'update-key.pem');
  const isOwn = app.isPackaged && existsSync(join(resources, 'app-update.yml')) && (platform !== 'linux' || env.APPIMAGE !== undefined);
  return new Updates({
    updater: isOwn ? async () => (await import('electron-updater')).default.autoUpdater : undefined,
    publicKey: existsSync(keyFile) ? readFileSync(keyFile, 'utf8') : undefined,
    current: app.getVersion(),
    seenFile: join(folder, 'newest-version-seen'),
    clock,
    log,
  });
}
