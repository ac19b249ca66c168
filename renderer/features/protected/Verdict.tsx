import i18next from 'i18next';
import { useTranslation } from 'react-i18next';
import type { Protection } from '../../../src/contract/catalogue.ts';
import { useNow } from '../../clock.ts';
import { list, relative } from '../../ui/format.ts';
import { Note } from '../../ui/Note.tsx';
import { shown } from '../../ui/path-words.ts';
import styles from './View.module.css';

const kinds = { yes: 'fine', partly: 'attention', no: 'risk' } as const;

/** Yes or no, by which plan and rule, and where the newest copy is. */
export function Verdict({ protection, path }: { readonly protection: Protection; readonly path: string }) {
  const { t } = useTranslation();
  const now = useNow();
  return (
    <>
      <Note kind={kinds[protection.answer]} title={t(`protected.answer.${protection.answer}`, { path })} />
      <ul className={styles.because}>
        {protection.plans.map(({ plan, name, isEnabled, because, copies }) => (
          <li key={plan}>
            <p>
              <strong>{name}</strong> {isEnabled ? '' : t('protected.off')}
            </p>
            <p className="secondary">{ruleWords(because)}</p>
            {because.rule === 'outside'
              ? null
              : copies.map((copy) => (
                  <p key={copy.destination} className="secondary">
                    {copy.newest
                      ? t('protected.copy', { destination: copy.name, ago: relative(copy.newest.at, now) })
                      : t(copy.isKnown ? 'protected.noCopy' : 'protected.unknownCopy', { destination: copy.name })}
                  </p>
                ))}
          </li>
        ))}
      </ul>
      {protection.plans.length === 0 ? <p className="secondary">{t('protected.noPlans')}</p> : null}
      {protection.others.length > 0 ? (
        <p className="secondary">{t('protected.others', { hosts: list([...new Set(protection.others.map(({ host }) => host))]) })}</p>
      ) : null}
    </>
  );
}

/** Why a plan takes it, or does not. */
function ruleWords(because: Protection['plans'][number]['because']): string {
  const { t } = i18next;
  switch (because.rule) {
    case 'source':
      return t('protected.rule.source', { source: shown(because.source) });
    case 'above':
      return t('protected.rule.above', { sources: list(because.sources.map(shown)) });
    case 'outside':
      return t('protected.rule.outside');
    case 'excluded':
      return t('protected.rule.excluded', { by: because.by, at: shown(because.at) });
  }
}
