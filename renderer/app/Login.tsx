import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { logIn } from '../api.ts';
import { ErrorMessage } from '../ui/ErrorMessage.tsx';
import styles from './Login.module.css';

/** Asked on a host for other computers before anything else is shown. */
export function Login() {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    document.title = t('frame.login.title');
  }, [t]);
  const send = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await logIn(name, password);
    } catch (thrown) {
      setError(thrown);
      setPassword('');
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className={styles.page}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <h1>{t('frame.login.title')}</h1>
        <p className={styles.text}>{t('frame.login.text')}</p>
        {error === undefined ? null : <ErrorMessage error={error} />}
        <TextInput
          label={t('frame.login.name')}
          autoComplete="username"
          autoFocus
          required
          withAsterisk={false}
          value={name}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
        />
        <PasswordInput
          label={t('frame.login.password')}
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          onChange={({ currentTarget }) => setPassword(currentTarget.value)}
        />
        <Button type="submit" loading={isBusy} disabled={name === '' || password === ''}>
          {t('frame.login.act')}
        </Button>
      </form>
    </main>
  );
}
