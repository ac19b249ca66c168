/**
 * What a translation of `T` looks like: the same keys. A text that English writes in two ways (`…_one`, `…_other`) other languages may write in
 * one.
 */
export type Texts<T> = {
  readonly [K in keyof T as K extends `${string}_one` ? never : K]: T[K] extends string ? string : Texts<T[K]>;
};
