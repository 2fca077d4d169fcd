import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { RealtimeClient } from "../client.js";
import { type RealtimeError, toRealtimeError } from "../errors.js";
import type { ContentInit, PublishOptions } from "../publish.js";
import type { Receipt } from "../repeat.js";
import { uuidv7 } from "../uuid.js";
import { useRealtime } from "./provider.js";

/** What was published and is not done yet. */
export interface PendingDraft {
  readonly id: string;
  readonly content: ContentInit;
}

/** What could not be published. */
export interface FailedDraft extends PendingDraft {
  readonly error: RealtimeError;
  /** Publishes it again with the same id, so it is stored once whatever became of it before. */
  readonly retry: () => Promise<Receipt>;
  readonly discard: () => void;
}

export interface UsePublishOptions {
  /**
   * For a list that shows what is pending below what the topic has: a draft stays pending until its event has come back,
   * so that it is at no moment missing and at no moment there twice. The topic is read for that.
   */
  readonly optimistic?: boolean;
}

export interface PublishState {
  /** In the order of the calls. */
  readonly pending: readonly PendingDraft[];
  readonly failed: readonly FailedDraft[];
}

export type Publish = (content: ContentInit, options?: PublishOptions) => Promise<Receipt>;

/** A receipt was given, but the event does not come back: somebody else may have expired or withdrawn it. */
const COME_BACK_MS = 5000;

/** Through which client a draft goes, and where to: a component may turn to others meanwhile. */
interface Way {
  readonly client: RealtimeClient;
  readonly topic: string;
}

type Sent = PendingDraft & { readonly way: Way };
type Failure = Sent & { readonly error: RealtimeError; readonly options: PublishOptions };

const isSame = (one: Way, other: Way) => one.client === other.client && one.topic === other.topic;

/**
 * Publishes to a topic, and says what is on its way to it and what has failed. The promise fails with RealtimeError.
 */
export function usePublish(
  topic: string,
  { optimistic = false }: UsePublishOptions = {},
): [Publish, PublishState] {
  const client = useRealtime();
  const [pending, setPending] = useState<readonly Sent[]>([]);
  const [failures, setFailures] = useState<readonly Failure[]>([]);
  /** Ids of calls under way; true = its event has come back already. */
  const underWay = useRef(new Map<string, boolean>());
  const timers = useRef(new Set<ReturnType<typeof setTimeout>>());

  const drop = useCallback((id: string) => setPending((all) => all.filter((one) => one.id !== id)), []);

  useEffect(() => {
    const running = timers.current;
    return () => running.forEach((timer) => void clearTimeout(timer));
  }, []);
  useEffect(() => {
    if (!optimistic) return;
    return client.topic(topic).subscribe({
      onEvent: ({ id }) => {
        if (underWay.current.has(id)) underWay.current.set(id, true);
        drop(id);
      },
    });
  }, [client, topic, optimistic, drop]);

  const send = useCallback(
    async (way: Way, content: ContentInit, options: PublishOptions): Promise<Receipt> => {
      const id = options.id ?? uuidv7(Date.now());
      underWay.current.set(id, false);
      setFailures((all) => all.filter((one) => one.id !== id));
      setPending((all) => [...all.filter((one) => one.id !== id), { id, content, way }]);
      try {
        const receipt = await way.client.publish(way.topic, content, { ...options, id });
        if (!optimistic || receipt.duplicate || underWay.current.get(id)) drop(id);
        else timers.current.add(setTimeout(() => drop(id), COME_BACK_MS));
        return receipt;
      } catch (thrown) {
        const error = toRealtimeError(thrown);
        drop(id);
        setFailures((all) => [...all, { id, content, way, error, options }]);
        throw error;
      } finally {
        underWay.current.delete(id);
      }
    },
    [optimistic, drop],
  );

  const way = useMemo(() => ({ client, topic }), [client, topic]);
  const publish = useCallback(
    (content: ContentInit, options: PublishOptions = {}) => send(way, content, options),
    [send, way],
  );
  const state = useMemo(
    () => ({
      pending: pending.filter((one) => isSame(one.way, way)).map(({ id, content }) => ({ id, content })),
      failed: failures
        .filter((one) => isSame(one.way, way))
        .map(({ id, content, way: taken, error, options }) => ({
          id,
          content,
          error,
          retry: () => send(taken, content, { ...options, id }),
          discard: () => setFailures((all) => all.filter((one) => one.id !== id)),
        })),
    }),
    [pending, failures, send, way],
  );
  return [publish, state];
}
