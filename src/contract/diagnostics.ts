/** What somebody who helps needs to see, without secrets: passwords, keys and tokens are nowhere in it, places and names of folders are cut. */
import { oc } from '@orpc/contract';
import { z } from 'zod';

export const diagnosticsContract = {
  diagnostics: {
    /** One text to look through before it is given away, or the same parts in a ZIP. */
    make: oc
      .input(z.strictObject({ format: z.enum(['text', 'zip']) }))
      .output(z.strictObject({ name: z.string(), mediaType: z.string(), base64: z.string() })),
  },
};
