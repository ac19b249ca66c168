/** How errors go over the wire between service and clients: whole, with code, words, context and all. */
import { ORPCError } from '@orpc/client';
import { ValidationError } from '@orpc/contract';
import { type ErrorJSON, errorFromJSON, HoldfastError, toHoldfastError } from './errors.ts';

/** The library's code for an error of ours, which is its data. */
const carrier = 'HOLDFAST';

/** For the wire. */
export function toWire(thrown: unknown): ORPCError<typeof carrier, ErrorJSON> {
  const error = refusal(thrown) ?? toHoldfastError(thrown);
  return new ORPCError(carrier, { status: 500, message: error.message, data: error.toJSON(), cause: thrown });
}

/** From the wire; anything that is no error of ours becomes `service-lost`, for then there was no answer. */
export function fromWire(thrown: unknown): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  if (thrown instanceof ORPCError && thrown.code === carrier) return errorFromJSON(thrown.data as ErrorJSON);
  return refusal(thrown) ?? new HoldfastError('service-lost', { cause: (thrown as Error).message }, { cause: thrown });
}

/** What the schemas have found, in words; undefined for other errors. */
function refusal(thrown: unknown): HoldfastError | undefined {
  if (!(thrown instanceof ORPCError)) return undefined;
  if (thrown.code === 'NOT_FOUND')
    return new HoldfastError('request-invalid', { problem: 'there is no such procedure' }, { cause: thrown });
  if (thrown.code !== 'BAD_REQUEST') return undefined;
  const issues =
    (thrown.cause instanceof ValidationError ? thrown.cause.issues : (thrown.data as { issues?: unknown[] } | undefined)?.issues) ?? [];
  const problems = issues.map((issue) => {
    const { message, path = [] } = issue as { message: string; path?: readonly (PropertyKey | { key: PropertyKey })[] };
    const where = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    const words = message.replace(/\.$/, '');
    return where === '' ? words : `${where}: ${words}`;
  });
  return new HoldfastError('request-invalid', { problem: problems.slice(0, 5).join('; ') || 'it is malformed' }, { cause: thrown });
}
