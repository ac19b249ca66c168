import type { LucideIcon } from 'lucide-react';
import styles from './Empty.module.css';

interface EmptyProps {
  readonly icon: LucideIcon;
  readonly title: string;
  /** What would be here, and how it comes. */
  readonly children: React.ReactNode;
  readonly action?: React.ReactNode;
}

/** Where there is nothing yet: says so, why, and what to do. */
export function Empty({ icon: Icon, title, children, action }: EmptyProps) {
  return (
    <div className={styles.empty}>
      <Icon size={28} strokeWidth={1.6} aria-hidden />
      <h2>{title}</h2>
      <p>{children}</p>
      {action}
    </div>
  );
}
