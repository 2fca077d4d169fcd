// The core of @shipspeak/realtime: no React, no I/O at import.

export type { EventName } from "./acknowledge.js";
export {
  createRealtimeClient,
  type RealtimeClient,
  type RealtimeClientOptions,
  type TopicHandle,
} from "./client.js";
export { LADDER, type LadderStep, type Rung, type StepReason } from "./connection/ladder.js";
export type { Phase } from "./connection/machine.js";
export type { TransportFigures, TransportTable } from "./connection/meter.js";
export type { ConnectionSnapshot, Quality } from "./connection/snapshot.js";
export { DEFAULT_TIMING, type Timing } from "./connection/timing.js";
export {
  browserEnvironment,
  type Environment,
  type KeyValueStorage,
  type SleepReason,
  type WakeReason,
} from "./environment.js";
export {
  AbortedError,
  AuthError,
  BusyError,
  type ErrorKind,
  NetworkError,
  OutcomeUnknownError,
  PermissionError,
  ProtocolError,
  RealtimeError,
  RefusedError,
  TimeoutError,
  UnsupportedError,
} from "./errors.js";
export { ErrorReason } from "./gen/shipspeak/realtime/v1/error_reason_pb.js";
export type { Content, Draft, Event } from "./gen/shipspeak/realtime/v1/event_pb.js";
export { type Figure, type MeetingUpdate, RecoveryKind } from "./gen/shipspeak/realtime/v1/meeting_pb.js";
export { ReceiptState } from "./gen/shipspeak/realtime/v1/notification_pb.js";
export { meetingReducer } from "./meeting/reducer.js";
export { INITIAL_MEETING, type MeetingFailure, type MeetingState, type StageState } from "./meeting/state.js";
export { type MeetingSnapshot, type MeetingStore, meetingStore } from "./meeting/store.js";
export { notificationsReducer } from "./notifications/reducer.js";
export {
  NO_NOTIFICATIONS,
  type Notice,
  type NoticeAction,
  type NoticeKind,
  type NoticeSeverity,
  type NotificationsState,
} from "./notifications/state.js";
export {
  type NotificationStore,
  type NotificationsSnapshot,
  notificationStore,
} from "./notifications/store.js";
export { OutboxFullError, type QueuedState } from "./outbox/rows.js";
export type { Outbox, OutboxEntry, OutboxSnapshot, Queued, QueueOptions } from "./outbox/types.js";
export { type SavedSnapshot, type SavedTopicOptions, savedTopic } from "./persist/saved-topic.js";
export { practiceReducer } from "./practice/reducer.js";
export {
  type DimensionState,
  type Hint,
  type HintTone,
  INITIAL_PRACTICE,
  type Milestone,
  type PracticeState,
} from "./practice/state.js";
export { type PracticeSnapshot, type PracticeStore, practiceStore } from "./practice/store.js";
export type { Member, PresenceSnapshot, PresenceState } from "./presence/state.js";
export type { ContentInit, PublishOptions } from "./publish.js";
export type { Receipt } from "./repeat.js";
export type { GetToken, TokenReason } from "./session/token.js";
export type { Store } from "./store.js";
export type { TabsHost } from "./tabs/host.js";
export type { TabRole, TabsSnapshot } from "./tabs/snapshot.js";
export type { Position } from "./topics/position.js";
export type { Counters, Start, TopicListener, TopicSnapshot, VerdictNews } from "./topics/types.js";
export { GrpcWebTransport } from "./transport/grpc-web.js";
export type { OpenSocket } from "./transport/socket.js";
export type { CallOptions, Sized, Transport } from "./transport/transport.js";
