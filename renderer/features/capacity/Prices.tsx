import { Anchor, Button, Group } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { PriceView } from '../../../src/contract/cost.ts';
import { api } from '../../api.ts';
import { Bones } from '../../ui/Bones.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { attempt } from '../../ui/messages.ts';
import { Page } from '../../ui/Page.tsx';
import { money } from '../../ui/format.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import { PriceForm } from './PriceForm.tsx';
import styles from './Prices.module.css';
import { priceName } from './words.ts';

/** The table of prices: what Holdfast brings, what the person has changed, and what is theirs. */
export function Prices() {
  const { t } = useTranslation();
  const { value: prices, error, again } = useAnswer('prices', (signal) => api.prices.list(undefined, { signal }));
  const [edited, setEdited] = useState<PriceView | 'new'>();
  const reset = (id: string): void => void attempt(() => api.prices.reset({ id })).then(again);
  return (
    <Page
      place={t('frame.place.settings')}
      title={t('capacity.prices.title')}
      reason={
        <Anchor component={Link} href="/settings" size="sm">
          {t('capacity.prices.back')}
        </Anchor>
      }
      action={<Button onClick={() => setEdited('new')}>{t('capacity.prices.add')}</Button>}
    >
      <p className="secondary">{t('capacity.prices.remark')}</p>
      {error === undefined ? null : <ErrorMessage error={error} isUrgent={false} />}
      {prices ? (
        // Wider than a phone: it scrolls by itself, also by keyboard.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <section className={styles.scroll} tabIndex={0} aria-label={t('capacity.prices.title')}>
          <table className={styles.table}>
            <thead>
              <tr>
                {(['name', 'storage', 'egress', 'asOf'] as const).map((column) => (
                  <th key={column} scope="col">
                    {t(`capacity.prices.column.${column}`)}
                  </th>
                ))}
                <td />
              </tr>
            </thead>
            <tbody>
              {prices.map((price) => (
                <tr key={price.id}>
                  <th scope="row">
                    {priceName(price)}{' '}
                    {price.origin === 'shipped' ? null : <span className="secondary">{t(`capacity.prices.${price.origin}`)}</span>}
                  </th>
                  <td>{money(price.storage, price.currency, 5)}</td>
                  <td>{money(price.egress, price.currency, 5)}</td>
                  <td>{price.asOf}</td>
                  <td>
                    <Group gap="xs" justify="flex-end" wrap="nowrap">
                      {price.origin === 'shipped' ? null : (
                        <Button variant="subtle" size="compact-sm" onClick={() => reset(price.id)}>
                          {t(price.origin === 'own' ? 'capacity.prices.remove' : 'capacity.prices.reset')}
                        </Button>
                      )}
                      <Button
                        variant="subtle"
                        size="compact-sm"
                        aria-label={t('capacity.prices.change', { name: priceName(price) })}
                        onClick={() => setEdited(price)}
                      >
                        {t('capacity.prices.changeShort')}
                      </Button>
                    </Group>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ) : (
        <Bones rows={8} height={40} />
      )}
      {edited === undefined ? null : (
        <PriceForm price={edited === 'new' ? undefined : edited} onClose={() => setEdited(undefined)} onSaved={again} />
      )}
    </Page>
  );
}
