import { Anchor, Box, Button, Group } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import type { DestinationView } from '../../../src/contract/destination.ts';
import { api } from '../../api.ts';
import { useService } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { Confirm } from '../../ui/Confirm.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { list } from '../../ui/format.ts';
import { attempt, say } from '../../ui/messages.ts';
import { Page, Section } from '../../ui/Page.tsx';
import { StateWord } from '../../ui/StateDot.tsx';
import { Time } from '../../ui/Time.tsx';
import { useAnswer } from '../../ui/use-answer.ts';
import { HardDrive } from 'lucide-react';
import { CapacitySections } from '../capacity/Capacity.tsx';
import { Care } from './Care.tsx';
import { ChangePassword } from './ChangePassword.tsx';
import { MoveDestination } from './MoveDestination.tsx';
import { Rename } from './Rename.tsx';
import { Renew } from './Renew.tsx';
import { conditionOf, failureOf, kindOf, stateWords } from './words.ts';

/** One destination: how it is, how it grows, and what can be done with it. */
export function DestinationPage({ id }: { readonly id: string }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const destinations = useService((state) => state.destinations);
  const destination = destinations?.find((each) => each.id === id);
  const [isBusy, setBusy] = useState(false);
  // What is shown is how it is now, not how it was when it was used last.
  useEffect(() => {
    api.destinations.look({ id }).catch(() => {});
  }, [id]);
  const look = async (): Promise<void> => {
    setBusy(true);
    await attempt(() => api.destinations.look({ id }));
    setBusy(false);
  };
  const back = (
    <Anchor component={Link} href="/destinations" size="sm">
      {t('destinations.back')}
    </Anchor>
  );
  if (!destinations)
    return (
      <Page place={t('frame.place.destinations')} reason={back}>
        <Bones rows={5} height={48} />
      </Page>
    );
  if (!destination)
    return (
      <Page place={t('frame.place.destinations')}>
        <Empty
          icon={HardDrive}
          title={t('destinations.gone.title')}
          action={<Button onClick={() => go('/destinations')}>{t('destinations.back')}</Button>}
        >
          {t('destinations.gone.text')}
        </Empty>
      </Page>
    );
  const failure = failureOf(destination);
  return (
    <Page
      place={t('frame.place.destinations')}
      title={destination.name}
      reason={back}
      action={
        <Button variant="default" loading={isBusy} onClick={() => void look()}>
          {t('destinations.look')}
        </Button>
      }
    >
      {failure ? (
        <Box mb="md">
          <ErrorMessage error={failure} isUrgent={false} />
        </Box>
      ) : null}
      <About destination={destination} />
      <Care destination={destination.id} />
      <CapacitySections destination={destination.id} />
      <Section title={t('destinations.manage')}>
        <Group gap="xs">
          <Rename destination={destination} />
          <Renew destination={destination} />
          <ChangePassword destination={destination} />
          <MoveDestination destination={destination} />
          <Button variant="default" component={Link} href={`/kit/${destination.id}`}>
            {t('destinations.kit')}
          </Button>
        </Group>
      </Section>
      <Section title={t('destinations.remove.title')}>
        <Remove destination={destination} />
      </Section>
    </Page>
  );
}

function About({ destination }: { readonly destination: DestinationView }) {
  const { t } = useTranslation();
  const plans = useService((state) => state.plans) ?? [];
  const used = plans.filter((plan) => plan.destinations.some((each) => each.destination === destination.id));
  const { value: snapshots } = useAnswer(destination.id, (signal) =>
    api.snapshots.list({ destination: destination.id, limit: 1 }, { signal }),
  );
  const newest = snapshots?.snapshots[0];
  return (
    <Facts
      facts={[
        [
          t('destinations.fact.state'),
          <StateWord key="state" state={conditionOf(destination.now)}>
            {stateWords(destination)}
          </StateWord>,
        ],
        [t('destinations.fact.kind'), t(`destinations.kind.${kindOf(destination)}`)],
        [t('destinations.fact.place'), destination.place],
        [t('destinations.fact.plans'), used.length === 0 ? t('destinations.unused') : list(used.map(({ name }) => name))],
        ...(snapshots === undefined
          ? []
          : [[t('destinations.fact.snapshots'), t('destinations.fact.snapshotsOf', { count: snapshots.total })] as const]),
        ...(newest === undefined ? [] : [[t('destinations.fact.newest'), <Time key="newest" at={newest.time} />] as const]),
        ...(destination.sharesBlobs ? [] : [[t('destinations.fact.cuts'), t('destinations.fact.cutsText')] as const]),
        [t('destinations.fact.repository'), destination.repository.slice(0, 8)],
      ]}
    />
  );
}

function Remove({ destination }: { readonly destination: DestinationView }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <p className="secondary">{t('destinations.remove.text')}</p>
      <Button mt="sm" variant="default" onClick={() => setOpen(true)}>
        {t('destinations.remove.act')}
      </Button>
      <Confirm
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        question={t('destinations.remove.question', { name: destination.name })}
        verb={t('destinations.remove.act')}
        act={async () => {
          await api.destinations.remove({ id: destination.id });
          say(t('destinations.remove.done', { name: destination.name }));
          go('/destinations');
        }}
      >
        {t('destinations.remove.consequence')}
      </Confirm>
    </>
  );
}
