import { headAndTail, shown } from './path-words.ts';
import styles from './PathLine.module.css';

/** A path in one line, shortened in its middle; whole on hover. With nothing to name it takes as much room. */
export function PathLine({ path }: { readonly path: string | undefined }) {
  const [head, tail] = headAndTail(shown(path ?? ''));
  return (
    <p className={styles.path} title={path ? shown(path) : undefined}>
      <span className={styles.head}>{head}</span>
      <span className={styles.tail}>{tail}</span>
    </p>
  );
}
