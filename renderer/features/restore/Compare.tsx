import { useTranslation } from 'react-i18next';
import { api } from '../../api.ts';
import { Bones } from '../../ui/Bones.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { lastName } from '../../ui/path-words.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import { PreviewBox } from './PreviewBox.tsx';
import styles from './Compare.module.css';

interface CompareProps {
  readonly path: string;
  /** Keys of the snapshots: the version that would be restored, and the newest. */
  readonly before: string;
  readonly after: string;
}

/** Two versions of a file side by side: a text line by line, pictures beside each other. */
export function Compare({ path, before, after }: CompareProps) {
  const { t } = useTranslation();
  const { value, error, isWaiting } = useAnswer(JSON.stringify([path, before, after]), (signal) =>
    api.browse.compare({ before: { snapshot: before, path }, after: { snapshot: after, path } }, { signal }),
  );
  if (error !== undefined) return <ErrorMessage error={error} isUrgent={false} />;
  if (!value || isWaiting) return <Bones rows={4} height={40} />;
  if (value.kind === 'same') return <p className={styles.words}>{t('restore.compare.same')}</p>;
  if (value.kind === 'none') return <p className={styles.words}>{t(`restore.compare.none.${value.reason}`)}</p>;
  if (value.kind === 'pictures') {
    const entry = { path, name: lastName(path), type: 'file', size: 0 } as const;
    return (
      <div className={styles.pictures}>
        <figure>
          <PreviewBox snapshot={before} entry={entry} />
          <figcaption className="secondary">{t('restore.compare.this')}</figcaption>
        </figure>
        <figure>
          <PreviewBox snapshot={after} entry={entry} />
          <figcaption className="secondary">{t('restore.compare.newest')}</figcaption>
        </figure>
      </div>
    );
  }
  return (
    <>
      <p className="secondary">{t('restore.compare.counts', { added: value.added, removed: value.removed })}</p>
      <div className={styles.lines} tabIndex={0} role="region" aria-label={t('restore.version.compare')}>
        {value.lines.map((line, index) =>
          line.kind === 'gap' ? (
            <p key={index} className={styles.gap}>
              {t('restore.compare.gap', { count: line.lines })}
            </p>
          ) : (
            <p key={index} data-kind={line.kind}>
              <span className={styles.sign}>
                {line.kind === 'same' ? '\u00a0' : line.kind === 'added' ? '+' : '−'}
                <span className="unseen">{line.kind === 'same' ? '' : t(`restore.compare.${line.kind}`)}</span>
              </span>
              <code>{line.text}</code>
            </p>
          ),
        )}
      </div>
      {value.isCut ? <p className="secondary">{t('restore.compare.cut')}</p> : null}
    </>
  );
}
