/** Who may use the service from another computer: a *login* is a name with a password; a *session* begins with one, and ends. */
import { z } from 'zod';

export const loginNameSchema = z
  .string()
  .normalize('NFC')
  .trim()
  .min(1)
  .max(100)
  .regex(/^\P{C}*$/u, 'a name has only characters that can be seen');

/** Of a new login. Characters that look the same count as the same (NFKC). */
export const loginPasswordSchema = z.string().min(8, 'a password has at least 8 characters').max(1000);

/** As typed by whoever wants to come in. */
export const credentialSchema = z.strictObject({ name: z.string().min(1).max(100), password: z.string().min(1).max(1000) });

const sessionViewSchema = z.strictObject({
  id: z.string(),
  created: z.number(),
  /** To a quarter of an hour. */
  used: z.number(),
  /** Where it began. */
  address: z.string(),
});

export const loginViewSchema = z.strictObject({ name: z.string(), created: z.number(), sessions: z.array(sessionViewSchema) });
export type LoginView = z.infer<typeof loginViewSchema>;
