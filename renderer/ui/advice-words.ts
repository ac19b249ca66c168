/** Why something is proposed, in the language that is shown. */
import i18next from 'i18next';
import type { AdviceReason } from '../../src/contract/advice.ts';
import { bytes, span } from './format.ts';

/** What its figures are in is told by their names. */
function figure(name: string, value: number | string): string | number {
  if (typeof value === 'string') return i18next.exists(`advice.period.${value}`) ? i18next.t(`advice.period.${value}` as Words.Key) : value;
  if (name.endsWith('Minutes')) return span(value * 60);
  if (name.endsWith('Seconds')) return span(value);
  return name.endsWith('Bytes') ? bytes(value) : value;
}

/** A reason as a sentence; one that this page does not know yet in the service's own words. */
export function adviceWords({ code, figures, text }: AdviceReason): string {
  const key = `advice.reason.${code}`;
  if (!i18next.exists(key) && !i18next.exists(`${key}_other`)) return text;
  const named = Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, figure(name, value)]));
  const { copies } = figures;
  return i18next.t(key as Words.Key, typeof copies === 'number' ? { ...named, count: copies } : named);
}
