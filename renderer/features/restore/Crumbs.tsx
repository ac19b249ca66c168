import { ChevronRight } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { crumbs, shown } from '../../ui/path-words.ts';
import styles from './Crumbs.module.css';

/** The way to a folder; each folder on it can be gone to. */
export function Crumbs({ path, onGo }: { readonly path: string; readonly onGo: (path: string) => void }) {
  const { t } = useTranslation();
  const parts = [{ name: t('restore.what.allFiles'), path: '/' }, ...crumbs(path)];
  return (
    <nav aria-label={t('restore.what.way')}>
      <ol className={styles.way}>
        {parts.map((part, index) => (
          <li key={part.path}>
            {index > 0 ? <ChevronRight size={14} aria-hidden /> : null}
            {index === parts.length - 1 ? (
              <span aria-current="location">{shown(part.name)}</span>
            ) : (
              <button type="button" onClick={() => onGo(part.path)}>
                {shown(part.name)}
              </button>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}
