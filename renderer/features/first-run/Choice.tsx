import type { LucideIcon } from 'lucide-react';
import styles from './Choice.module.css';

interface ChoiceProps {
  readonly type: 'checkbox' | 'radio';
  readonly name: string;
  readonly icon: LucideIcon;
  readonly title: string;
  /** Below the title. */
  readonly text?: React.ReactNode;
  /** At the right: a size. */
  readonly aside?: React.ReactNode;
  /** A word behind the title, such as "recommended". */
  readonly tag?: string | undefined;
  readonly isChecked: boolean;
  readonly isDisabled?: boolean;
  readonly onChange: (isChecked: boolean) => void;
  /** Shown below while it is chosen. */
  readonly children?: React.ReactNode;
}

/** A large target: one of several things to choose. */
export function Choice({
  type,
  name,
  icon: Icon,
  title,
  text,
  aside,
  tag,
  isChecked,
  isDisabled = false,
  onChange,
  children,
}: ChoiceProps) {
  return (
    <div className={styles.choice} data-checked={isChecked || undefined} data-disabled={isDisabled || undefined}>
      <label className={styles.target}>
        <input
          type={type}
          name={name}
          checked={isChecked}
          disabled={isDisabled}
          onChange={({ currentTarget }) => onChange(currentTarget.checked)}
        />
        <Icon size={22} strokeWidth={1.7} aria-hidden className={styles.icon} />
        <span className={styles.words}>
          <span className={styles.title}>
            {title}
            {tag === undefined ? null : <span className={styles.tag}>{tag}</span>}
          </span>
          {text ? <span className={styles.text}>{text}</span> : null}
        </span>
        {aside ? <span className={styles.aside}>{aside}</span> : null}
      </label>
      {isChecked && children ? <div className={styles.more}>{children}</div> : null}
    </div>
  );
}
