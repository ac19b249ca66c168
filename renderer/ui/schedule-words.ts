/** A schedule as a person would say it: `every hour and when files change`. */
import i18next from 'i18next';
import { type Schedule, type Trigger, weekdays } from '../../src/contract/schedule.ts';
import { spoken } from '../i18n/i18n.ts';
import { list } from './format.ts';

/** When a plan runs by itself: the times first, then what else lets it run. */
export function scheduleWords({ triggers }: Schedule): string {
  const { t } = i18next;
  if (triggers.length === 0) return t('schedule.never');
  const isEvent = ({ kind }: Trigger): boolean => kind === 'change' || kind === 'drive' || kind === 'login';
  return list([...triggers.filter((each) => !isEvent(each)), ...triggers.filter(isEvent)].map(triggerWords));
}

/** The same as a sentence of its own: `Every 2 hours and when files change.` */
export function scheduleSentence(schedule: Schedule): string {
  const words = scheduleWords(schedule);
  return i18next.t('schedule.sentence', { words: words.charAt(0).toLocaleUpperCase(spoken()) + words.slice(1) });
}

/** One trigger. */
export function triggerWords(trigger: Trigger): string {
  const { t } = i18next;
  switch (trigger.kind) {
    case 'interval': {
      const { minutes } = trigger;
      if (minutes % 1440 === 0) return t('schedule.everyDays', { count: minutes / 1440 });
      return minutes % 60 === 0 ? t('schedule.everyHours', { count: minutes / 60 }) : t('schedule.everyMinutes', { count: minutes });
    }
    case 'daily':
      return t('schedule.daily', { at: trigger.at });
    case 'weekly':
      return t('schedule.weekly', { days: list(trigger.days.map(dayName)), at: trigger.at });
    case 'monthly':
      return t('schedule.monthly', {
        days: list(trigger.days.map((day) => (day === 'last' ? t('schedule.lastDay') : t('schedule.day', { day })))),
        at: trigger.at,
      });
    case 'cron':
      return t('schedule.cron', { expression: trigger.expression });
    case 'change':
      return t('schedule.change');
    case 'drive':
      return t('schedule.drive');
    case 'login':
      return t('schedule.login');
  }
}

/** `Monday`, in the language that is shown. */
export function dayName(day: (typeof weekdays)[number]): string {
  // 5 January 1970 was a Monday.
  const at = Date.UTC(1970, 0, 5 + weekdays.indexOf(day));
  return new Intl.DateTimeFormat(spoken(), { weekday: 'long', timeZone: 'UTC' }).format(at);
}
