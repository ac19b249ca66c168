/** The languages of the interface. Texts are in en/ and zh-CN/, one file for each part; types (libraries.d.ts, texts.ts) know their keys. */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';

export const languages = ['en', 'zh-CN'] as const;
export type Language = (typeof languages)[number];

/** Only the language that is shown is loaded. */
const texts: Readonly<Record<Language, () => Promise<{ readonly default: object }>>> = {
  en: () => import('./en.ts'),
  'zh-CN': () => import('./zh-CN.ts'),
};

/** The language of the interface for what a person prefers, best first, as a browser says it. */
export function languageFor(preferred: readonly string[]): Language {
  for (const each of preferred) {
    const [language] = each.toLowerCase().split('-');
    if (language === 'zh') return 'zh-CN';
    if (language === 'en') return 'en';
  }
  return 'en';
}

/** Loads a language's texts where they are not there yet, and shows the interface in it. */
export async function speak(language: Language): Promise<void> {
  if (!i18next.isInitialized) {
    await i18next.use(initReactI18next).init({
      lng: language,
      fallbackLng: false,
      resources: {},
      // React sees to it that no text becomes markup.
      interpolation: { escapeValue: false },
      // What an error does not tell leaves no hole with a name in it.
      missingInterpolationHandler: () => '',
    });
  }
  if (!i18next.hasResourceBundle(language, 'translation')) {
    i18next.addResourceBundle(language, 'translation', (await texts[language]()).default);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

/** The language that is shown now. */
export const spoken = (): Language => (i18next.language === 'zh-CN' ? 'zh-CN' : 'en');
