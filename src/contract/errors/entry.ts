/** How the words of an error are written down; see ../errors.ts for the rules. */

export type ErrorContext = Record<string, string | number | boolean | readonly string[] | undefined>;

interface Words {
  readonly message: string;
  readonly guidance: string;
}

export interface Entry {
  readonly retryable: boolean;
  readonly words: (c: ErrorContext) => Words;
}

/** The cause in brackets, if there is one. */
export const because = (c: ErrorContext): string => (c.cause ? ` (${String(c.cause)})` : '');
