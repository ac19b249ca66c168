import { useEffect, useState } from 'react';
import { useLongScroll } from './use-long-scroll.ts';
import styles from './VirtualList.module.css';

interface VirtualListProps {
  /** What the list is of. */
  readonly label: string;
  /** All rows, also those that are not loaded yet: up to millions. */
  readonly count: number;
  /** Pixels. */
  readonly rowHeight: number;
  readonly row: (index: number, isActive: boolean) => React.ReactNode;
  /** Told of the rows that are on the screen, to load them. */
  readonly onRange?: (first: number, last: number) => void;
  /** Told when Enter, or a click, is given to a row. */
  readonly onOpen?: (index: number) => void;
  /** Told when the space bar is given to a row. */
  readonly onPick?: (index: number) => void;
  /** Told when Backspace is pressed: back to where one came from. */
  readonly onBack?: () => void;
  /** Whether the keyboard is at it from the beginning: it takes the place of a list that the keyboard was at. */
  readonly takesFocus?: boolean;
  /** Told which row the keyboard is at. */
  readonly onActive?: (index: number) => void;
  /** Where the keyboard begins. */
  readonly active?: number;
  /** Rows whose marks are many: whether several may be picked. */
  readonly isMultiple?: boolean;
  readonly isPicked?: (index: number) => boolean;
}

/**
 * A long list of which only what is seen is drawn, with the keys of a list box: arrows, Page Up and Down, Home, End, Enter, space,
 * and Backspace where there is a way back.
 */
export function VirtualList({
  label,
  count,
  rowHeight,
  row,
  onRange,
  onOpen,
  onPick,
  onBack,
  takesFocus = false,
  onActive,
  active: given = 0,
  isMultiple = false,
  isPicked,
}: VirtualListProps) {
  const [active, setActive] = useState(given);
  useEffect(() => setActive(given), [given]);
  // A list that has become shorter has no row there any more.
  useEffect(() => setActive((now) => Math.max(0, Math.min(now, count - 1))), [count]);
  const { scroller, height, first, last, show, startOf } = useLongScroll(count, rowHeight);
  useEffect(() => {
    if (takesFocus) scroller.current?.focus({ preventScroll: true });
  }, [takesFocus, scroller]);
  useEffect(() => {
    if (count > 0) onRange?.(first, last);
  }, [count, first, last, onRange]);
  const go = (index: number): void => {
    const to = Math.max(0, Math.min(count - 1, index));
    setActive(to);
    onActive?.(to);
    show(to);
  };
  const pressed = (event: React.KeyboardEvent): void => {
    if (event.target !== event.currentTarget) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 1);
    const to = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: count - 1 }[
      event.key
    ];
    if (to !== undefined) go(to);
    else if (event.key === 'Enter') onOpen?.(active);
    else if (event.key === ' ') onPick?.(active);
    else if (event.key === 'Backspace' && onBack) onBack();
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={scroller}
      className={styles.list}
      role="listbox"
      aria-label={label}
      aria-multiselectable={isMultiple || undefined}
      aria-activedescendant={count > 0 ? `${label}-${active}` : undefined}
      tabIndex={0}
      onKeyDown={pressed}
    >
      <div style={{ height, position: 'relative' }}>
        {Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i).map((index) => (
          <div
            key={index}
            id={`${label}-${index}`}
            role="option"
            aria-selected={isPicked ? isPicked(index) : index === active}
            aria-setsize={count}
            aria-posinset={index + 1}
            className={styles.row}
            data-active={index === active || undefined}
            style={{ height: rowHeight, transform: `translateY(${startOf(index)}px)` }}
            onClick={() => {
              go(index);
              onOpen?.(index);
            }}
          >
            {row(index, index === active)}
          </div>
        ))}
      </div>
    </div>
  );
}
