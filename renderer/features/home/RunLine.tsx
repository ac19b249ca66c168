import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Run, RunProgress } from '../../../src/contract/run.ts';
import { api } from '../../api.ts';
import { useLive } from '../../live.ts';
import { bytes, count, speed, timeLeft } from '../../ui/format.ts';
import { attempt, say } from '../../ui/messages.ts';
import { PathLine } from '../../ui/PathLine.tsx';
import { folderOf } from '../../ui/path-words.ts';
import { ProgressLine } from '../../ui/ProgressLine.tsx';
import styles from './RunLine.module.css';

/** A run at work: how far it is, how fast, how long yet; pause and cancel. */
export function RunLine({ run, progress }: { readonly run: Run; readonly progress: RunProgress | undefined }) {
  const { t } = useTranslation();
  const isOpen = useLive(({ connection }) => connection === 'open');
  const isPaused = run.status === 'paused';
  const names = { destination: run.destinationName };
  const what = t(`home.run.${run.kind}`, names);
  const total = progress?.totalBytes;
  // What is being counted is no progress of the run itself.
  const fraction = run.status === 'waiting' || total === undefined || total === 0 ? undefined : (progress?.bytes ?? 0) / total;
  const facts =
    run.status === 'waiting'
      ? [t('home.run.waiting', names)]
      : [isPaused ? t('home.run.paused') : what, ...progressWords(progress, isPaused)];
  const cancel = async (): Promise<void> => {
    if (await attempt(() => api.runs.cancel({ id: run.id }))) say(t('home.run.cancelled'));
  };
  return (
    <div className={styles.run}>
      <ProgressLine label={what} fraction={fraction} of={run.id} isPaused={isPaused || run.status === 'waiting'} />
      <div className={styles.words}>
        <p>{facts.join(' · ')}</p>
        <div className={styles.acts}>
          {run.status === 'running' ? (
            <Button
              size="compact-sm"
              variant="subtle"
              disabled={!isOpen}
              onClick={() => void attempt(() => api.runs.pause({ id: run.id }))}
            >
              {t('home.run.pause')}
            </Button>
          ) : null}
          {isPaused ? (
            <Button
              size="compact-sm"
              variant="subtle"
              disabled={!isOpen}
              onClick={() => void attempt(() => api.runs.resume({ id: run.id }))}
            >
              {t('home.run.resume')}
            </Button>
          ) : null}
          <Button size="compact-sm" variant="subtle" disabled={!isOpen} onClick={() => void cancel()}>
            {t('home.run.cancel')}
          </Button>
        </div>
      </div>
      <PathLine path={run.status === 'running' && progress?.path !== undefined ? folderOf(progress.path) : undefined} />
    </div>
  );

  function progressWords(now: RunProgress | undefined, isHeld: boolean): string[] {
    if (!now) return [];
    const amount =
      now.totalBytes === undefined
        ? t('home.run.looked', { count: now.items, items: count(now.items) })
        : t('ui.ofTotal', { done: bytes(now.bytes), total: bytes(now.totalBytes) });
    return [
      amount,
      ...(!isHeld && now.bytesPerSecond !== undefined && now.bytesPerSecond > 0 ? [speed(now.bytesPerSecond)] : []),
      ...(!isHeld && now.secondsLeft !== undefined ? [timeLeft(now.secondsLeft)] : []),
    ];
  }
}
