import { ActionIcon, Button, CloseButton, Group, Menu, Select } from '@mantine/core';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { inRole, roles } from '../../../src/contract/plan.ts';
import { useService } from '../../live.ts';
import { type Draft, moveDestination, withPrimary } from './draft.ts';
import { OwnTerms } from './OwnTerms.tsx';
import styles from './PlanForm.module.css';

interface PartProps {
  readonly draft: Draft;
  readonly onChange: (part: Partial<Draft>) => void;
}

/** The destinations in the order in which they take over, and those that are given a copy. */
export function Places({ draft, onChange }: PartProps) {
  const { t } = useTranslation();
  const all = useService((state) => state.destinations) ?? [];
  const { destinations } = draft;
  const free = all.filter(({ id }) => !destinations.some(({ destination }) => destination === id));
  return (
    <>
      <ol className={styles.rows}>
        {destinations.map((place, index) => {
          const { destination, role } = place;
          const name = all.find(({ id }) => id === destination)?.name ?? destination;
          return (
            <li key={destination}>
              <span className={styles.path}>{name}</span>
              <Select
                aria-label={t('plans.places.role', { name })}
                w={208}
                data={roles.map((value) => ({
                  value,
                  label: t(`home.destination.role.${value}`),
                  disabled: value === 'primary' && role !== 'primary',
                }))}
                value={role}
                allowDeselect={false}
                disabled={destinations.length === 1}
                onChange={(next) =>
                  next !== null &&
                  onChange({
                    destinations: withPrimary(destinations.map((each, at) => (at === index ? inRole(each, next as typeof role) : each))),
                  })
                }
              />
              <ActionIcon
                variant="default"
                aria-label={t('plans.places.up', { name })}
                disabled={index === 0}
                onClick={() => onChange({ destinations: moveDestination(destinations, index, -1) })}
              >
                <ArrowUp size={16} aria-hidden />
              </ActionIcon>
              <ActionIcon
                variant="default"
                aria-label={t('plans.places.down', { name })}
                disabled={index === destinations.length - 1}
                onClick={() => onChange({ destinations: moveDestination(destinations, index, 1) })}
              >
                <ArrowDown size={16} aria-hidden />
              </ActionIcon>
              <CloseButton
                size="sm"
                aria-label={t('plans.places.remove', { name })}
                disabled={destinations.length === 1}
                onClick={() => onChange({ destinations: withPrimary(destinations.toSpliced(index, 1)) })}
              />
              {destinations.length > 1 ? (
                <OwnTerms
                  place={place}
                  name={name}
                  retention={draft.retention}
                  onChange={(next) => onChange({ destinations: destinations.with(index, next) })}
                />
              ) : null}
            </li>
          );
        })}
      </ol>
      <Group gap="xs">
        {free.length > 0 && destinations.length > 0 ? (
          <Menu>
            <Menu.Target>
              <Button variant="default">{t('plans.places.addCopy')}</Button>
            </Menu.Target>
            <Menu.Dropdown>
              {free.map(({ id, name }) => (
                <Menu.Item key={id} onClick={() => onChange({ destinations: [...destinations, { destination: id, role: 'copy' }] })}>
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
                <Menu.Item
                  key={id}
                  onClick={() =>
                    onChange({
                      destinations: withPrimary([
                        ...destinations,
                        { destination: id, role: destinations.length === 0 ? 'primary' : 'standby' },
                      ]),
                    })
                  }
                >
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
    </>
  );
}
