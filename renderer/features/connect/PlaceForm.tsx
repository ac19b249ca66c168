import { Collapse, PasswordInput, TextInput, UnstyledButton } from '@mantine/core';
import { ChevronDown, Cloud, type LucideIcon, Server } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Answers, fieldsOf, type PlaceField, type ServerKind, serverKinds } from './kinds.ts';
import styles from './PlaceForm.module.css';

interface PlaceFormProps {
  readonly kind: ServerKind;
  readonly answers: Answers;
  readonly onChange: (kind: ServerKind, answers: Answers) => void;
  /** What is missing is said once the person has wanted to go on. */
  readonly missing?: readonly string[];
  /** Where the kind is settled, it is not asked. */
  readonly isKindFixed?: boolean;
}

const icons: Readonly<Record<ServerKind, LucideIcon>> = {
  sftp: Server,
  s3: Cloud,
  webdav: Cloud,
  rest: Server,
  azure: Cloud,
  gs: Cloud,
  rclone: Cloud,
};

/** Guides through the address and the credentials of a place on a server, for every kind that there is. */
export function PlaceForm({ kind, answers, onChange, missing = [], isKindFixed = false }: PlaceFormProps) {
  const { t } = useTranslation();
  const [isMoreOpen, setMoreOpen] = useState(false);
  const needed = fieldsOf[kind].filter(({ name, isOptional }) => isOptional !== true || name === 'password' || name === 'username');
  const further = fieldsOf[kind].filter((field) => !needed.includes(field));
  const input = (field: PlaceField): React.ReactNode => (
    <Field
      key={field.name}
      field={field}
      kind={kind}
      value={answers[field.name] ?? ''}
      isMissing={missing.includes(field.name)}
      onChange={(value) => onChange(kind, { ...answers, [field.name]: value })}
    />
  );
  return (
    <div className={styles.form}>
      {isKindFixed ? null : (
        <fieldset className={styles.kinds}>
          <legend className="unseen">{t('connect.kinds')}</legend>
          {serverKinds.map((each) => {
            const Icon = icons[each];
            return (
              <label key={each} className={styles.kind} data-checked={each === kind || undefined}>
                <input type="radio" name="server-kind" checked={each === kind} onChange={() => onChange(each, answers)} />
                <Icon size={16} aria-hidden />
                <span>{t(`connect.kind.${each}`)}</span>
              </label>
            );
          })}
        </fieldset>
      )}
      <p className="secondary">{t(`connect.about.${kind}`)}</p>
      <div className={styles.fields}>{needed.map(input)}</div>
      {further.length > 0 ? (
        <div>
          <UnstyledButton className={styles.more} aria-expanded={isMoreOpen} onClick={() => setMoreOpen(!isMoreOpen)}>
            <ChevronDown size={16} aria-hidden />
            {t('connect.more')}
          </UnstyledButton>
          <Collapse expanded={isMoreOpen}>
            <div className={styles.fields}>{further.map(input)}</div>
          </Collapse>
        </div>
      ) : null}
    </div>
  );
}

interface FieldProps {
  readonly field: PlaceField;
  readonly kind: ServerKind;
  readonly value: string;
  readonly isMissing: boolean;
  readonly onChange: (value: string) => void;
}

function Field({ field: { name, isSecret, example }, kind, value, isMissing, onChange }: FieldProps) {
  const { t } = useTranslation();
  const common = {
    label: t(`connect.field.${name}`),
    value,
    error: isMissing ? t('connect.missing') : undefined,
    onChange: ({ currentTarget }: React.ChangeEvent<HTMLInputElement>) => onChange(currentTarget.value),
    // Of the place, not of this page: nothing is to be filled in or kept by the browser.
    autoComplete: 'off',
    spellCheck: false,
    'data-field': `${kind}-${name}`,
  };
  if (isSecret === true) return <PasswordInput {...common} autoComplete="new-password" />;
  return <TextInput {...common} {...(example === undefined ? {} : { placeholder: example })} />;
}
