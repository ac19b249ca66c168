import { useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { SnapshotView } from '../../../src/contract/snapshots.ts';
import { useNow } from '../../clock.ts';
import { exact, moment } from '../../ui/format.ts';
import { marksOf, nearest, placeOf } from './timeline.ts';
import styles from './Scrubber.module.css';

interface ScrubberProps {
  /** Oldest first; at least one. */
  readonly snapshots: readonly SnapshotView[];
  /** Key of the one that is shown. */
  readonly value: string | undefined;
  readonly onChange: (key: string) => void;
}

/** A line of time with a mark for each snapshot. Moving the handle shows the folder as it was then. */
export function Scrubber({ snapshots, value, onChange }: ScrubberProps) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const line = useRef<HTMLDivElement>(null);
  const times = useMemo(() => snapshots.map(({ time }) => time), [snapshots]);
  const marks = useMemo(() => marksOf(times, 0.004), [times]);
  const index = Math.max(
    0,
    snapshots.findIndex(({ key }) => key === value),
  );
  const here = snapshots[index];
  const go = (to: number): void => {
    const snapshot = snapshots[Math.max(0, Math.min(snapshots.length - 1, to))];
    if (snapshot) onChange(snapshot.key);
  };
  const follow = (event: React.PointerEvent): void => {
    const box = line.current?.getBoundingClientRect();
    if (box && box.width > 0) go(nearest(times, Math.min(1, Math.max(0, (event.clientX - box.left) / box.width))));
  };
  const pressed = (event: React.KeyboardEvent): void => {
    const to = {
      ArrowLeft: index - 1,
      ArrowDown: index - 1,
      ArrowRight: index + 1,
      ArrowUp: index + 1,
      PageDown: index - 10,
      PageUp: index + 10,
      Home: 0,
      End: snapshots.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  };
  const [first, last] = [snapshots[0], snapshots.at(-1)];
  if (!first || !last || !here) return null;
  return (
    <div className={styles.scrubber}>
      <div
        className={styles.field}
        role="slider"
        tabIndex={0}
        aria-label={t('restore.scrubber.label')}
        aria-valuemin={1}
        aria-valuemax={snapshots.length}
        aria-valuenow={index + 1}
        aria-valuetext={exact(here.time)}
        onKeyDown={pressed}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          follow(event);
        }}
        onPointerMove={(event) => event.buttons === 1 && follow(event)}
      >
        <div ref={line} className={styles.line}>
          {marks.map((mark) => (
            <span
              key={mark.first}
              className={styles.mark}
              data-many={mark.last > mark.first || undefined}
              data-pinned={snapshots.slice(mark.first, mark.last + 1).some(({ pinned }) => pinned) || undefined}
              style={{ left: `${mark.at * 100}%` }}
            />
          ))}
          <span className={styles.handle} style={{ left: `${placeOf(here.time, first.time, last.time) * 100}%` }} />
        </div>
      </div>
      <div className={styles.ends} aria-hidden>
        <span>{moment(first.time, now)}</span>
        <span>{t('restore.scrubber.count', { count: snapshots.length })}</span>
        <span>{moment(last.time, now)}</span>
      </div>
    </div>
  );
}
