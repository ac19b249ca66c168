import { Tooltip } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { DestinationView } from '../../../src/contract/destination.ts';
import { useNow } from '../../clock.ts';
import { relative } from '../../ui/format.ts';
import { type Condition, StateWord } from '../../ui/StateDot.tsx';

interface DestinationMarkProps {
  /** Undefined while it is being taken away. */
  readonly destination: DestinationView | undefined;
  readonly role: 'primary' | 'standby' | 'copy';
  readonly lastAt: number | null;
  /** It works in the place of the primary. */
  readonly isStandingIn: boolean;
}

const conditions: Readonly<Record<DestinationView['now']['state'], Condition>> = {
  connected: 'fine',
  'not-plugged-in': 'idle',
  failing: 'risk',
  unknown: 'idle',
};

/** A destination's name and how it is; more on hover. */
export function DestinationMark({ destination, role, lastAt, isStandingIn }: DestinationMarkProps) {
  const { t } = useTranslation();
  const now = useNow();
  if (!destination) return null;
  const { state } = destination.now;
  // What has not been asked yet, but holds a backup, is no worry.
  const word = isStandingIn
    ? t('home.destination.standingIn')
    : state === 'not-plugged-in' || state === 'failing'
      ? t(`home.destination.${state}`)
      : '';
  const more = [
    t(`home.destination.role.${role}`),
    lastAt === null ? t('home.destination.none') : t('home.destination.newest', { ago: relative(lastAt, now) }),
  ].join(' · ');
  const condition: Condition = state === 'unknown' && lastAt !== null ? 'fine' : conditions[state];
  return (
    <li>
      <Tooltip label={more}>
        <span>
          <StateWord state={condition}>
            {destination.name}
            {word === '' ? '' : ` · ${word}`}
          </StateWord>
        </span>
      </Tooltip>
    </li>
  );
}
