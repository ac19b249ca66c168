import { Button } from '@mantine/core';
import { MousePointerClick } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { bytes } from '../../ui/format.ts';
import { above, shown } from '../../ui/path-words.ts';
import { PreviewBox } from './PreviewBox.tsx';
import { type Chosen, pick, setRestore, useRestore } from './store.ts';
import styles from './Details.module.css';
import { VersionList } from './VersionList.tsx';

/** At the right: the entry that one looks at, what it holds, and its versions. */
export function Details({ entry, snapshot }: { readonly entry: Chosen | undefined; readonly snapshot: string }) {
  const { t } = useTranslation();
  const chosen = useRestore((state) => state.chosen);
  if (!entry)
    return (
      <aside className={styles.none} aria-label={t('restore.details.label')}>
        <MousePointerClick size={20} strokeWidth={1.6} aria-hidden />
        {t('restore.details.none')}
      </aside>
    );
  return (
    <aside className={styles.details} aria-label={t('restore.details.label')}>
      <PreviewBox snapshot={snapshot} entry={entry} />
      <h2>{shown(entry.name)}</h2>
      <p className="secondary">{shown(above(entry.path))}</p>
      {entry.type === 'file' ? <p className="secondary">{bytes(entry.size)}</p> : null}
      <div className={styles.acts}>
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => {
            if (!chosen.has(entry.path)) pick(entry);
            setRestore({ step: 'version' });
          }}
        >
          {t('restore.details.restore')}
        </Button>
      </div>
      <VersionList path={entry.path} snapshot={snapshot} onChoose={(key) => setRestore({ snapshot: key })} />
    </aside>
  );
}
