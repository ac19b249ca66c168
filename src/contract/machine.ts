/** What only the desktop shell hears of the computer, for the service. */
import { oc } from '@orpc/contract';
import { z } from 'zod';

/** It is about to fall asleep; it woke; it runs on its battery, or on mains, from now on. */
export const machineNewsSchema = z.enum(['suspend', 'resume', 'on-battery', 'on-ac']);
export type MachineNews = z.infer<typeof machineNewsSchema>;

export const machineContract = {
  machine: {
    /** The service finds all of this out by itself, but later. Only for clients on the private socket. */
    tell: oc.input(z.strictObject({ news: machineNewsSchema })).output(z.void()),
  },
};
