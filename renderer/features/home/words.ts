/** The answer in words: the line, its reason, and the verb of the one button. */
import i18next from 'i18next';
import type { HomeFacts, HomeReason } from '../../../src/contract/home.ts';
import type { State } from '../../../src/contract/state.ts';
import { errorWords } from '../../ui/error-words.ts';
import { count, moment, relative, sentences, span } from '../../ui/format.ts';
import { failureOf } from '../destinations/words.ts';
import type { Condition } from '../../ui/StateDot.tsx';

export interface AnswerWords {
  readonly condition: Condition;
  readonly line: string;
  readonly reason: string;
}

/** The answer at the time `now`. */
export function answerWords(facts: HomeFacts, state: State, now: number): AnswerWords {
  const { t } = i18next;
  const [first] = facts.reasons;
  const beginning = firstBackup(facts, state);
  if (beginning && first?.level !== 'at-risk') {
    return { condition: 'working', line: t('home.line.firstRunning'), reason: t('home.reason.firstRunning', { destination: beginning }) };
  }
  if (first) return { condition: first.level === 'at-risk' ? 'risk' : 'attention', ...reasonWords(first, state, now) };
  // Not overdue yet, but nothing is stored: nobody may think otherwise.
  if (facts.lastBackupAt === null) return { condition: 'idle', line: t('home.line.notYet'), reason: t('home.reason.notYet') };
  return { condition: 'fine', line: t('home.line.safe'), reason: goodNews(facts, now) };
}

/** Where the first backup ever goes while it is at work. */
function firstBackup({ lastBackupAt }: HomeFacts, { runs }: State): string | undefined {
  return lastBackupAt === null ? runs.find(({ kind }) => kind === 'backup')?.destinationName : undefined;
}

/** When the last backup was, where to, and whether restoring was tested. */
function goodNews({ lastBackupAt, lastTestAt, destinationsCurrent, destinationsWanted, plans }: HomeFacts, now: number): string {
  const { t } = i18next;
  if (lastBackupAt === null) return '';
  const backup = t('home.reason.lastBackup', {
    ago: relative(lastBackupAt, now),
    current: count(destinationsCurrent),
    count: destinationsWanted,
  });
  if (lastTestAt === null) return `${backup} · ${t('home.reason.notTested')}`;
  const test = plans.map(({ lastTest }) => lastTest).find((each) => each?.at === lastTestAt);
  const ago = relative(lastTestAt, now);
  if (!test) return `${backup} · ${t('home.reason.testedAt', { ago })}`;
  return `${backup} · ${
    test.different === 0
      ? t('home.reason.tested', { ago, count: test.compared, files: count(test.compared) })
      : t('home.reason.testedDifferent', { ago, count: test.different, files: count(test.different) })
  }`;
}

/** One reason, as a line and what stands below it. */
export function reasonWords(reason: HomeReason, state: State, now: number): { readonly line: string; readonly reason: string } {
  const { t } = i18next;
  const plan = state.plans.find(({ id }) => id === reason.plan)?.name ?? '';
  const destination = state.destinations.find(({ id }) => id === reason.destination);
  const names = { plan, destination: destination?.name ?? '', ago: reason.since === null ? '' : relative(reason.since, now) };
  // Nobody is told that older backups are safe where there are none.
  const isStored = Object.keys(state.planStates.find((each) => each.plan === reason.plan)?.lastSuccess ?? {}).length > 0;
  const isAway = reason.action.code === 'plug-in' || destination?.now.state === 'not-plugged-in';
  switch (reason.code) {
    case 'never-backed-up':
      return {
        line: t('home.line.neverBackedUp', names),
        reason: isAway ? t('home.reason.awayFirst', names) : t('home.reason.neverBackedUp'),
      };
    case 'overdue': {
      const since = reason.since === null ? '' : span(Math.max(60, (now - reason.since) / 1000));
      return {
        line: t('home.line.overdue', { ...names, span: since }),
        reason: isAway
          ? t('home.reason.away', names)
          : destination?.now.state === 'failing'
            ? failure(destination)
            : t('home.reason.overdue'),
      };
    }
    case 'destination-failing':
      return {
        line: t('home.line.destinationFailing', names),
        reason: destination?.now.state === 'failing' ? failure(destination) : t('home.reason.destinationFailing'),
      };
    case 'alarm':
      return alarmWords(reason, state);
    case 'paused':
      return {
        line: t('home.line.paused'),
        reason: state.pause?.until ? t('home.reason.pausedUntil', { time: moment(state.pause.until, now) }) : t('home.reason.paused'),
      };
    case 'service-problem':
      return { line: t('home.line.serviceProblem'), reason: t('home.reason.serviceProblem') };
    case 'last-failed':
      return { line: t('home.line.lastFailed', names), reason: t(isStored ? 'home.reason.lastFailed' : 'home.reason.firstFailed') };
    case 'standby-in-use': {
      const other = state.destinations.find(({ id }) => id === reason.detail);
      const away = { ...names, other: other?.name ?? '' };
      return {
        line: t('home.line.standbyInUse', away),
        reason: other?.now.state === 'failing' ? failure(other) : t('home.reason.standbyInUse', away),
      };
    }
    case 'last-warnings':
      return { line: t('home.line.lastWarnings', names), reason: t('home.reason.lastWarnings') };
    case 'destination-password':
      return { line: t('home.line.destinationPassword', names), reason: t('home.reason.destinationPassword') };
    case 'destination-nearly-full':
      return { line: t('home.line.destinationNearlyFull', names), reason: t('home.reason.destinationNearlyFull') };
    case 'budget-passed':
      return { line: t('home.line.budgetPassed', names), reason: t('home.reason.budgetPassed') };
    case 'budget-near':
      return { line: t('home.line.budgetNear', names), reason: t('home.reason.budgetNear') };
    case 'plan-off':
      return { line: t('home.line.planOff', names), reason: t('home.reason.planOff') };
    case 'rto-missed':
      return { line: t('home.line.rtoMissed', names), reason: t('home.reason.rtoMissed') };
    case 'kit-not-saved':
      return { line: t('home.line.kitNotSaved', names), reason: t('home.reason.kitNotSaved') };
    case 'not-tested':
      return { line: t('home.line.notTested', names), reason: t('home.reason.notTestedLong') };
  }
}

/** What a destination that fails has said, in our words. */
function failure(destination: State['destinations'][number]): string {
  const { what, means, todo } = errorWords(failureOf(destination));
  return sentences([what, means, todo]);
}

function alarmWords({ detail, plan }: HomeReason, { alarms, plans }: State): { readonly line: string; readonly reason: string } {
  const { t } = i18next;
  const alarm = alarms.find(({ kind, key }) => detail !== null && (detail === key || detail === kind || detail.startsWith(`${kind} `)));
  if (alarm?.kind === 'clock') return { line: t('home.line.clock'), reason: t('home.reason.clock') };
  if (alarm?.kind === 'watch') {
    const name = plans.find(({ id }) => id === plan)?.name ?? '';
    return { line: t('home.line.watch', { plan: name }), reason: t('home.reason.watch') };
  }
  // One that this page does not know yet: the service's own words.
  return { line: alarm?.message ?? t('home.line.alarm'), reason: alarm?.guidance ?? t('home.reason.alarm') };
}
