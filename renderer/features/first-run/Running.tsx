import { Button } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { isFinal, type Run } from '../../../src/contract/run.ts';
import { api } from '../../api.ts';
import { onServiceEvent, useService } from '../../live.ts';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { bytes, count } from '../../ui/format.ts';
import { Note } from '../../ui/Note.tsx';
import { RunLine } from '../home/RunLine.tsx';
import { Kit } from '../kit/Kit.tsx';
import { endFirstRun } from './leave.ts';
import { useFirstRun } from './store.ts';
import frame from './StepFrame.module.css';
import styles from './Running.module.css';

/** The first backup on the screen, running; and meanwhile the recovery kit. */
export function Running() {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const { made, password } = useFirstRun();
  const heading = useRef<HTMLHeadingElement>(null);
  const run = useRun(made?.run);
  const progress = useService((state) => state.progress.find((each) => each.run === made?.run));
  const [isKitSaved, setKitSaved] = useState(false);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  if (!made) return null;
  const isOver = run !== undefined && isFinal(run.status);
  const end = (): void => {
    endFirstRun();
    go('/');
  };
  return (
    <div className={frame.step}>
      <div className={frame.content}>
        <h1 ref={heading} tabIndex={-1} className={frame.title}>
          {isOver
            ? t(
                run.status === 'succeeded' || run.status === 'completed-with-warnings'
                  ? 'firstRun.running.done'
                  : 'firstRun.running.stopped',
              )
            : t('firstRun.running.title')}
        </h1>
        <p className={frame.text}>{t('firstRun.running.text')}</p>
        <section className={styles.run} aria-live="polite">
          {run === undefined ? null : isOver ? <Ended run={run} /> : <RunLine run={run} progress={progress} />}
        </section>
        <section className={styles.kit}>
          <Kit destination={made.destination} password={password} onSaved={() => setKitSaved(true)} />
        </section>
      </div>
      <footer className={frame.foot}>
        <div className={frame.inner}>
          <div className={frame.summary}>{isKitSaved ? t('firstRun.running.kitSaved') : t('firstRun.running.kitLater')}</div>
          <Button size="md" variant={isKitSaved ? 'filled' : 'default'} onClick={end}>
            {t('firstRun.running.home')}
          </Button>
        </div>
      </footer>
    </div>
  );
}

function Ended({ run }: { readonly run: Run }) {
  const { t } = useTranslation();
  if (run.error) return <ErrorMessage error={run.error} />;
  const { figures } = run;
  if (run.status === 'succeeded' || run.status === 'completed-with-warnings') {
    return (
      <Note kind={run.problems > 0 ? 'attention' : 'fine'} title={t('firstRun.running.doneTitle')}>
        {figures ? t('firstRun.running.doneText', { count: figures.files, files: count(figures.files), size: bytes(figures.bytes) }) : null}{' '}
        {run.problems > 0 ? t('firstRun.running.leftOut', { count: run.problems }) : null}
      </Note>
    );
  }
  return (
    <Note kind="attention" title={t('firstRun.running.stopped')}>
      {t('firstRun.running.stoppedText')}
    </Note>
  );
}

/** The run as it is, also when it has ended and is no part of the state any more. */
function useRun(id: number | undefined): Run | undefined {
  const live = useService(({ runs }) => runs.find((each) => each.id === id));
  const [ended, setEnded] = useState<Run>();
  useEffect(() => {
    if (id === undefined) return;
    const stop = onServiceEvent((event) => {
      if (event.type === 'run' && event.run.id === id && isFinal(event.run.status)) setEnded(event.run);
      // It may have ended while the connection was away.
      if (event.type === 'state') ask();
    });
    const ask = (): void =>
      void api.runs.get({ id }).then(
        (run) => isFinal(run.status) && setEnded(run),
        () => {},
      );
    ask();
    return stop;
  }, [id]);
  return ended ?? live;
}
