/** What separates one user's client of one hub from all others of the origin. */
export interface Scope {
  readonly baseUrl: string;
  /** Of the application, where several live on one origin; empty by default. */
  readonly namespace: string;
  /** Whose client it is. */
  readonly identity: string;
}

/** The name that the tabs of a scope share; locks, channels and rows begin with it. */
export function scopeName({ baseUrl, namespace, identity }: Scope): string {
  return ["rt", baseUrl, namespace, identity].map(encodeURIComponent).join(":");
}
