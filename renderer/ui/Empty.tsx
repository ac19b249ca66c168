import type { LucideIcon } from 'lucide-react';
import styles from './Empty.module.css';

interface EmptyProps {
  readonly icon: LucideIcon;
  readonly title: string;
  /** What would be here, and how it comes. */
  readonly children: React.ReactNode;
  readonly action?: React.ReactNode;
  /** Whether it stands for the whole screen: then its title is the screen's. */
  readonly isAlone?: boolean;
}

/** Where there is nothing yet: says so, why, and what to do. */
export function Empty({ icon: Icon, title, children, action, isAlone = false }: EmptyProps) {
  const Title = isAlone ? 'h1' : 'h2';
  return (
    <div className={styles.empty}>
      <Icon size={28} strokeWidth={1.6} aria-hidden />
      <Title>{title}</Title>
      <p>{children}</p>
      {action}
    </div>
  );
}
