/** Language and look, as the settings of the profile say; kept in the browser too, for the moment before the service has answered. */
import { useMantineColorScheme } from '@mantine/core';
import { useEffect } from 'react';
import type { Settings } from '../../src/contract/settings.ts';
import { type Language, languageFor, languages, speak } from '../i18n/i18n.ts';
import { useService } from '../live.ts';

const languageKey = 'holdfast-language';
/** Known to public/begin.js. */
const themeKey = 'holdfast-theme';

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser that keeps nothing asks the service each time.
  }
}

const languageOf = (setting: string | null): Language =>
  languages.find((language) => language === setting) ?? languageFor(navigator.languages);

/** The language to begin with. */
export const firstLanguage = (): Language => languageOf(kept(languageKey));

/** The look to begin with. */
export const firstTheme = (): Settings['theme'] => {
  const theme = kept(themeKey);
  return theme === 'light' || theme === 'dark' ? theme : 'system';
};

/** Follows the settings. */
export function useAppearance(): void {
  const language = useService(({ settings }) => settings.language);
  const theme = useService(({ settings }) => settings.theme);
  const { setColorScheme } = useMantineColorScheme();
  useEffect(() => {
    if (language === undefined) return;
    keep(languageKey, language);
    void speak(languageOf(language));
  }, [language]);
  useEffect(() => {
    if (theme === undefined) return;
    keep(themeKey, theme);
    setColorScheme(theme === 'system' ? 'auto' : theme);
  }, [theme, setColorScheme]);
}
