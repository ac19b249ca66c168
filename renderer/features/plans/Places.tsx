import { Button, Group, Menu, Switch } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { api } from '../../api.ts';
import { useService } from '../../live.ts';
import { useAnswer } from '../../ui/use-answer.ts';
import { type Draft, moveDestination, withDestination, withPrimary } from './draft.ts';
import { PlaceRow } from './PlaceRow.tsx';
import styles from './Places.module.css';
import { useDragOrder } from './use-drag-order.ts';

interface PartProps {
  /** Of the plan; undefined for one that is new. */
  readonly id: string | undefined;
  readonly draft: Draft;
  readonly onChange: (part: Partial<Draft>) => void;
}

/** The destinations in the order in which they take over, and those that are given a copy: by drag, or by keys on the handle. */
export function Places({ id, draft, onChange }: PartProps) {
  const { t } = useTranslation();
  const all = useService((state) => state.destinations) ?? [];
  const { destinations } = draft;
  const [said, setSaid] = useState('');
  const copies = useAnswer(id === undefined ? undefined : 'copies', (signal) => api.copies.states(undefined, { signal })).value;
  const owedTo = (destination: string): number => copies?.find((each) => each.plan === id && each.destination === destination)?.owed ?? 0;
  const free = all.filter(({ id }) => !destinations.some(({ destination }) => destination === id));
  const nameOf = (id: string): string => all.find((each) => each.id === id)?.name ?? id;
  const move = (from: number, to: number): void => {
    const moved = destinations[from];
    if (!moved || to < 0 || to >= destinations.length || to === from) return;
    onChange({ destinations: moveDestination(destinations, from, to) });
    setSaid(t('plans.places.moved', { name: nameOf(moved.destination), place: to + 1, count: destinations.length }));
  };
  const drag = useDragOrder(move);
  return (
    <>
      {destinations.length > 1 ? <p className="secondary">{t('plans.places.text')}</p> : null}
      <ol className={styles.rows} ref={drag.list}>
        {destinations.map((of, index) => (
          <PlaceRow
            key={of.destination}
            of={of}
            name={nameOf(of.destination)}
            before={index === 0 ? undefined : nameOf(destinations[index - 1]?.destination ?? '')}
            usual={draft.retention}
            owed={owedTo(of.destination)}
            isAlone={destinations.length === 1}
            isDragged={drag.from === index}
            dropMark={
              drag.from === undefined || drag.to !== index || drag.from === index ? undefined : drag.from < index ? 'after' : 'before'
            }
            handle={{
              onPointerDown: (event) => drag.start(index, event),
              onKeyDown: (event) => {
                const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: destinations.length - 1 }[event.key];
                if (to === undefined) return;
                event.preventDefault();
                move(index, to);
              },
            }}
            onChange={(next) => onChange({ destinations: withPrimary(destinations.with(index, next)) })}
            onRemove={() => onChange({ destinations: withPrimary(destinations.toSpliced(index, 1)) })}
          />
        ))}
      </ol>
      <p className="unseen" role="status">
        {said}
      </p>
      <Group gap="xs">
        {free.length > 0 && destinations.length > 0 ? (
          <Menu>
            <Menu.Target>
              <Button variant="default">{t('plans.places.addCopy')}</Button>
            </Menu.Target>
            <Menu.Dropdown>
              {free.map(({ id, name }) => (
                <Menu.Item key={id} onClick={() => onChange({ destinations: withDestination(destinations, id, 'copy') })}>
                  {name}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        ) : null}
        {free.length > 0 ? (
          <Menu>
            <Menu.Target>
              <Button variant="default">{t('plans.places.add')}</Button>
            </Menu.Target>
            <Menu.Dropdown>
              {free.map(({ id, name }) => (
                <Menu.Item key={id} onClick={() => onChange({ destinations: withDestination(destinations, id, 'standby') })}>
                  {name}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        ) : null}
        <Button variant="subtle" component={Link} href="/destinations/add">
          {t('plans.places.connect')}
        </Button>
      </Group>
      <Switch
        mt="sm"
        label={t('plans.places.here')}
        description={t('plans.places.hereText')}
        checked={draft.onThisComputer ?? false}
        onChange={({ currentTarget }) => onChange({ onThisComputer: currentTarget.checked })}
      />
    </>
  );
}
