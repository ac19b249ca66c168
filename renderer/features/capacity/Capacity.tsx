import { Anchor, Button, Group, Select, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Capacity } from '../../../src/contract/capacity.ts';
import type { PriceView } from '../../../src/contract/cost.ts';
import { isFinal } from '../../../src/contract/run.ts';
import { api } from '../../api.ts';
import { useNow } from '../../clock.ts';
import { onServiceEvent } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { bytes, percent, relative } from '../../ui/format.ts';
import { attempt } from '../../ui/messages.ts';
import { Section } from '../../ui/Page.tsx';
import { useAnswer } from '../../ui/use-answer.ts';
import { BudgetForm, BudgetState } from './Budget.tsx';
import { GrowthChart } from './GrowthChart.tsx';
import { amount, costParts, forecastWords, priceName } from './words.ts';

/** How much a destination holds, how it grows, what it costs, and what the person allows. */
export function CapacitySections({ destination }: { readonly destination: string }) {
  const { t } = useTranslation();
  const { value, error, again } = useAnswer(destination, (signal) => api.capacity.of({ destination }, { signal }));
  const { value: prices } = useAnswer('prices', (signal) => api.prices.list(undefined, { signal }));
  const [isBusy, setBusy] = useState(false);
  useEffect(
    () =>
      onServiceEvent((event) => {
        if (event.type === 'run' && isFinal(event.run.status) && event.run.destination === destination) again();
      }),
    [again, destination],
  );
  const measure = async (): Promise<void> => {
    setBusy(true);
    await attempt(() => api.capacity.measure({ destination }));
    setBusy(false);
    again();
  };
  if (error !== undefined) return <ErrorMessage error={error} isUrgent={false} />;
  if (!value || !prices) return <Bones rows={4} height={40} />;
  return (
    <>
      <Section
        title={t('capacity.title')}
        action={
          <Button variant="default" size="compact-sm" loading={isBusy} onClick={() => void measure()}>
            {t('capacity.measure')}
          </Button>
        }
      >
        {value.now ? <Space capacity={value} /> : <p className="secondary">{t('capacity.none')}</p>}
      </Section>
      <Section title={t('capacity.cost.title')}>
        <Cost capacity={value} prices={prices} onChange={again} />
      </Section>
    </>
  );
}

function Space({ capacity }: { readonly capacity: Capacity }) {
  const { t } = useTranslation();
  const now = useNow();
  const { now: size, growth, forecast, plans } = capacity;
  if (!size) return null;
  const room = forecastWords(forecast, now);
  return (
    <>
      <Facts
        facts={[
          [
            t('capacity.size'),
            `${t('capacity.sizeOf', { size: bytes(size.bytes), count: size.snapshots })} · ${t('capacity.measured', { ago: relative(size.measuredAt, now) })}`,
          ],
          [t('capacity.free'), size.freeBytes === null ? t('capacity.freeUnknown') : bytes(size.freeBytes)],
          [
            t('capacity.growth'),
            growth === null
              ? t('capacity.growthUnknown')
              : growth.likely <= 0
                ? t('capacity.growthNone')
                : t('capacity.growthOf', {
                    likely: bytes(growth.likely),
                    low: bytes(Math.max(0, growth.low)),
                    high: bytes(growth.high),
                    days: Math.round(growth.days),
                  }),
          ],
          ...(room === undefined ? [] : [[t('capacity.room'), room] as const]),
          ...(plans.length < 2
            ? []
            : [
                [
                  t('capacity.plans'),
                  plans.map(({ name, share }) => t('capacity.share', { plan: name, share: percent(share) })).join(' · '),
                ] as const,
              ]),
        ]}
      />
      <GrowthChart capacity={capacity} />
    </>
  );
}

interface CostProps {
  readonly capacity: Capacity;
  readonly prices: readonly PriceView[];
  readonly onChange: () => void;
}

function Cost({ capacity, prices, onChange }: CostProps) {
  const { t } = useTranslation();
  const { destination, cost, compared, budget, budgets } = capacity;
  const nameOf = (id: string): string => {
    const price = prices.find((each) => each.id === id);
    return price ? priceName(price) : id;
  };
  const [cheapest] = compared;
  const currency = cost?.estimate.currency;
  const byPlace = cost?.isGuessed ? t('capacity.cost.byPlaceOf', { name: nameOf(cost.estimate.price) }) : t('capacity.cost.byPlace');
  const select = (
    <Select
      aria-label={t('capacity.cost.paidBy')}
      data={[
        { value: 'by-place', label: byPlace },
        { value: 'none', label: t('capacity.cost.nothing') },
        ...prices.map((price) => ({ value: price.id, label: priceName(price) })),
      ]}
      value={capacity.price}
      allowDeselect={false}
      onChange={(price) => {
        if (price !== null) void attempt(() => api.capacity.setPrice({ destination, price })).then(onChange);
      }}
    />
  );
  return (
    <>
      <Facts
        facts={[
          [t('capacity.cost.paidBy'), select],
          ...(cost
            ? [
                [
                  t('capacity.cost.monthly'),
                  <span key="monthly">
                    <strong>{t('capacity.cost.monthlyOf', { amount: amount(cost.estimate.monthly.total, cost.estimate.currency) })}</strong>{' '}
                    <span className="secondary">{costParts(cost.estimate)}</span>
                  </span>,
                ] as const,
                [
                  t('capacity.cost.restore'),
                  t('capacity.cost.restoreOf', { amount: amount(cost.estimate.restore.total, cost.estimate.currency) }),
                ] as const,
              ]
            : []),
          ...(cost && cheapest
            ? [
                [
                  t('capacity.cost.cheapest'),
                  cheapest.price === cost.estimate.price
                    ? t('capacity.cost.isCheapest')
                    : t('capacity.cost.cheapestOf', {
                        name: nameOf(cheapest.price),
                        amount: amount(cheapest.monthly.total, cheapest.currency),
                      }),
                ] as const,
              ]
            : []),
          [
            t('capacity.budget.title'),
            budgets.length === 0 ? t('capacity.budget.none') : budgets.map((each) => <BudgetState key={each.unit} state={each} />),
          ],
        ]}
      />
      <Group gap="md" mt="sm">
        <BudgetForm destination={destination} budget={budget} currency={currency} onChange={onChange} />
        <Anchor component={Link} href="/settings/prices" size="sm">
          {t('capacity.cost.prices')}
        </Anchor>
      </Group>
      {cost ? (
        <Text mt="xs" className="secondary">
          {t('capacity.cost.asOf', { month: prices.find(({ id }) => id === cost.estimate.price)?.asOf ?? '' })}
        </Text>
      ) : null}
    </>
  );
}
