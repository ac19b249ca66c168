import { Button } from '@mantine/core';
import { Cloud, Folder, HardDrive, Server } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import { useService } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { list } from '../../ui/format.ts';
import { Page } from '../../ui/Page.tsx';
import { StateWord } from '../../ui/StateDot.tsx';
import styles from './DestinationList.module.css';
import { conditionOf, kindOf, stateWords } from './words.ts';

const icons = { drive: HardDrive, folder: Folder, server: Server, cloud: Cloud } as const;

/** All destinations, how each is, and which plans use it. */
export function DestinationList() {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const destinations = useService((state) => state.destinations);
  const plans = useService((state) => state.plans) ?? [];
  return (
    <Page
      place={t('frame.place.destinations')}
      action={<Button onClick={() => go('/destinations/add')}>{t('destinations.add.act')}</Button>}
    >
      {destinations ? null : <Bones rows={3} height={80} />}
      {destinations?.length === 0 ? (
        <Empty icon={HardDrive} title={t('destinations.none.title')}>
          {t('destinations.none.text')}
        </Empty>
      ) : null}
      <ul className={styles.list}>
        {(destinations ?? []).map((destination) => {
          const Icon = icons[kindOf(destination)];
          const used = plans.filter((plan) => plan.destinations.some((each) => each.destination === destination.id));
          return (
            <li key={destination.id}>
              <Link href={`/destinations/${destination.id}`} className={styles.card}>
                <Icon size={24} strokeWidth={1.6} aria-hidden />
                <span className={styles.words}>
                  <span className={styles.name}>{destination.name}</span>
                  <span className="secondary">{destination.place}</span>
                  <span className="secondary">
                    {used.length === 0 ? t('destinations.unused') : t('destinations.usedBy', { plans: list(used.map(({ name }) => name)) })}
                  </span>
                </span>
                <StateWord state={conditionOf(destination.now)}>{stateWords(destination)}</StateWord>
              </Link>
            </li>
          );
        })}
      </ul>
    </Page>
  );
}
