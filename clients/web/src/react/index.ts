// React bindings of @shipspeak/realtime.
export { RealtimeProvider, type RealtimeProviderProps, useRealtime } from "./provider.js";
export { useConnection } from "./use-connection.js";
export { useMeetingProgress } from "./use-meeting-progress.js";
export { type Me, usePresence } from "./use-presence.js";
export { useTopic } from "./use-topic.js";
