import { useMemo, useSyncExternalStore } from "react";
import type { Content, Event } from "../gen/shipspeak/realtime/v1/event_pb.js";
import type { Store } from "../store.js";
import type { Start } from "../topics/types.js";
import { FramedStore } from "./framed-store.js";
import { useRealtime } from "./provider.js";
import { useLatestRef } from "./use-latest-ref.js";

const NONE: readonly Event[] = Object.freeze([]);
const EMPTY: Store<readonly Event[]> = { getSnapshot: () => NONE, subscribe: () => () => {} };
const NOTHING: Store<undefined> = { getSnapshot: () => undefined, subscribe: () => () => {} };

/** The names of the payloads, such as `meeting`. */
export type PayloadCase = NonNullable<Content["payload"]["case"]>;
/** The payload of one name. */
export type PayloadOf<K extends PayloadCase> = Extract<Content["payload"], { case: K }>["value"];

export interface UseEventsOptions {
  /** Most events that are kept, newest last; default 100. */
  readonly limit?: number;
  /** Where reading begins; default `latest`. */
  readonly start?: Start;
}

/** The last events of a topic, oldest first, while the component is mounted; renders at most once in a frame. */
export function useEvents(topic: string | null, options: UseEventsOptions = {}): readonly Event[] {
  const { limit = 100, start = "latest" } = options;
  const client = useRealtime();
  const store = useMemo(() => {
    if (topic === null) return EMPTY;
    const events = (all: readonly Event[], news: readonly Event[]) => [...all, ...news].slice(-limit);
    return new FramedStore(client, topic, start, { initial: NONE, events });
  }, [client, topic, limit, start]);
  return useSyncExternalStore(store.subscribe, store.getSnapshot, () => NONE);
}

type LatestOptions = Pick<UseEventsOptions, "start">;

/** The latest payload of one kind, such as `metrics`; undefined until one comes. Renders at most once in a frame. */
export function useLatest<K extends PayloadCase>(
  topic: string | null,
  kind: K,
  options?: LatestOptions,
): PayloadOf<K> | undefined;
/** The latest of what `select` makes out of events; those of which it makes undefined are passed over. */
export function useLatest<T>(
  topic: string | null,
  select: (event: Event) => T | undefined,
  options?: LatestOptions,
): T | undefined;
export function useLatest(
  topic: string | null,
  pick: PayloadCase | ((event: Event) => unknown),
  { start = "latest" }: LatestOptions = {},
): unknown {
  const client = useRealtime();
  const picking = useLatestRef(pick);
  const store = useMemo(() => {
    if (topic === null) return NOTHING as Store<unknown>;
    const events = (now: unknown, news: readonly Event[]) => {
      for (let index = news.length - 1; index >= 0; index -= 1) {
        const found = picked(news[index] as Event, picking.current);
        if (found !== undefined) return found;
      }
      return now;
    };
    return new FramedStore<unknown>(client, topic, start, { initial: undefined, events });
  }, [client, topic, start, picking]);
  return useSyncExternalStore(store.subscribe, store.getSnapshot, () => undefined);
}

function picked(event: Event, pick: PayloadCase | ((event: Event) => unknown)): unknown {
  if (typeof pick === "function") return pick(event);
  const payload = event.content?.payload;
  return payload?.case === pick ? payload.value : undefined;
}
