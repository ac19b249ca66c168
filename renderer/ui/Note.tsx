import { StateDot } from './StateDot.tsx';
import styles from './Note.module.css';

interface NoteProps {
  readonly kind: 'attention' | 'risk' | 'fine' | 'idle';
  readonly title: string;
  readonly children?: React.ReactNode;
  readonly action?: React.ReactNode;
}

/** Something that a person should know here, with what helps. */
export function Note({ kind, title, children, action }: NoteProps) {
  return (
    <div className={styles.note} data-kind={kind}>
      <StateDot state={kind} size={18} />
      <div className={styles.words}>
        <p>
          <strong>{title}</strong> {children}
        </p>
      </div>
      {action}
    </div>
  );
}
