// React bindings of @shipspeak/realtime.
export type { ConnectionEvent } from "./connection-event.js";
export { RealtimeProvider, type RealtimeProviderProps, useRealtime } from "./provider.js";
export { useConnection } from "./use-connection.js";
export { useConnectionEvent } from "./use-connection-event.js";
export {
  type PayloadCase,
  type PayloadOf,
  type UseEventsOptions,
  useEvents,
  useLatest,
} from "./use-events.js";
export { useMeetingProgress } from "./use-meeting-progress.js";
export { type Notifications, type UseNotificationsOptions, useNotifications } from "./use-notifications.js";
export { type OutboxView, useOutbox } from "./use-outbox.js";
export { usePracticeFeedback } from "./use-practice-feedback.js";
export { type Me, usePresence } from "./use-presence.js";
export {
  type FailedDraft,
  type PendingDraft,
  type Publish,
  type PublishState,
  type UsePublishOptions,
  usePublish,
} from "./use-publish.js";
export { useSavedState } from "./use-saved-state.js";
export { useServerNow } from "./use-server-now.js";
export { useTabRole } from "./use-tab-role.js";
export { useTopic } from "./use-topic.js";
export { type TopicState, type UseTopicStateOptions, useTopicState } from "./use-topic-state.js";
