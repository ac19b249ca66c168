import { useTranslation } from 'react-i18next';
import type { HomeFacts } from '../../../src/contract/home.ts';
import type { State } from '../../../src/contract/state.ts';
import { useNow } from '../../clock.ts';
import { StateDot } from '../../ui/StateDot.tsx';
import styles from './FurtherReasons.module.css';
import { reasonWords } from './words.ts';

/** What else is to be known besides the first reason, in a line each. */
export function FurtherReasons({ facts: { reasons }, state }: { readonly facts: HomeFacts; readonly state: State }) {
  const { t } = useTranslation();
  const now = useNow();
  const further = reasons.slice(1, 5);
  if (further.length === 0) return null;
  return (
    <ul className={styles.list}>
      {further.map((reason) => (
        <li key={`${reason.code} ${reason.plan} ${reason.destination} ${reason.detail}`}>
          <StateDot state={reason.level === 'at-risk' ? 'risk' : 'attention'} size={16} />
          <span>{reason.code === 'kit-not-saved' ? t('home.line.kitNotSavedToo') : reasonWords(reason, state, now).line}</span>
        </li>
      ))}
    </ul>
  );
}
