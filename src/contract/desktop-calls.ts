/** What the page may ask of the desktop shell, and what the shell tells it: all that crosses but the port to the service. */
import { z } from 'zod';
import type { ErrorJSON } from './errors.ts';
import { errorSchema } from './run.ts';

/** Whether Holdfast starts when its person logs in. */
export const loginItemSchema = z.strictObject({
  /** False where this system does not know such a thing, or the program is not installed. */
  isSupported: z.boolean(),
  isEnabled: z.boolean(),
});
export type LoginItem = z.infer<typeof loginItemSchema>;

export const updateStateSchema = z.discriminatedUnion('is', [
  /** As in a program that was not installed by its own installer. */
  z.strictObject({ is: z.literal('unsupported') }),
  z.strictObject({ is: z.literal('idle') }),
  z.strictObject({ is: z.literal('looking') }),
  z.strictObject({ is: z.literal('current') }),
  z.strictObject({ is: z.literal('loading'), version: z.string(), percent: z.number() }),
  /** Loaded and checked: to be installed when the person says so. */
  z.strictObject({ is: z.literal('ready'), version: z.string() }),
  z.strictObject({ is: z.literal('failed'), error: errorSchema }),
]);
export type UpdateState = z.infer<typeof updateStateSchema>;

const title = z.string().max(200);
/** Absolute, of this computer. */
const path = z
  .string()
  .min(1)
  .max(32_768)
  .refine((text) => !text.includes('\0'), 'must not hold a NUL');
const nothing = z.void();

/** By name: what is asked with, and what is answered. */
export const desktopCalls = {
  chooseFolders: { input: z.strictObject({ title, several: z.boolean() }), output: z.array(z.string()) },
  chooseFile: { input: z.strictObject({ title }), output: z.string().nullable() },
  chooseNewFile: { input: z.strictObject({ title, name: z.string().max(255) }), output: z.string().nullable() },
  showInFolder: { input: z.strictObject({ path }), output: nothing },
  openFolder: { input: z.strictObject({ path }), output: nothing },
  loginItem: { input: nothing, output: loginItemSchema },
  setLoginItem: { input: z.strictObject({ enabled: z.boolean() }), output: loginItemSchema },
  update: { input: nothing, output: updateStateSchema },
  lookForUpdate: { input: nothing, output: updateStateSchema },
  installUpdate: { input: nothing, output: nothing },
} as const;

export type DesktopCall = keyof typeof desktopCalls;
export type DesktopInput<C extends DesktopCall> = z.infer<(typeof desktopCalls)[C]['input']>;
export type DesktopOutput<C extends DesktopCall> = z.infer<(typeof desktopCalls)[C]['output']>;

/** Errors cross whole; an exception would lose all but its message. */
export type DesktopAnswer = { readonly value: unknown } | { readonly error: ErrorJSON };
