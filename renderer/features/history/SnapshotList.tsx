import { Button } from '@mantine/core';
import { Camera, Pin } from 'lucide-react';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { isFinal } from '../../../src/contract/run.ts';
import { api } from '../../api.ts';
import { useNow } from '../../clock.ts';
import { onServiceEvent } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { bytes, count, moment } from '../../ui/format.ts';
import { usePages } from '../../ui/use-pages.ts';
import { VirtualList } from '../../ui/VirtualList.tsx';
import styles from './RunList.module.css';

/** All snapshots, newest first; each opens. */
export function SnapshotList({ plan }: { readonly plan: string | null }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const now = useNow(60_000);
  const pages = usePages(`snapshots ${plan ?? ''}`, async (cursor, signal) => {
    const asked = { limit: 200, ...(plan === null ? {} : { plan }), ...(cursor === undefined ? {} : { cursor }) };
    const { snapshots, next } = await api.snapshots.list(asked, { signal });
    return { rows: snapshots, next };
  });
  const { rows, error, isWaiting, again } = pages;
  useEffect(
    () =>
      onServiceEvent((event) => {
        if (event.type === 'run' && isFinal(event.run.status)) again();
      }),
    [again],
  );
  if (error !== undefined)
    return <ErrorMessage error={error} isUrgent={false} action={<Button onClick={again}>{t('ui.tryAgain')}</Button>} />;
  if (isWaiting && rows.length === 0) return <Bones rows={6} height={56} />;
  if (rows.length === 0)
    return (
      <Empty icon={Camera} title={t('history.snapshots.none.title')}>
        {t('history.snapshots.none.text')}
      </Empty>
    );
  return (
    <div className={styles.list}>
      <VirtualList
        label={t('history.what.snapshots')}
        count={rows.length}
        rowHeight={56}
        onRange={pages.onRange}
        onOpen={(index) => rows[index] && go(`/history/snapshot/${rows[index].key}`)}
        row={(index) => {
          const snapshot = rows[index];
          if (!snapshot) return null;
          const Icon = snapshot.pinned ? Pin : Camera;
          return (
            <div className={styles.row}>
              <Icon size={16} aria-hidden />
              {snapshot.pinned ? <span className="unseen">{t('history.snapshot.pinned')}</span> : null}
              <span className={styles.words}>
                <span>
                  <strong>{snapshot.name ?? moment(snapshot.time, now)}</strong> ·{' '}
                  {snapshot.planName ?? `${snapshot.hostname}, ${snapshot.username}`}
                </span>
                <span className="secondary">
                  {[
                    snapshot.figures
                      ? t('history.run.filesOf', { files: count(snapshot.figures.files), size: bytes(snapshot.figures.bytes) })
                      : undefined,
                    t('history.snapshots.holders', { count: snapshot.holders.length }),
                    snapshot.comment ?? undefined,
                  ]
                    .filter((text) => text !== undefined)
                    .join(' · ')}
                </span>
              </span>
              <span className={styles.when}>{moment(snapshot.time, now)}</span>
            </div>
          );
        }}
      />
    </div>
  );
}
