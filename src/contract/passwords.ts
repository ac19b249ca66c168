/**
 * Passwords of repositories. How strong one is, is estimated by the service (zxcvbn, loaded when it is first asked), so that its word lists
 * burden no screen; what is typed goes no farther than to the service, which is given the password anyway, and is kept nowhere.
 */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { idSchema } from './destination.ts';

const passwordSchema = z.string().min(1, 'must not be empty').max(10_000);

export const strengthSchema = z.strictObject({
  /** 0 (guessed at once) to 4 (very strong); from 3 on it is good enough. */
  score: z.int().min(0).max(4),
  /** Logarithm to base 10 of the guesses that it stands up to. */
  guessesLog10: z.number(),
  /** Time for who has the repository's files and a computer that tries so fast as its keys allow. */
  crackSeconds: z.number(),
  /** Names of what makes it weak and of what would help, such as `topTen` or `anotherWord`; see zxcvbn's translation keys. */
  warning: z.string().nullable(),
  suggestions: z.array(z.string()),
});
export type PasswordStrength = z.infer<typeof strengthSchema>;

export const passwordsContract = {
  passwords: {
    strength: oc
      .input(
        z.strictObject({
          password: z.string().max(10_000),
          /** That an attacker would try first: the person's name, the computer's. */
          personal: z.array(z.string().max(500)).max(50).default([]),
        }),
      )
      .output(strengthSchema),
    /**
     * Gives the repository a new password: a key for it is added, tried, and kept in the keychain; then the old password's key is removed.
     * Throws `wrong-password` for the old one. Where nothing can be removed the old password opens it still, and `isOldGone` is false.
     */
    change: oc
      .input(z.strictObject({ destination: idSchema, old: passwordSchema, new: passwordSchema }))
      .output(z.strictObject({ isOldGone: z.boolean(), otherPasswords: z.int() })),
  },
};
