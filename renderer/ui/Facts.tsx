import styles from './Facts.module.css';

/** Names and what is known of them, as rows with hairlines. */
export function Facts({ facts }: { readonly facts: readonly (readonly [string, React.ReactNode])[] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(([name, fact]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{fact}</dd>
        </div>
      ))}
    </dl>
  );
}
