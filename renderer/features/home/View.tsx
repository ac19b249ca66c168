import { CircleHelp, ShieldPlus } from 'lucide-react';
import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { HomeFacts } from '../../../src/contract/home.ts';
import type { State } from '../../../src/contract/state.ts';
import { useService } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { Page } from '../../ui/Page.tsx';
import { ActButton } from './ActButton.tsx';
import { Answer } from './Answer.tsx';
import { MissingCopy } from './MissingCopy.tsx';
import { PlanRow } from './PlanRow.tsx';
import { FurtherReasons } from './FurtherReasons.tsx';
import { useFacts } from './store.ts';
import styles from './View.module.css';

/** The first screen. It answers one question in one line: are my files safe? */
export default function Home() {
  const { t } = useTranslation();
  const state = useService((whole) => whole);
  const { facts, error } = useFacts();
  const place = t('frame.place.home');
  if (state && state.plans.length === 0) return <NoPlan />;
  if (!state || !facts) {
    return (
      <Page
        place={place}
        title={<span className={styles.waiting}>{t('home.looking')}</span>}
        isLarge
        reason={error ? null : <>{'\u00a0'}</>}
      >
        {error ? <ErrorMessage error={error} /> : <Bones rows={2} height={128} />}
      </Page>
    );
  }
  return <Answered state={state} facts={facts} />;
}

function Answered({ state, facts }: { readonly state: State; readonly facts: HomeFacts }) {
  const { t } = useTranslation();
  return (
    <Page
      place={t('frame.place.home')}
      title={<Answer facts={facts} state={state} part="line" />}
      isLarge
      reason={<Answer facts={facts} state={state} part="reason" />}
      action={<ActButton facts={facts} state={state} />}
    >
      <FurtherReasons facts={facts} state={state} />
      <ul className={styles.plans}>
        {state.plans.map((plan) => (
          <PlanRow key={plan.id} plan={plan} state={state} facts={facts.plans.find((each) => each.plan === plan.id)} />
        ))}
      </ul>
      <MissingCopy facts={facts} state={state} />
    </Page>
  );
}

function NoPlan() {
  const { t } = useTranslation();
  const [, go] = useLocation();
  return (
    <Page place={t('frame.place.home')} title={t('home.empty.line')} isLarge reason={t('home.empty.reason')}>
      <Empty icon={ShieldPlus} title={t('home.empty.title')} action={<Button onClick={() => go('/welcome')}>{t('home.empty.act')}</Button>}>
        {t('home.empty.text')}
      </Empty>
      <p className={styles.help}>
        <CircleHelp size={14} aria-hidden /> {t('home.empty.already')}
      </p>
    </Page>
  );
}
