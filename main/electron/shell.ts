/** The desktop shell: a window, a tray icon and notifications for the service, and the computer's news for it. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, ipcMain, Menu, type MessagePortMain, nativeTheme, protocol } from 'electron';
import { desktopChannels } from '../../src/contract/desktop-channels.ts';
import type { MachineNews } from '../../src/contract/machine.ts';
import type { Notice, ServiceEvent } from '../../src/contract/state.ts';
import type { Clock } from '../../src/platform/clock.ts';
import type { Profile } from '../../src/service/profile.ts';
import { openSocket, type ServiceClient } from '../../src/service/rpc/client.ts';
import type { SupervisorOptions } from '../../src/service/watchdog/supervisor.ts';
import { AlarmWatch } from './alarm-watch.ts';
import { serveApp } from './app-scheme.ts';
import { answerCalls } from './calls.ts';
import { guardPages } from './guard.ts';
import type { LoginItems } from './login-item.ts';
import { type Actions, appMenu, places } from './menu.ts';
import { Notices } from './notices.ts';
import { joinPort } from './port-line.ts';
import { AwakeKeeper, listenToPower } from './power.ts';
import { mayQuit } from './quitting.ts';
import { type CarriedService, ServiceConnection } from './service-connection.ts';
import { TrayView } from './tray.ts';
import { keepsAwake, type Known } from './tray-state.ts';
import type { Updates } from './updates.ts';
import { MainWindow } from './window.ts';
import { type Language, languageOf } from './words/words.ts';

export interface ShellOptions {
  readonly app: App;
  readonly profile: Profile;
  readonly clock: Clock;
  readonly platform: NodeJS.Platform;
  /** Where the shell keeps its own things. */
  readonly folder: string;
  /** The built interface, the preload script and the images. */
  readonly interfaceFolder: string;
  readonly preload: string;
  readonly assets: string;
  readonly startService: (onNotice: SupervisorOptions['onNotice']) => CarriedService;
  readonly hasTray: () => Promise<boolean>;
  readonly loginItems: LoginItems;
  readonly updates: Updates;
  /** Without a window: the person has logged in, and wants to do other things. */
  readonly isHidden: boolean;
  readonly isDeveloping: boolean;
  readonly log: (text: string) => void;
}

const look = 30_000;

export class Shell {
  readonly #options: ShellOptions;
  readonly #connection: ServiceConnection;
  readonly #window: MainWindow;
  readonly #notices: Notices;
  readonly #alarms = new AlarmWatch();
  readonly #awake = new AwakeKeeper();
  readonly #stops: (() => void)[] = [];
  #tray: TrayView | undefined;
  #language: Language;
  #isEnding = false;

  constructor(options: ShellOptions) {
    const { app, profile, clock, platform, folder, preload, assets, isDeveloping, log } = options;
    this.#options = options;
    this.#language = languageOf(undefined, app.getPreferredSystemLanguages());
    this.#connection = new ServiceConnection({
      profile,
      clock,
      start: () => options.startService((what, alarm) => this.#tell({ what, alarm })),
      onKnown: (known, event) => this.#show(known, event),
      onTrouble: (error) => log(`The service is away: ${error instanceof Error ? error.message : String(error)}`),
    });
    this.#window = new MainWindow({
      preload,
      icon: platform === 'linux' ? join(assets, 'icons/512x512.png') : undefined,
      stateFile: join(folder, 'window.json'),
      isDeveloping,
      hasTray: () => this.#tray !== undefined,
      onPutAway: () => this.#putAway(),
    });
    this.#notices = new Notices({
      go: (path) => this.#window.show(path),
      isLookedAt: () => this.#window.isFocused,
      onFailed: (cause) => log(`A notification could not be shown: ${cause}`),
    });
  }

  /** To be called when the app is ready. */
  async begin(): Promise<void> {
    const { app, platform, assets, clock, interfaceFolder, hasTray, loginItems, updates, isHidden, log } = this.#options;
    guardPages(app);
    serveApp(protocol, interfaceFolder);
    answerCalls(ipcMain, {
      platform,
      window: () => this.#window.window,
      loginItems,
      updates,
      givePort: (port) => void this.#givePort(port),
      onRefused: (what) => log(`Refused: ${what}`),
    });
    this.#setMenu();
    if (await hasTray()) this.#tray = new TrayView({ assets, platform, now: clock.now, actions: this.#actions });
    app.on('second-instance', () => this.#window.show());
    app.on('activate', () => this.#window.show());
    // The window is closed, but the app goes on.
    app.on('window-all-closed', () => {});
    app.on('before-quit', (event) => {
      if (this.#isEnding) return;
      event.preventDefault();
      void this.#quit();
    });
    this.#stops.push(
      listenToPower((news) => void this.#tellMachine(news)),
      // Words like "12 minutes ago" grow old.
      clock.every(look, () => {
        this.#tray?.show(this.#connection.known, this.#language);
        this.#watchAlarms(this.#connection.known);
      }),
      updates.onChange((state) => this.#window.send(desktopChannels.update, state)),
      updates.begin(),
    );
    updates.beforeInstall = () => this.#close();
    this.#show(this.#connection.known, undefined);
    this.#connection.begin();
    if (isHidden) this.#window.showPutAway();
    else this.#window.show();
  }

  /** Ends without asking, as when the computer is switched off. The service ends first, where it is the shell's own. */
  async end(): Promise<void> {
    if (this.#isEnding) return;
    await this.#close();
    this.#options.app.quit();
  }

  async #close(): Promise<void> {
    this.#isEnding = true;
    for (const stop of this.#stops) stop();
    this.#awake.keep(false);
    this.#window.quitting();
    this.#notices.close();
    await this.#connection.close();
    this.#tray?.close();
  }

  readonly #actions: Actions = {
    go: (path) => this.#window.show(path),
    backUpNow: () =>
      void this.#do(async ({ runs }) => {
        const plans = this.#connection.known.state?.plans.filter(({ enabled }) => enabled) ?? [];
        // One that is at work already is no reason not to start the others.
        const started = await Promise.allSettled(plans.map(({ id }) => runs.start({ plan: id })));
        if (started.length === 0 || started.some(({ status }) => status === 'rejected')) this.#window.show(places.home);
      }),
    pause: (span) => void this.#do(({ pause }) => pause.set({ for: span === 'hour' ? { minutes: 60 } : 'tomorrow' })),
    resume: () => void this.#do(({ pause }) => pause.clear()),
    quit: () => void this.#quit(),
  };

  /** What fails here is seen best in the window. */
  async #do(act: (client: ServiceClient) => Promise<unknown>): Promise<void> {
    const { client } = this.#connection;
    try {
      if (!client) return this.#window.show(places.home);
      await act(client);
    } catch (error) {
      this.#options.log(error instanceof Error ? error.message : String(error));
      this.#window.show(places.home);
    }
  }

  async #quit(): Promise<void> {
    if (this.#isEnding) return;
    if (await mayQuit(this.#connection.known, this.#language, this.#window.window)) await this.end();
  }

  #show(known: Known, event: ServiceEvent | undefined): void {
    const { app } = this.#options;
    const settings = known.state?.settings;
    const language = languageOf(settings?.language, app.getPreferredSystemLanguages());
    if (language !== this.#language) {
      this.#language = language;
      this.#setMenu();
    }
    if (settings && nativeTheme.themeSource !== settings.theme) nativeTheme.themeSource = settings.theme;
    this.#awake.keep(keepsAwake(known));
    this.#tray?.show(known, language);
    if (event) this.#notices.take(event, known.state, language);
    this.#watchAlarms(known);
  }

  #watchAlarms({ connection, state }: Known): void {
    if (this.#connection.isCarrying) return this.#alarms.forget();
    if (connection !== 'open' || !state) return;
    for (const notice of this.#alarms.see(state.alarms, this.#options.clock.now())) this.#tell(notice);
  }

  /** What the watch over the service has found: the service itself may be gone. */
  #tell(notice: Notice): void {
    this.#notices.tell(notice, this.#connection.known.state, this.#language);
  }

  #setMenu(): void {
    const { platform, isDeveloping } = this.#options;
    Menu.setApplicationMenu(Menu.buildFromTemplate(appMenu(this.#language, platform, isDeveloping, this.#actions)));
  }

  async #givePort(port: MessagePortMain): Promise<void> {
    try {
      const { socket } = await openSocket(this.#options.profile);
      joinPort(port, socket);
    } catch {
      // The page asks again.
      port.close();
    }
  }

  async #tellMachine(news: MachineNews): Promise<void> {
    try {
      await this.#connection.client?.machine.tell({ news });
    } catch (error) {
      this.#options.log(error instanceof Error ? error.message : String(error));
    }
  }

  /** Said once in the life of a profile: who knows it does not want to hear it again. */
  #putAway(): void {
    const said = join(this.#options.folder, 'said-that-it-still-runs');
    if (existsSync(said)) return;
    try {
      writeFileSync(said, '');
    } catch {
      // Then it is said again.
    }
    this.#notices.stillRuns(this.#language);
  }
}
