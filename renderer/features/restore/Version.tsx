import { Button, SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNow } from '../../clock.ts';
import { Bones } from '../../ui/Bones.tsx';
import { bytes, exact, moment } from '../../ui/format.ts';
import { Page } from '../../ui/Page.tsx';
import { above, shown } from '../../ui/path-words.ts';
import { Compare } from './Compare.tsx';
import { PreviewBox } from './PreviewBox.tsx';
import { Scrubber } from './Scrubber.tsx';
import { Steps } from './Steps.tsx';
import { setRestore, useRestore } from './store.ts';
import { useSnapshots } from './use-snapshots.ts';
import { VersionList } from './VersionList.tsx';
import styles from './Version.module.css';

/** The second step: the versions of what was chosen, looked at and compared. All items are restored as they were at one moment. */
export function Version() {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const { scope, snapshot, chosen } = useRestore();
  const { value } = useSnapshots(scope);
  const items = [...chosen.values()];
  const [at, setAt] = useState(items[0]?.path);
  const item = items.find(({ path }) => path === at) ?? items[0];
  const [mode, setMode] = useState<'look' | 'compare'>('look');
  const snapshots = value?.snapshots;
  const current = snapshots?.find(({ key }) => key === snapshot);
  const newest = snapshots?.at(-1);
  return (
    <Page
      place={t('frame.place.restore')}
      title={current ? t('restore.version.title', { count: items.length, time: moment(current.time, now) }) : t('restore.steps.version')}
      reason={<Steps at="version" reachable="where" onGo={(step) => setRestore({ step })} />}
      action={
        <>
          <Button variant="default" onClick={() => setRestore({ step: 'what' })}>
            {t('ui.back')}
          </Button>
          <Button disabled={!current || items.length === 0} onClick={() => setRestore({ step: 'where' })}>
            {t('ui.continue')}
          </Button>
        </>
      }
    >
      {snapshots && current ? (
        <>
          <Scrubber snapshots={snapshots} value={current.key} onChange={(key) => setRestore({ snapshot: key })} />
          <p className={styles.moment}>{exact(current.time)}</p>
        </>
      ) : (
        <Bones rows={2} height={48} />
      )}
      {item && snapshot !== undefined ? (
        <div className={styles.columns}>
          <ul className={styles.items} aria-label={t('restore.version.items')}>
            {items.map((each) => (
              <li key={each.path}>
                <button type="button" aria-pressed={each.path === item.path} onClick={() => setAt(each.path)}>
                  <span>{shown(each.name)}</span>
                  <span className="secondary">{each.type === 'file' ? bytes(each.size) : shown(above(each.path))}</span>
                </button>
              </li>
            ))}
          </ul>
          <div className={styles.look}>
            {item.type === 'file' && newest && newest.key !== snapshot ? (
              <SegmentedControl
                size="xs"
                aria-label={t('restore.version.mode')}
                value={mode}
                onChange={(next) => setMode(next as 'look' | 'compare')}
                data={[
                  { value: 'look', label: t('restore.version.look') },
                  { value: 'compare', label: t('restore.version.compare') },
                ]}
              />
            ) : null}
            {mode === 'compare' && item.type === 'file' && newest && newest.key !== snapshot ? (
              <Compare path={item.path} before={snapshot} after={newest.key} />
            ) : (
              <PreviewBox snapshot={snapshot} entry={item} />
            )}
          </div>
          <VersionList path={item.path} snapshot={snapshot} onChoose={(key) => setRestore({ snapshot: key })} />
        </div>
      ) : null}
    </Page>
  );
}
