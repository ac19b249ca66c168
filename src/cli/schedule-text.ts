/** Schedules in words, for people. */
import type { Schedule, Trigger } from '../contract/schedule.ts';
import { counted } from '../platform/sizes.ts';

function triggerText(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'interval':
      return trigger.minutes % 60 === 0 ? `every ${counted(trigger.minutes / 60, 'hour')}` : `every ${counted(trigger.minutes, 'minute')}`;
    case 'daily':
      return `daily at ${trigger.at}`;
    case 'weekly':
      return `${trigger.days.join(', ')} at ${trigger.at}`;
    case 'monthly':
      return `on day ${trigger.days.join(', ')} of the month at ${trigger.at}`;
    case 'cron':
      return `cron ${trigger.expression}`;
    case 'change':
      return `${counted(Math.round(trigger.delaySeconds / 60), 'minute')} after a change`;
    case 'drive':
      return 'when its drive is plugged in';
    case 'login':
      return 'at login';
  }
}

/** One for each trigger; a plan without any runs by hand. */
export const scheduleLines = ({ triggers }: Pick<Schedule, 'triggers'>): string[] =>
  triggers.length === 0 ? ['by hand'] : triggers.map(triggerText);
