import { PasswordInput } from '@mantine/core';
import { CalendarClock, CalendarDays, Hand } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { PasswordStrength } from '../../../src/contract/passwords.ts';
import { type Schedule, usualSchedule } from '../../../src/contract/schedule.ts';
import { api } from '../../api.ts';
import { useSettled } from '../../clock.ts';
import { adviceWords } from '../../ui/advice-words.ts';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { sentences } from '../../ui/format.ts';
import { scheduleSentence } from '../../ui/schedule-words.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import { Choice } from './Choice.tsx';
import { StepFrame } from './StepFrame.tsx';
import { begin, scheduleFor } from './begin.ts';
import { change, totalOf, useFirstRun, type WhenChoice } from './store.ts';
import styles from './steps.module.css';

const choices: readonly { readonly when: WhenChoice; readonly icon: typeof Hand }[] = [
  { when: 'advised', icon: CalendarClock },
  { when: 'daily', icon: CalendarDays },
  { when: 'by-hand', icon: Hand },
];

/** The third step: a password, and when. */
export function Protect() {
  const { t } = useTranslation();
  const state = useFirstRun();
  const { password, when, where, chosen, sizes } = state;
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const { bytes: sizeBytes, isDone } = totalOf({ chosen, sizes });
  // Asked again when all is counted.
  const advice = useAnswer(isDone ? 'advice' : 'advice so far', (signal) =>
    api.advice(
      {
        sizeBytes,
        // What personal files mostly do: about one part in a hundred is new each day.
        changePerDayBytes: Math.round(sizeBytes / 100),
        rpoMinutes: wantedRpo,
        rtoMinutes: wantedRto,
        destinations: [{ id: 'first', kind: where?.kind === 'server' ? 'server' : where?.kind === 'drive' ? 'external' : 'computer' }],
      },
      { signal },
    ),
  );
  const advised: Schedule = advice.value?.schedule ?? usualSchedule;
  useEffect(() => change({ advised }), [advised]);
  const start = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      const made = await begin(useFirstRun.getState(), t('firstRun.protect.planName'));
      change({ made, step: 'running' });
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  const why = (advice.value?.reasons ?? []).slice(0, 2).map(adviceWords);
  const words: Readonly<Record<WhenChoice, string>> = {
    advised: sentences([scheduleSentence(advised), ...why]),
    daily: scheduleSentence(scheduleFor('daily', advised, where?.kind === 'drive')),
    'by-hand': t('firstRun.protect.byHandText'),
  };
  return (
    <StepFrame
      title={t('firstRun.protect.title')}
      text={t('firstRun.protect.text')}
      verb={t('firstRun.protect.start')}
      isReady={password !== ''}
      isBusy={isBusy}
      onBack={() => change({ step: 'where' })}
      onContinue={() => void start()}
    >
      <PasswordInput
        label={t('firstRun.protect.password')}
        description={t('firstRun.protect.passwordText')}
        size="md"
        autoComplete="new-password"
        value={password}
        onChange={({ currentTarget }) => change({ password: currentTarget.value })}
      />
      <Strength password={password} />
      <fieldset className={`${styles.choices} ${styles.group}`}>
        <h2>{t('firstRun.protect.when')}</h2>
        {choices.map(({ when: each, icon }) => (
          <Choice
            key={each}
            type="radio"
            name="when"
            icon={icon}
            title={t(`firstRun.protect.choice.${each}`)}
            text={words[each]}
            tag={each === 'advised' ? t('firstRun.where.recommended') : undefined}
            isChecked={when === each}
            onChange={() => change({ when: each })}
          />
        ))}
      </fieldset>
      {error === undefined ? null : (
        <div className={styles.error}>
          <ErrorMessage error={error} />
        </div>
      )}
    </StepFrame>
  );
}

/** Minutes: what most people want who have not thought about it. */
const wantedRpo = 240;
const wantedRto = 1440;

/** How well the password stands up to who has the backup's files; said while it is typed, and never a condition. */
function Strength({ password }: { readonly password: string }) {
  const { t } = useTranslation();
  const settled = useSettled(password, 150);
  const { value } = useAnswer(settled === '' ? undefined : settled, (signal) => api.passwords.strength({ password: settled }, { signal }));
  const strength: PasswordStrength | undefined = password === '' ? undefined : value;
  const score = strength?.score ?? -1;
  return (
    <div role="status">
      <div className={styles.strength} data-score={score} aria-hidden>
        {[0, 1, 2, 3].map((bar) => (
          <i key={bar} data-on={score > bar || (score === 0 && bar === 0) || undefined} />
        ))}
      </div>
      <p className="secondary">
        {strength ? t(`firstRun.protect.strength.${scores[strength.score] ?? 'fair'}`) : t('firstRun.protect.hint')}
      </p>
    </div>
  );
}

const scores = ['awful', 'weak', 'fair', 'good', 'great'] as const;
