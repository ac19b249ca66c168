import { CircleAlert, CircleCheck, CircleDashed, CirclePause, LoaderCircle, TriangleAlert } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import styles from './StateDot.module.css';

/** How something is. Never shown by colour alone: each has a shape and a word. */
export type Condition = 'fine' | 'attention' | 'risk' | 'working' | 'paused' | 'idle';

const icons = {
  fine: CircleCheck,
  attention: TriangleAlert,
  risk: CircleAlert,
  working: LoaderCircle,
  paused: CirclePause,
  idle: CircleDashed,
} as const;

export interface StateDotProps {
  readonly state: Condition;
  /** In pixels. */
  readonly size?: number;
  /** The word that stands beside it says more: then it is only drawn. */
  readonly isDecorative?: boolean;
}

/** The mark of a state; its word is read to those who do not see it. */
export function StateDot({ state, size = 16, isDecorative = false }: StateDotProps) {
  const { t } = useTranslation();
  const Icon = icons[state];
  return (
    <span className={styles.dot} data-state={state}>
      <Icon size={size} strokeWidth={2.2} aria-hidden />
      {isDecorative ? null : <span className="unseen">{t(`ui.state.${state}`)}</span>}
    </span>
  );
}

/** A mark with its word, as destinations have it. */
export function StateWord({ state, children }: { readonly state: Condition; readonly children: React.ReactNode }) {
  return (
    <span className={styles.word}>
      <StateDot state={state} size={14} />
      <span>{children}</span>
    </span>
  );
}
