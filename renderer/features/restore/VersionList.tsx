import { useTranslation } from 'react-i18next';
import { api } from '../../api.ts';
import { useNow } from '../../clock.ts';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { errorWords } from '../../ui/error-words.ts';
import { bytes, exact, moment } from '../../ui/format.ts';
import { usePages } from '../../ui/use-pages.ts';
import styles from './VersionList.module.css';

interface VersionListProps {
  readonly path: string;
  /** Key of the snapshot that is looked at. */
  readonly snapshot: string;
  readonly onChoose: (key: string) => void;
}

/** All versions of a path, newest first. Choosing one goes to the newest snapshot that holds it. */
export function VersionList({ path, snapshot, onChoose }: VersionListProps) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const { rows, error, isWaiting, hasMore, onRange } = usePages(path, async (cursor, signal) => {
    const { versions, next } = await api.catalogue.versions({ path, ...(cursor === undefined ? {} : { cursor }) }, { signal });
    return { rows: versions, next };
  });
  // It stands in the version whose snapshots surround it; the catalogue names only the first and the last of them.
  const here = rows.findIndex((version) => version.last.snapshot === snapshot || version.first.snapshot === snapshot);
  if (error !== undefined) {
    const isYoung = errorWords(error).code === 'not-catalogued';
    return isYoung ? <p className="secondary">{t('restore.versions.notYet')}</p> : <ErrorMessage error={error} isUrgent={false} />;
  }
  if (!isWaiting && rows.length === 0) return <p className="secondary">{t('restore.versions.notYet')}</p>;
  return (
    <div className={styles.versions}>
      <h2>{rows.length > 0 ? t('restore.versions.count', { count: rows.length }) : t('restore.versions.title')}</h2>
      <ol>
        {rows.map((version, index) => (
          <li key={version.version} data-here={index === here || undefined}>
            <button
              type="button"
              aria-current={index === here ? 'true' : undefined}
              title={exact(version.changed)}
              onClick={() => onChoose(version.last.snapshot)}
            >
              <span className={styles.dot} aria-hidden />
              <span>{moment(version.changed, now)}</span>
              <span className={styles.size}>{version.type === 'file' ? bytes(version.size) : ''}</span>
              <span className="secondary">
                {index === rows.length - 1 && !hasMore
                  ? t('restore.versions.first')
                  : t('restore.versions.held', { count: version.snapshots })}
              </span>
            </button>
          </li>
        ))}
      </ol>
      {hasMore ? (
        <button type="button" className={styles.more} onClick={() => onRange(0, rows.length)}>
          {t('restore.versions.more')}
        </button>
      ) : null}
    </div>
  );
}
