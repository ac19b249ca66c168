/** What the person is told outside of the window: each leads to the screen that helps. */
import { Notification } from 'electron';
import { isFinal, type Run } from '../../src/contract/run.ts';
import type { Notice, ServiceEvent, State } from '../../src/contract/state.ts';
import { places } from './menu.ts';
import { type Language, type Words, wordsOf } from './words/words.ts';

export interface NoticesOptions {
  /** Brings the window to a screen. */
  readonly go: (path: string) => void;
  /** Whether the person is looking at the interface, which says the same. */
  readonly isLookedAt: () => boolean;
  /** Told when a notification could not be shown. */
  readonly onFailed: (cause: string) => void;
}

interface Text {
  readonly title: string;
  readonly body: string;
  readonly path: string;
}

export class Notices {
  readonly #options: NoticesOptions;
  /** By what they are about: a newer one takes the place of the older. Also, one that nobody holds is collected and hears no click. */
  readonly #shown = new Map<string, Notification>();

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  /** Tells of an alarm. */
  tell(notice: Notice, state: State | undefined, language: Language): void {
    if (state?.settings.notifications !== false) this.#takeNotice(notice, state, wordsOf(language));
  }

  /** Tells of what has ended. @param state after the event */
  take(event: ServiceEvent, state: State | undefined, language: Language): void {
    if (state?.settings.notifications === false) return;
    // What starts by itself and goes well is silent; what does not is the watchdog's affair, once it matters.
    if (event.type === 'run' && isFinal(event.run.status) && event.run.cause === 'person' && !this.#options.isLookedAt()) {
      const text = textOfRun(event.run, wordsOf(language));
      if (text) this.#show(`run ${event.run.id}`, text);
    }
  }

  /** Said when the window is put away for the first time. */
  stillRuns(language: Language): void {
    const { stillRuns, stillRunsBody } = wordsOf(language).notices;
    this.#show('still runs', { title: stillRuns, body: stillRunsBody, path: places.home });
  }

  /** Takes all of them back. */
  close(): void {
    for (const notification of this.#shown.values()) notification.close();
    this.#shown.clear();
  }

  #takeNotice({ what, alarm }: Notice, state: State | undefined, words: Words): void {
    if (what === 'withdrawn') {
      this.#shown.get(alarm.key)?.close();
      this.#shown.delete(alarm.key);
      return;
    }
    const { notices } = words;
    const title = titleOf(alarm.kind, notices);
    const path = alarm.kind === 'overdue' ? places.home : places.settings;
    if (what === 'solved') this.#show(alarm.key, { title: notices.solved, body: title, path: places.home });
    else this.#show(alarm.key, { title, body: bodyOf(alarm, state, notices), path });
  }

  #show(key: string, { title, body, path }: Text): void {
    if (!Notification.isSupported()) return this.#options.onFailed('this desktop shows no notifications');
    this.#shown.get(key)?.close();
    const notification = new Notification({ title, body });
    this.#shown.set(key, notification);
    notification.on('click', () => this.#options.go(path));
    notification.on('close', () => {
      if (this.#shown.get(key) === notification) this.#shown.delete(key);
    });
    notification.on('failed', (_, cause) => this.#options.onFailed(cause));
    notification.show();
  }
}

function titleOf(kind: string, notices: Words['notices']): string {
  if (kind === 'overdue') return notices.overdue;
  if (kind === 'service') return notices.service;
  return kind === 'clock' ? notices.clock : notices.other;
}

function bodyOf(
  { kind, plan, destination, message, guidance }: Notice['alarm'],
  state: State | undefined,
  notices: Words['notices'],
): string {
  const own = `${message} ${guidance}`;
  if (kind === 'service') return notices.serviceBody ?? own;
  if (kind === 'clock') return notices.clockBody ?? own;
  const planName = state?.plans.find(({ id }) => id === plan)?.name;
  const destinationName = state?.destinations.find(({ id }) => id === destination)?.name;
  const isKnown = kind === 'overdue' && planName !== undefined && destinationName !== undefined;
  return isKnown && notices.overdueBody ? notices.overdueBody(planName, destinationName) : own;
}

/** Undefined for what the person has done, and for what did not begin. */
function textOfRun({ id, kind, status, planName, destinationName, problems }: Run, { notices }: Words): Text | undefined {
  const path = places.run(id);
  if (kind === 'restore' && (status === 'succeeded' || status === 'completed-with-warnings'))
    return { title: notices.restored, body: problems > 0 ? notices.notRead(problems) : notices.restoredBody, path };
  if (kind !== 'backup') return undefined;
  if (status === 'succeeded') return { title: notices.backedUp(planName), body: notices.backedUpBody(destinationName), path };
  if (status === 'completed-with-warnings') return { title: notices.backedUpWithWarnings(planName), body: notices.notRead(problems), path };
  return status === 'failed' ? { title: notices.failed(planName), body: notices.failedBody, path } : undefined;
}
