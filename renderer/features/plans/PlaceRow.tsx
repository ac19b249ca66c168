import { Button, CloseButton, Collapse, Select } from '@mantine/core';
import { GripVertical } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { inRole, type PlanDestination, type Retention, roles } from '../../../src/contract/plan.ts';
import { list, sentences } from '../../ui/format.ts';
import { triggerWords } from '../../ui/schedule-words.ts';
import { OwnTerms } from './OwnTerms.tsx';
import styles from './Places.module.css';

interface PlaceRowProps {
  readonly of: PlanDestination;
  readonly name: string;
  /** Of the one before it. */
  readonly before: string | undefined;
  /** What the plan keeps elsewhere. */
  readonly usual: Retention;
  /** Snapshots that it is still to be given. */
  readonly owed: number;
  readonly isAlone: boolean;
  readonly isDragged: boolean;
  /** Where what is dragged would go. */
  readonly dropMark: 'before' | 'after' | undefined;
  readonly handle: Pick<React.HTMLAttributes<HTMLButtonElement>, 'onPointerDown' | 'onKeyDown'>;
  readonly onChange: (of: PlanDestination) => void;
  readonly onRemove: () => void;
}

/** One destination of a plan: its place in the order, what it is for in plain words, and rules of its own. */
export function PlaceRow({ of, name, before, usual, owed, isAlone, isDragged, dropMark, handle, onChange, onRemove }: PlaceRowProps) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const { role, retention, schedule } = of;
  const words =
    role === 'primary'
      ? t('plans.places.does.primary')
      : role === 'standby'
        ? t('plans.places.does.standby', { before })
        : schedule
          ? t('plans.places.does.copyAt', { times: list(schedule.map(triggerWords)) })
          : t('plans.places.does.copy');
  return (
    <li data-dragged={isDragged || undefined} data-drop={dropMark}>
      <div className={styles.line}>
        {isAlone ? null : (
          <button type="button" className={styles.handle} aria-label={t('plans.places.move', { name })} {...handle}>
            <GripVertical size={16} aria-hidden />
          </button>
        )}
        <div className={styles.words}>
          <strong>{name}</strong>
          <span className="secondary">
            {sentences([words, retention ? t('plans.places.keepsOwn') : '', owed > 0 ? t('plans.places.owed', { count: owed }) : ''])}
          </span>
        </div>
        <Select
          aria-label={t('plans.places.role', { name })}
          w={144}
          data={roles.map((value) => ({
            value,
            label: t(`plans.places.name.${value}`),
            // The first in the order is the primary: another one becomes it by its place.
            disabled: value === 'primary' && role !== 'primary',
          }))}
          value={role}
          allowDeselect={false}
          disabled={isAlone}
          onChange={(next) => next !== null && onChange(inRole(of, next as typeof role))}
        />
        <Button
          variant="subtle"
          size="compact-sm"
          aria-expanded={isOpen}
          aria-label={t('plans.places.rulesOf', { name })}
          onClick={() => setOpen(!isOpen)}
        >
          {t('plans.places.rules')}
        </Button>
        <CloseButton size="sm" aria-label={t('plans.places.remove', { name })} disabled={isAlone} onClick={onRemove} />
      </div>
      <Collapse expanded={isOpen}>
        {isOpen ? (
          <div className={styles.own}>
            <OwnTerms place={of} name={name} retention={usual} onChange={onChange} />
          </div>
        ) : null}
      </Collapse>
    </li>
  );
}
