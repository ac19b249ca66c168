import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import styles from './Page.module.css';

interface PageProps {
  /** The screen's name, for the window's title. */
  readonly place: string;
  /** What is read first; the screen's name when left out. */
  readonly title?: React.ReactNode;
  /** Home's line is larger than other titles. */
  readonly isLarge?: boolean;
  /** Below the title. */
  readonly reason?: React.ReactNode;
  /** The one primary action, top right. */
  readonly action?: React.ReactNode;
  readonly children?: React.ReactNode;
}

/** A screen: its title, which takes the focus when one comes here, its one action, and a column of content. */
export function Page({ place, title = place, isLarge = false, reason, action, children }: PageProps) {
  const { t } = useTranslation();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = t('frame.title', { place });
  }, [place, t]);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <div className={styles.title}>
          <h1 ref={heading} tabIndex={-1} data-large={isLarge || undefined}>
            {title}
          </h1>
          {reason ? <div className={styles.reason}>{reason}</div> : null}
        </div>
        {action ? <div className={styles.action}>{action}</div> : null}
      </header>
      {children}
    </div>
  );
}

/** A group of content under a title of its own. */
export function Section({
  title,
  action,
  children,
}: {
  readonly title: string;
  readonly action?: React.ReactNode;
  readonly children: React.ReactNode;
}) {
  return (
    <section className={styles.section}>
      <div className={styles.sectionHead}>
        <h2>{title}</h2>
        {action}
      </div>
      {children}
    </section>
  );
}
