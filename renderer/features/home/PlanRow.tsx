import i18next from 'i18next';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { PlanFacts } from '../../../src/contract/home.ts';
import type { Plan } from '../../../src/contract/plan.ts';
import type { State } from '../../../src/contract/state.ts';
import { useNow } from '../../clock.ts';
import { bytes, folderName, list, relative, span } from '../../ui/format.ts';
import { scheduleWords } from '../../ui/schedule-words.ts';
import { type Condition, StateDot } from '../../ui/StateDot.tsx';
import { DestinationMark } from './DestinationMark.tsx';
import { DayStrip } from './DayStrip.tsx';
import styles from './PlanRow.module.css';
import { RunLine } from './RunLine.tsx';

interface PlanRowProps {
  readonly plan: Plan;
  readonly state: State;
  /** Undefined for a plan that was just made. */
  readonly facts: PlanFacts | undefined;
}

/** A plan as Home shows it: what and where to, its last thirty days, how old and how quickly back, and what is going on. */
export function PlanRow({ plan, state, facts }: PlanRowProps) {
  const { t } = useTranslation();
  const now = useNow();
  const runs = state.runs.filter((run) => run.plan === plan.id);
  const condition = conditionOf(plan, facts, runs);
  const standIn = state.planStates.find((each) => each.plan === plan.id)?.standIn;
  const size = facts?.rto.bytes;
  return (
    <li className={styles.unit}>
      <div className={styles.head}>
        <StateDot state={condition} size={18} />
        <h2 className={styles.name}>
          <Link href={`/plans/${plan.id}`}>{plan.name}</Link>
        </h2>
        <span className={styles.sources}>
          {sourcesInWords(plan)}
          {size ? ` · ${bytes(size)}` : ''}
        </span>
        <span className={styles.schedule}>{plan.enabled ? scheduleWords(plan.schedule) : t('home.plan.off')}</span>
      </div>
      {facts ? <DayStrip days={facts.days} /> : null}
      {runs.map((run) => (
        <RunLine key={run.id} run={run} progress={state.progress.find((each) => each.run === run.id)} />
      ))}
      <div className={styles.foot}>
        <ul className={styles.destinations}>
          {plan.destinations.map(({ destination, role }) => (
            <DestinationMark
              key={destination}
              destination={state.destinations.find(({ id }) => id === destination)}
              role={role}
              lastAt={facts?.rpo.destinations.find((each) => each.destination === destination)?.lastAt ?? null}
              isStandingIn={
                standIn?.destination === destination ||
                (role === 'standby' && runs.some((run) => run.kind === 'backup' && run.destination === destination))
              }
            />
          ))}
        </ul>
        <ul className={styles.figures}>
          {facts ? <Figures facts={facts} /> : null}
          <li>{nextInWords(plan, state, now)}</li>
        </ul>
      </div>
    </li>
  );
}

/** A plan that has stored nothing yet is not fine, though nothing is wrong with it. */
function conditionOf({ enabled }: Plan, facts: PlanFacts | undefined, runs: State['runs']): Condition {
  if (runs.some(({ status }) => status === 'running')) return 'working';
  if (!facts) return enabled ? 'idle' : 'paused';
  return facts.state === 'fine' && facts.lastBackup === null ? 'idle' : conditions[facts.state];
}

const conditions: Readonly<Record<PlanFacts['state'], Condition>> = {
  fine: 'fine',
  attention: 'attention',
  'at-risk': 'risk',
  off: 'paused',
};

/** How old the newest copy is and how long a full restore takes, each beside what is wanted. */
function Figures({ facts: { rpo, rto } }: { readonly facts: PlanFacts }) {
  const { t } = useTranslation();
  const ages = rpo.destinations.flatMap(({ ageMs }) => (ageMs === null ? [] : [ageMs]));
  const newest = ages.length > 0 ? Math.min(...ages) : undefined;
  const isLate = newest !== undefined && newest > rpo.targetMs;
  const target = span(rpo.targetMs / 1000);
  return (
    <>
      {newest === undefined ? null : (
        <li data-missed={isLate || undefined}>
          {isLate ? <StateDot state="attention" size={13} /> : null}
          {t('home.plan.newest', { age: span(Math.max(60, newest / 1000)), target })}
        </li>
      )}
      {rto.estimateMs === null ? null : (
        <li data-missed={rto.isWithin === false || undefined}>
          {rto.isWithin === false ? <StateDot state="attention" size={13} /> : null}
          {rto.targetMs === null
            ? t('home.plan.restore', { span: span(rto.estimateMs / 1000) })
            : t('home.plan.restoreOf', { span: span(rto.estimateMs / 1000), target: span(rto.targetMs / 1000) })}
        </li>
      )}
    </>
  );
}

/** `Documents, Pictures and Desktop`; of many the first few. */
function sourcesInWords({ sources }: Plan): string {
  const names = sources.map(({ path }) => folderName(path));
  return list(names.length <= 4 ? names : [...names.slice(0, 3), `+${names.length - 3}`]);
}

/** When it runs next, or what it waits for. */
function nextInWords({ id, enabled, schedule }: Plan, { planStates, runs, pause }: State, now: number): string {
  const { t } = i18next;
  if (!enabled) return t('home.plan.nextOff');
  if (runs.some((run) => run.plan === id && run.status === 'running')) return t('home.plan.nowRunning');
  const planState = planStates.find(({ plan }) => plan === id);
  if (planState?.waitsFor) return t(`home.plan.waits.${planState.waitsFor.by}`);
  if (pause) return t('home.plan.waits.pause');
  if (planState?.nextDue) return t('home.plan.next', { when: relative(Math.max(planState.nextDue, now + 60_000), now) });
  if (schedule.triggers.some(({ kind }) => kind === 'change')) return t('home.plan.nextOnChange');
  return t('home.plan.nextByHand');
}
