/** The answer to "are my files safe?" in words, by the same facts that the app shows. */
import type { HomeFacts, HomeReason } from '../contract/home.ts';
import type { State } from '../contract/state.ts';
import { formatMoment } from './dates.ts';

type Names = (id: string | null) => string;

/** What is behind the answer. Alarms have words of their own. */
const texts: Readonly<Record<HomeReason['code'], (reason: HomeReason, plan: string, destination: string, other: string) => string>> = {
  'never-backed-up': (_, plan, destination) => `${plan} has no backup on ${destination} yet.`,
  overdue: ({ since }, plan, destination) => `${plan}: the newest backup on ${destination} is of ${moment(since)}, older than you want.`,
  'service-problem': () => 'The part of Holdfast that makes backups does not work as it should.',
  alarm: () => 'Something needs you.',
  'last-failed': ({ run }, plan) => `${plan}: the last backup failed; see "holdfast run show ${run}".`,
  'standby-in-use': ({ since }, plan, destination, other) =>
    `${plan}: ${destination} is in use since ${moment(since)}, for ${other} cannot be used.`,
  'last-warnings': ({ run }, plan) => `${plan}: the last backup left something out; see "holdfast run show ${run}".`,
  'destination-failing': (_, __, destination) => `${destination} cannot be used at the moment.`,
  'destination-password': (_, __, destination) => `${destination} needs its password or its keys anew: "holdfast destination renew".`,
  'destination-nearly-full': (_, __, destination) => `${destination} is nearly full.`,
  'budget-passed': (_, __, destination) => `${destination} is beyond the budget that you set for it.`,
  'budget-near': (_, __, destination) => `${destination} comes near the budget that you set for it.`,
  paused: ({ since }) => `Nothing starts by itself since ${moment(since)}: it is paused.`,
  'plan-off': (_, plan) => `${plan} is switched off.`,
  'rto-missed': (_, plan) => `${plan}: a restore of everything would take longer than you want.`,
  'kit-not-saved': (_, __, destination) => `The recovery kit of ${destination} is not saved yet.`,
  'not-tested': (_, plan) => `${plan}: no restore was tested for three months.`,
};

const moment = (at: number | null): string => (at === null ? 'unknown' : formatMoment(at));

export function answerLines(facts: HomeFacts, { plans, destinations }: Pick<State, 'plans' | 'destinations'>): string[] {
  const plan: Names = (id) => `“${plans.find((each) => each.id === id)?.name ?? id ?? ''}”`;
  const destination: Names = (id) => `“${destinations.find((each) => each.id === id)?.name ?? id ?? ''}”`;
  if (facts.state === 'empty') return ['Nothing is protected yet.'];
  const current = `${facts.destinationsCurrent} of ${facts.destinationsWanted} destinations are up to date`;
  const tested = facts.lastTestAt === null ? 'no restore was tested yet' : `a restore was tested on ${formatMoment(facts.lastTestAt)}`;
  const answer = { fine: 'Your files are safe.', attention: 'Your files need attention.', 'at-risk': 'Your files are at risk.' }[
    facts.state
  ];
  return [
    `${answer} ${current}; ${tested}.`,
    ...facts.reasons.map(
      (reason) => `  ${texts[reason.code](reason, plan(reason.plan), destination(reason.destination), destination(reason.detail))}`,
    ),
  ];
}
