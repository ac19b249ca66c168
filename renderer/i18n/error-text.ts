/** How the words of an error stand in a language: what happened, what it means for the data ('' where that is said), what to do. */
export interface ErrorText {
  readonly what: string;
  readonly means: string;
  readonly todo: string;
}

export const words = (what: string, means: string, todo: string): ErrorText => ({ what, means, todo });
