import { Check, File, FileImage, FileText, Folder, Link2, Minus } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { useNow } from '../../clock.ts';
import { moment } from '../../ui/format.ts';
import { shown } from '../../ui/path-words.ts';
import { type Chosen, pick } from './store.ts';
import styles from './EntryRow.module.css';

interface EntryRowProps {
  readonly entry: Chosen & { readonly changed: number };
  readonly isChosen: boolean;
  /** A folder above it is ticked. */
  readonly isWithin: boolean;
  readonly isLooked: boolean;
  /** What is said at the right beside the time. */
  readonly detail: string;
  /** Below the name. */
  readonly where?: string;
}

const pictures = /\.(png|jpe?g|gif|webp|bmp|avif|heic|tiff?|svg|ico)$/i;
const texts = /\.(txt|md|rtf|docx?|odt|pdf|csv|json|xml|html?|ya?ml|log)$/i;

function iconOf({ type, name }: Chosen) {
  if (type === 'dir') return Folder;
  if (type === 'symlink') return Link2;
  if (pictures.test(name)) return FileImage;
  return texts.test(name) ? FileText : File;
}

/** One entry. The mark at its left ticks it by a click; by keys the list does. */
export function EntryRow({ entry, isChosen, isWithin, isLooked, detail, where }: EntryRowProps) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const Icon = iconOf(entry);
  return (
    <div className={styles.row} data-looked={isLooked || undefined}>
      <span
        className={styles.hit}
        onClick={(event) => {
          event.stopPropagation();
          if (!isWithin) pick(entry);
        }}
      >
        <span className={styles.mark} data-chosen={isChosen || isWithin || undefined} data-within={isWithin || undefined}>
          {isWithin ? <Minus size={12} strokeWidth={3} aria-hidden /> : isChosen ? <Check size={12} strokeWidth={3} aria-hidden /> : null}
        </span>
      </span>
      <Icon size={18} strokeWidth={1.7} aria-hidden className={styles.icon} />
      <span className={styles.name}>
        <span>{shown(entry.name)}</span>
        {where === undefined ? null : <span className={styles.where}>{shown(where)}</span>}
      </span>
      {isWithin ? <span className="unseen">{t('restore.list.within')}</span> : null}
      <span className={styles.size}>{detail}</span>
      <span className={styles.changed}>{moment(entry.changed, now)}</span>
    </div>
  );
}
