/** Forecasts, amounts of money and budgets in words. */
import i18next from 'i18next';
import type { Forecast } from '../../../src/contract/capacity.ts';
import type { Estimate, PriceView } from '../../../src/contract/cost.ts';
import { money } from '../../ui/format.ts';

const weekMs = 7 * 86_400_000;
const monthMs = 30.4375 * 86_400_000;

/** `about 5 months`: no more exactly than it is known. */
export function spanWords(ms: number): string {
  const { t } = i18next;
  const months = ms / monthMs;
  if (months < 2) return t('capacity.about.weeks', { count: Math.max(1, Math.round(ms / weekMs)) });
  if (months < 24) return t('capacity.about.months', { count: Math.round(months) });
  return t('capacity.about.years', { count: Math.round(months / 12) });
}

/** When there is no room left; undefined where there is nothing to say. */
export function forecastWords(forecast: Forecast, now: number): string | undefined {
  const { t } = i18next;
  switch (forecast.state) {
    case 'unknown':
    case 'no-limit':
      return undefined;
    case 'steady':
      return t('capacity.steady');
    case 'far':
      return t('capacity.far');
    case 'about': {
      const { at, earliest, latest } = forecast;
      if (at <= now) return t('capacity.full');
      const early = spanWords(earliest - now);
      const range = latest === null ? t('capacity.earliest', { early }) : t('capacity.between', { early, late: spanWords(latest - now) });
      return `${t('capacity.fullIn', { span: spanWords(at - now) })} (${range})`;
    }
  }
}

/** `$12.30`; what is less than a cent is said to be so. */
export const amount = (value: number, currency: string): string =>
  value > 0 && value < 0.005 ? i18next.t('capacity.cost.less', { amount: money(0.01, currency) }) : money(value, currency);

export const priceName = ({ provider, name }: Pick<PriceView, 'provider' | 'name'>): string => `${provider} ${name}`;

/** How the cost of a month was reckoned. */
export function costParts({ currency, monthly }: Estimate): string {
  const { t } = i18next;
  const { storage, requests, early, minimum } = monthly;
  return [
    t('capacity.cost.how', { storage: amount(storage, currency), requests: amount(requests, currency) }),
    early > 0 ? t('capacity.cost.early', { amount: amount(early, currency) }) : '',
    minimum > 0 ? t('capacity.cost.minimum', { amount: amount(minimum, currency) }) : '',
  ].join('');
}
