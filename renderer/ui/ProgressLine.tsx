import { useEffect, useState } from 'react';
import { percent } from './format.ts';
import styles from './ProgressLine.module.css';

interface ProgressLineProps {
  /** What is going on, for screen readers. */
  readonly label: string;
  /** From 0 to 1; undefined while nobody knows how much there is. */
  readonly fraction: number | undefined;
  /** Of what the progress is: another one begins anew. */
  readonly of: number | string;
  readonly isPaused?: boolean;
}

/** One slim bar with its percentage. It never goes back: a better estimate lets it wait. */
export function ProgressLine({ label, fraction, of, isPaused = false }: ProgressLineProps) {
  const [reached, setReached] = useState({ of, fraction: fraction ?? 0 });
  useEffect(() => {
    setReached((before) => ({ of, fraction: before.of === of ? Math.max(before.fraction, fraction ?? 0) : (fraction ?? 0) }));
  }, [of, fraction]);
  const shown = Math.min(1, reached.of === of ? Math.max(reached.fraction, fraction ?? 0) : (fraction ?? 0));
  const isKnown = fraction !== undefined;
  return (
    <div className={styles.line}>
      <div
        className={styles.bar}
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        {...(isKnown ? { 'aria-valuenow': Math.floor(shown * 100) } : {})}
        data-unknown={!isKnown || undefined}
        data-paused={isPaused || undefined}
      >
        <div style={{ transform: `scaleX(${isKnown ? shown : 1})` }} />
      </div>
      <span className={styles.percent}>{isKnown ? percent(shown) : ''}</span>
    </div>
  );
}
