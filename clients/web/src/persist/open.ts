import { Database } from "./database.js";

const opened = new Map<string, Promise<Database | null>>();

/** The database of a scope; null where the browser keeps nothing, or nobody is named to keep it for. */
export function databaseOf(scope: string | null): Promise<Database | null> {
  if (scope === null) return Promise.resolve(null);
  const known = opened.get(scope);
  if (known) return known;
  const opening = Promise.resolve()
    .then(() => Database.open(scope))
    .catch(() => null);
  opened.set(scope, opening);
  return opening;
}
