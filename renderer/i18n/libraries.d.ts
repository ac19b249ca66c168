/**
 * What of i18next is used here, with the keys of our texts. The library's own types work the keys out anew at every call, too slowly and, from
 * some hundred texts on, not at all ("excessively deep"). A declaration of a module counts before the module's own.
 */

declare namespace Words {
  type Base<K extends string> = K extends `${infer B}_one` ? B : K extends `${infer B}_other` ? B : K;
  type Keys<T, Above extends string> = {
    [K in keyof T & string]: T[K] extends string ? `${Above}${Base<K>}` : Keys<T[K], `${Above}${K}.`>;
  }[keyof T & string];
  type English = typeof import('./en.ts')['default'];

  /** Of every text; of one with plurals without their ending. */
  type Key = Keys<English, ''>;
  /** What is named in a text; `count` chooses the plural. */
  type Values = Readonly<Record<string, string | number | undefined>>;
  type Say = (key: Key, values?: Values) => string;
}

declare module 'i18next' {
  interface I18next {
    readonly t: Words.Say;
    readonly exists: (key: string) => boolean;
    readonly language: string;
    readonly isInitialized: boolean;
    use(plugin: object): I18next;
    init(options: object): Promise<unknown>;
    hasResourceBundle(language: string, namespace: string): boolean;
    addResourceBundle(language: string, namespace: string, texts: object): void;
    changeLanguage(language: string): Promise<unknown>;
  }
  const i18next: I18next;
  export default i18next;
}

declare module 'react-i18next' {
  /** Shows the component anew when the language changes. */
  export const useTranslation: () => { readonly t: Words.Say };
  export const initReactI18next: object;
}
