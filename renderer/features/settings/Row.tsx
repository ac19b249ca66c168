import styles from './Row.module.css';

interface RowProps {
  readonly title: string;
  /** What it means, in a sentence. */
  readonly text?: string;
  /** Left out where there is nothing to change here. */
  readonly children?: React.ReactNode;
}

/** A setting: its name and meaning at the left, what changes it at the right. */
export function Row({ title, text, children }: RowProps) {
  return (
    <div className={styles.row}>
      <div className={styles.words}>
        <p>{title}</p>
        {text === undefined ? null : <p className="secondary">{text}</p>}
      </div>
      <div className={styles.control}>{children}</div>
    </div>
  );
}
