import { Button, Checkbox, Group, TextInput } from '@mantine/core';
import { CircleCheck, FileDown, KeyRound, Printer } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api.ts';
import { spoken } from '../../i18n/i18n.ts';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import styles from './Kit.module.css';
import { kitPage } from './page.ts';
import { printPage, savePage } from './paper.ts';

interface KitProps {
  readonly destination: string;
  /** The password, where the person has just typed it: then it can stand on the page. */
  readonly password?: string;
  readonly onSaved?: () => void;
}

/** The recovery kit: printed or saved, and two of its words asked back, so that it is known to be at hand. */
export function Kit({ destination, password = '', onSaved }: KitProps) {
  const { t } = useTranslation();
  const [withPassword, setWithPassword] = useState(false);
  const [isOut, setOut] = useState(false);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState<'print' | 'save'>();
  const give = async (how: 'print' | 'save'): Promise<void> => {
    setError(undefined);
    setBusy(how);
    try {
      const kit = await api.kit.make({ destination, language: spoken(), ...(withPassword && password !== '' ? { password } : {}) });
      const page = kitPage(kit);
      if (how === 'print') await printPage(page);
      else savePage(page, t('kit.fileName', { name: kit.destination.name }));
      setOut(true);
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(undefined);
    }
  };
  return (
    <div>
      <h2 className={styles.title}>
        <KeyRound size={18} aria-hidden />
        {t('kit.title')}
      </h2>
      <p className={styles.text}>{t('kit.text')}</p>
      {password === '' ? null : (
        <Checkbox
          label={t('kit.withPassword')}
          description={t('kit.withPasswordText')}
          checked={withPassword}
          onChange={({ currentTarget }) => setWithPassword(currentTarget.checked)}
        />
      )}
      <Group gap="xs" mt="md">
        <Button
          variant="default"
          leftSection={<Printer size={16} aria-hidden />}
          loading={busy === 'print'}
          onClick={() => void give('print')}
        >
          {t('kit.print')}
        </Button>
        <Button
          variant="default"
          leftSection={<FileDown size={16} aria-hidden />}
          loading={busy === 'save'}
          onClick={() => void give('save')}
        >
          {t('kit.save')}
        </Button>
      </Group>
      {error === undefined ? null : (
        <div className={styles.error}>
          <ErrorMessage error={error} />
        </div>
      )}
      {isOut ? <Question destination={destination} {...(onSaved ? { onSaved } : {})} /> : null}
    </div>
  );
}

/** Two words of the page, which show that the person has it. */
function Question({ destination, onSaved }: Pick<KitProps, 'destination' | 'onSaved'>) {
  const { t } = useTranslation();
  const [numbers, setNumbers] = useState<readonly [number, number]>();
  const [words, setWords] = useState<readonly [string, string]>(['', '']);
  const [right, setRight] = useState<readonly [boolean, boolean]>();
  const [isSaved, setSaved] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    api.kit.ask({ destination }).then(({ numbers: asked }) => setNumbers(asked), setError);
  }, [destination]);
  const check = async (): Promise<void> => {
    setError(undefined);
    try {
      const answer = await api.kit.answer({ destination, words: [words[0].trim(), words[1].trim()] });
      setRight(answer.right);
      if (answer.savedAt === null) return;
      setSaved(true);
      onSaved?.();
    } catch (thrown) {
      setError(thrown);
    }
  };
  if (isSaved) {
    return (
      <p className={styles.saved} role="status">
        <CircleCheck size={18} aria-hidden />
        {t('kit.saved')}
      </p>
    );
  }
  return (
    <form
      className={styles.question}
      onSubmit={(event) => {
        event.preventDefault();
        void check();
      }}
    >
      <p>{t('kit.question')}</p>
      {error === undefined ? null : <ErrorMessage error={error} />}
      {numbers ? (
        <div className={styles.words}>
          {[0, 1].map((index) => (
            <TextInput
              key={index}
              label={t('kit.word', { number: numbers[index] })}
              value={words[index]}
              autoComplete="off"
              autoCapitalize="off"
              spellCheck={false}
              error={right && right[index] === false ? t('kit.wrong') : undefined}
              onChange={({ currentTarget: { value } }) => {
                setRight(undefined);
                setWords(index === 0 ? [value, words[1]] : [words[0], value]);
              }}
            />
          ))}
          <Button type="submit" disabled={words.some((word) => word.trim() === '')}>
            {t('kit.check')}
          </Button>
        </div>
      ) : null}
    </form>
  );
}
