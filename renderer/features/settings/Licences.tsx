import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { Section } from '../../ui/Page.tsx';
import { useAnswer } from '../../ui/use-answer.ts';
import styles from './Licences.module.css';

/** What the build has found in the bundles. */
const licencesSchema = z.array(z.object({ name: z.string(), version: z.string(), licence: z.string(), text: z.string() }));

/** Whose work is in this program, with the text of each licence. */
export function Licences() {
  const { t } = useTranslation();
  const { value } = useAnswer('licences', async (signal) => {
    const answer = await fetch('./licences.json', { signal });
    return licencesSchema.parse(await answer.json());
  });
  if (!value) return null;
  return (
    <Section title={t('settings.about.licences', { count: value.length })}>
      <ul className={styles.licences}>
        {value.map(({ name, version, licence, text }) => (
          <li key={`${name} ${version}`}>
            <details>
              <summary>
                {name} <span className="secondary">{`${version} · ${licence}`}</span>
              </summary>
              <pre>{text}</pre>
            </details>
          </li>
        ))}
      </ul>
    </Section>
  );
}
