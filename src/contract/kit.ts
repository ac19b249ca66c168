/**
 * The recovery kit: everything needed to restore on another computer, as data that a client prints or saves.
 *
 * The service keeps no password in it: it is there only when the person types it now, and after it was tried. The *check words* follow from
 * the repository's ID; asking two of them back shows that the person has the page before them. Which two, the service chooses anew each time.
 */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { hashSchema, idSchema } from './destination.ts';

export const kitLanguages = ['en', 'zh-CN'] as const;

export const kitSchema = z.strictObject({
  holdfast: z.literal('recovery-kit'),
  version: z.literal(1),
  madeAt: z.number(),
  hostname: z.string(),
  username: z.string(),
  destination: z.strictObject({ id: idSchema, name: z.string() }),
  /** `local`, `s3`, `sftp` … */
  kind: z.string(),
  place: z.string(),
  /** Of a drive: what its file system calls itself, and the folder below its root. */
  volume: z.strictObject({ uuid: z.string(), pathWithin: z.string() }).nullable(),
  repository: hashSchema,
  /** Null: the person did not want it on the page. */
  password: z.string().nullable(),
  /** Names of credentials that the place needs; the page has room for them. */
  credentials: z.array(z.string()),
  /** Eight. */
  checkWords: z.array(z.string()),
  /** Plans that back up there: what they protect. */
  plans: z.array(z.strictObject({ name: z.string(), sources: z.array(z.string()) })),
  /** Command lines, to be typed as they stand; both ask for the password. Empty where a program knows no such place. */
  commands: z.strictObject({ holdfast: z.array(z.string()), restic: z.array(z.string()) }),
});
export type RecoveryKit = z.infer<typeof kitSchema>;

export const kitContract = {
  kit: {
    /** Throws `wrong-password` when the password that shall be on the page does not open the repository. */
    make: oc
      .input(
        z.strictObject({
          destination: idSchema,
          password: z.string().min(1).max(10_000).optional(),
          language: z.enum(kitLanguages).default('en'),
        }),
      )
      .output(kitSchema),
    /** The numbers of two check words (1 is the first). */
    ask: oc.input(z.strictObject({ destination: idSchema })).output(z.strictObject({ numbers: z.tuple([z.int(), z.int()]) })),
    /** In any language and letter case. When both are right, it is noted that the kit is saved. */
    answer: oc
      .input(z.strictObject({ destination: idSchema, words: z.tuple([z.string().max(100), z.string().max(100)]) }))
      .output(z.strictObject({ right: z.tuple([z.boolean(), z.boolean()]), savedAt: z.number().nullable() })),
    /** By destination, when it was last shown that the kit is saved; null: never. */
    saved: oc.output(z.array(z.strictObject({ destination: idSchema, savedAt: z.number().nullable() }))),
  },
};
