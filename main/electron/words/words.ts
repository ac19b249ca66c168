/** What the shell itself says, in the person's language. The screens have their own words. */
import type { Settings } from '../../../src/contract/settings.ts';
import { en } from './en.ts';
import { zhCN } from './zh-cn.ts';

export interface Words {
  readonly status: {
    readonly starting: string;
    readonly away: string;
    readonly otherVersion: string;
    readonly noPlans: string;
    readonly neverBackedUp: string;
    /** `ago`: how long, in words. */
    readonly fine: (ago: string) => string;
    readonly working: (plan: string, percent: number | undefined) => string;
    readonly workingOnSeveral: (count: number) => string;
    readonly paused: string;
    /** `until`: a time, and where it is not today its day. */
    readonly pausedUntil: (until: string) => string;
    readonly attention: (count: number) => string;
  };
  readonly menu: {
    readonly backUpNow: string;
    readonly pauseHour: string;
    readonly pauseTomorrow: string;
    readonly resume: string;
    readonly restore: string;
    readonly open: string;
    readonly quit: string;
    readonly file: string;
    readonly edit: string;
    readonly view: string;
    readonly go: string;
    readonly window: string;
    readonly help: string;
    readonly about: string;
    readonly settings: string;
    readonly home: string;
    readonly history: string;
    readonly plans: string;
    readonly destinations: string;
    /** Standard roles, by their names in Electron. */
    readonly roles: Readonly<
      Record<
        | 'undo'
        | 'redo'
        | 'cut'
        | 'copy'
        | 'paste'
        | 'selectAll'
        | 'resetZoom'
        | 'zoomIn'
        | 'zoomOut'
        | 'togglefullscreen'
        | 'minimize'
        | 'close'
        | 'hide'
        | 'hideOthers'
        | 'unhide'
        | 'services'
        | 'front',
        string
      >
    >;
  };
  readonly notices: {
    readonly overdue: string;
    readonly service: string;
    readonly clock: string;
    readonly other: string;
    readonly solved: string;
    /** Bodies of alarms; undefined: what the service says. */
    readonly overdueBody: ((plan: string, destination: string) => string) | undefined;
    readonly serviceBody: string | undefined;
    readonly clockBody: string | undefined;
    readonly backedUp: (plan: string) => string;
    readonly backedUpBody: (destination: string) => string;
    readonly backedUpWithWarnings: (plan: string) => string;
    readonly notRead: (files: number) => string;
    readonly restored: string;
    readonly restoredBody: string;
    readonly failed: (plan: string) => string;
    readonly failedBody: string;
    readonly stillRuns: string;
    readonly stillRunsBody: string;
  };
  readonly quit: {
    readonly message: string;
    readonly detail: string;
    readonly quit: string;
    readonly stay: string;
  };
  /** Beginnings of times, as `Intl` has no word for it. */
  readonly justNow: string;
}

export type Language = 'en' | 'zh-CN';

/** @param system the languages of the system, the dearest first: the one that Holdfast speaks, else English */
export function languageOf(setting: Settings['language'] | undefined, system: readonly string[]): Language {
  if (setting === 'en' || setting === 'zh-CN') return setting;
  for (const each of system) {
    const language = each.toLowerCase();
    if (language === 'zh' || language.startsWith('zh-')) return 'zh-CN';
    if (language === 'en' || language.startsWith('en-')) return 'en';
  }
  return 'en';
}

export const wordsOf = (language: Language): Words => (language === 'en' ? en : zhCN);

/** How long ago `then` is, to the unit that a person would name. Milliseconds. */
export function ago(language: Language, then: number, now: number): string {
  const minutes = Math.floor(Math.max(0, now - then) / 60_000);
  if (minutes < 1) return wordsOf(language).justNow;
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'always' });
  if (minutes < 60) return format.format(-minutes, 'minute');
  if (minutes < 48 * 60) return format.format(-Math.floor(minutes / 60), 'hour');
  return format.format(-Math.floor(minutes / (24 * 60)), 'day');
}

/** A time to come: of today without its day. */
export function clockTime(language: Language, at: number, now: number): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  return new Intl.DateTimeFormat(language, isToday ? time : { weekday: 'long', ...time }).format(at);
}
