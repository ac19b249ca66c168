import { Anchor, Button, Group } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Run } from '../../../src/contract/run.ts';
import { api } from '../../api.ts';
import { Bones } from '../../ui/Bones.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { errorWords } from '../../ui/error-words.ts';
import { bytes, count, exact, span, timeOfDay } from '../../ui/format.ts';
import { Page, Section } from '../../ui/Page.tsx';
import { shown } from '../../ui/path-words.ts';
import { usePages } from '../../ui/use-pages.ts';
import { StateWord } from '../../ui/StateDot.tsx';
import { RunLine } from '../home/RunLine.tsx';
import { useRun } from '../runs/use-run.ts';
import { Changes } from './Changes.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { conditionOf } from './RunList.tsx';
import styles from './RunPage.module.css';

/** One run: how it ended, its figures, what could not be read, what changed, and its log. */
export function RunPage({ id }: { readonly id: number }) {
  const { t } = useTranslation();
  const { run, progress, hasEnded, error } = useRun(id);
  return (
    <Page
      place={t('frame.place.history')}
      title={
        run
          ? t('history.run.title', { kind: t(`history.kind.${run.kind}`), name: run.planName || run.destinationName })
          : t('frame.place.history')
      }
      reason={
        <Anchor component={Link} href="/history" size="sm">
          {t('history.back')}
        </Anchor>
      }
    >
      {error === undefined ? null : <ErrorMessage error={error} />}
      {!run && error === undefined ? <Bones rows={5} height={48} /> : null}
      {run ? (
        <>
          {run.error ? <ErrorMessage error={run.error} isUrgent={false} /> : null}
          {hasEnded ? null : (
            <div className={styles.work}>
              <RunLine run={run} progress={progress} />
            </div>
          )}
          <RunFacts run={run} />
          <Group gap="xs" mt="md">
            {run.snapshot === null ? null : (
              <Button component={Link} href={`/history/snapshot/${run.snapshot}`} variant="default">
                {t('history.run.snapshot')}
              </Button>
            )}
            {run.kind === 'restore' || run.kind === 'undo' ? (
              <Button component={Link} href={`/restore/run/${run.id}`} variant="default">
                {t('history.run.receipt')}
              </Button>
            ) : null}
          </Group>
          {run.problems > 0 ? <Problems run={run} /> : null}
          {run.kind === 'backup' && run.snapshot !== null ? (
            <Section title={t('history.changes.title')}>
              <Changes snapshot={run.snapshot} />
            </Section>
          ) : null}
          <Log run={run} hasEnded={hasEnded} />
        </>
      ) : null}
    </Page>
  );
}

function RunFacts({ run }: { readonly run: Run }) {
  const { t } = useTranslation();
  const { figures } = run;
  return (
    <Facts
      facts={[
        [
          t('history.run.status'),
          <StateWord key="state" state={conditionOf(run.status)}>
            {run.reason === null
              ? t(`history.status.${run.status}`)
              : `${t(`history.status.${run.status}`)}: ${t(`history.reason.${run.reason}`)}`}
          </StateWord>,
        ],
        [t('history.run.cause'), t(`history.cause.${run.cause}`)],
        ...(run.destinationName === '' ? [] : [[t('history.run.destination'), run.destinationName] as const]),
        ...(run.takeovers
          ? [[t('history.run.takeovers'), run.takeovers.map((each) => t('history.run.takeover', takeoverWords(each))).join(' ')] as const]
          : []),
        ...(run.strategy === null ? [] : [[t('history.run.strategy'), t(`history.strategy.${run.strategy}`)] as const]),
        [t('history.run.began'), exact(run.started ?? run.created)],
        ...(run.ended === null || run.started === null ? [] : [[t('history.run.took'), span((run.ended - run.started) / 1000)] as const]),
        ...(figures?.copied === undefined
          ? []
          : ([
              [t('history.run.copied'), count(figures.copied)],
              [t('history.run.stored'), bytes(figures.bytesStored)],
            ] as const)),
        ...(figures && figures.copied === undefined
          ? ([
              [t('history.run.files'), t('history.run.filesOf', { files: count(figures.files), size: bytes(figures.bytes) })],
              [
                t('history.run.new'),
                t('history.run.newOf', {
                  new: count(figures.filesNew),
                  changed: count(figures.filesChanged),
                  same: count(figures.filesUnchanged),
                }),
              ],
              [
                t('history.run.stored'),
                t('history.run.storedOf', { added: bytes(figures.bytesAdded), stored: bytes(figures.bytesStored) }),
              ],
            ] as const)
          : []),
      ]}
    />
  );
}

function takeoverWords({ fromName, toName, at, error }: NonNullable<Run['takeovers']>[number]) {
  return { from: fromName, to: toName, time: exact(at), why: errorWords(error).what };
}

function Problems({ run }: { readonly run: Run }) {
  const { t } = useTranslation();
  const { rows, error, hasMore, onRange } = usePages(`problems ${run.id} ${run.problems}`, async (cursor, signal) => {
    const { problems, next } = await api.runs.problems(
      { id: run.id, after: cursor === undefined ? 0 : Number(cursor), limit: 100 },
      { signal },
    );
    return { rows: problems, next: next === null ? null : String(next) };
  });
  return (
    <Section title={t('history.problems.title', { count: run.problems, files: count(run.problems) })}>
      {error === undefined ? null : <ErrorMessage error={error} isUrgent={false} />}
      <ul className={styles.problems}>
        {rows.map(({ path, message }, index) => (
          <li key={index}>
            <span>{shown(path)}</span>
            <span className="secondary" lang="en">
              {message}
            </span>
          </li>
        ))}
      </ul>
      {hasMore ? (
        <Button variant="subtle" size="compact-sm" onClick={() => onRange(0, rows.length)}>
          {t('history.more')}
        </Button>
      ) : null}
    </Section>
  );
}

function Log({ run, hasEnded }: { readonly run: Run; readonly hasEnded: boolean }) {
  const { t } = useTranslation();
  const { rows, error, hasMore, isWaiting, onRange } = usePages(`log ${run.id} ${hasEnded}`, async (cursor, signal) => {
    const { lines, next } = await api.runs.log({ id: run.id, after: cursor === undefined ? 0 : Number(cursor), limit: 500 }, { signal });
    return { rows: lines, next: next === null ? null : String(next) };
  });
  return (
    <Section title={t('history.log.title')}>
      {error === undefined ? null : <ErrorMessage error={error} isUrgent={false} />}
      {rows.length === 0 && !isWaiting ? <p className="secondary">{t('history.log.none')}</p> : null}
      {rows.length > 0 ? (
        <ol className={styles.log} tabIndex={0} aria-label={t('history.log.title')}>
          {rows.map(({ at, level, text }, index) => (
            <li key={index} data-level={level}>
              <time dateTime={new Date(at).toISOString()}>{timeOfDay(at)}</time>
              {/* The log is written in one language, for whoever helps. */}
              <span lang="en">{text}</span>
            </li>
          ))}
        </ol>
      ) : null}
      {hasMore ? (
        <Button variant="subtle" size="compact-sm" onClick={() => onRange(0, rows.length)}>
          {t('history.more')}
        </Button>
      ) : null}
    </Section>
  );
}
