import { Camera, Pin } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { isFinal } from '../../../src/contract/run.ts';
import type { SnapshotView } from '../../../src/contract/snapshots.ts';
import type { ServiceEvent } from '../../../src/contract/state.ts';
import { api } from '../../api.ts';
import { useNow } from '../../clock.ts';
import { bytes, count, moment } from '../../ui/format.ts';
import { HistoryList, HistoryRow } from './HistoryList.tsx';

const isNews = (event: ServiceEvent): boolean => event.type === 'run' && isFinal(event.run.status);

/** All snapshots. */
export function SnapshotList({ plan }: { readonly plan: string | null }) {
  const now = useNow(60_000);
  return (
    <HistoryList
      name={`snapshots ${plan ?? ''}`}
      what="snapshots"
      icon={Camera}
      ask={async (cursor, signal) => {
        const asked = { limit: 200, ...(plan === null ? {} : { plan }), ...(cursor === undefined ? {} : { cursor }) };
        const { snapshots, next } = await api.snapshots.list(asked, { signal });
        return { rows: snapshots, next };
      }}
      isNews={isNews}
      addressOf={({ key }) => `/history/snapshot/${key}`}
      row={(snapshot) => <Row snapshot={snapshot} now={now} />}
    />
  );
}

function Row({ snapshot, now }: { readonly snapshot: SnapshotView; readonly now: number }) {
  const { t } = useTranslation();
  const { pinned, figures, name, time } = snapshot;
  const Icon = pinned ? Pin : Camera;
  return (
    <HistoryRow
      icon={
        <>
          <Icon size={16} aria-hidden />
          {pinned ? <span className="unseen">{t('history.snapshot.pinned')}</span> : null}
        </>
      }
      title={
        <>
          <strong>{name ?? moment(time, now)}</strong> · {snapshot.planName ?? `${snapshot.hostname}, ${snapshot.username}`}
        </>
      }
      facts={[
        figures ? t('history.run.filesOf', { files: count(figures.files), size: bytes(figures.bytes) }) : undefined,
        t('history.snapshots.holders', { count: snapshot.holders.length }),
        snapshot.comment ?? undefined,
      ]}
      when={moment(time, now)}
    />
  );
}
