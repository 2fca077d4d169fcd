import { expect, test } from "vitest";
import * as core from "../src/index.js";
import * as react from "../src/react/index.js";
import * as ui from "../src/ui/index.js";

// What is exported is promised. A change here is a change of the public interface.
test("the public names", () => {
  expect(Object.keys(core).sort()).toEqual([
    "AbortedError",
    "AuthError",
    "BusyError",
    "DEFAULT_TIMING",
    "ErrorReason",
    "GrpcWebTransport",
    "INITIAL_MEETING",
    "INITIAL_PRACTICE",
    "LADDER",
    "NO_NOTIFICATIONS",
    "NetworkError",
    "OutboxFullError",
    "OutcomeUnknownError",
    "PermissionError",
    "ProtocolError",
    "RealtimeError",
    "ReceiptState",
    "RecoveryKind",
    "RefusedError",
    "TimeoutError",
    "UnsupportedError",
    "browserEnvironment",
    "createRealtimeClient",
    "meetingReducer",
    "meetingStore",
    "notificationStore",
    "notificationsReducer",
    "practiceReducer",
    "practiceStore",
    "savedTopic",
  ]);
  expect(Object.keys(react).sort()).toEqual([
    "RealtimeProvider",
    "useConnection",
    "useConnectionEvent",
    "useEvents",
    "useLatest",
    "useMeetingProgress",
    "useNotifications",
    "useOutbox",
    "usePracticeFeedback",
    "usePresence",
    "usePublish",
    "useRealtime",
    "useSavedState",
    "useServerNow",
    "useTabRole",
    "useTopic",
    "useTopicState",
  ]);
  expect(Object.keys(ui).sort()).toEqual([
    "Announcer",
    "ConnectionBanner",
    "ConnectionDot",
    "LiveText",
    "MeetingProgress",
    "NotificationBell",
    "NotificationItem",
    "NotificationList",
    "NotificationToasts",
    "OutboxBadge",
    "PracticeFeedback",
    "PresenceList",
    "ProgressBar",
    "RealtimeErrorBoundary",
    "ScoreRing",
    "Toaster",
    "closeToast",
    "formatBytes",
    "formatClock",
    "formatFigure",
    "formatLeft",
    "formatName",
    "toast",
  ]);
});

test("making a client does nothing that could be seen, in Node as on a server", () => {
  const calls: string[] = [];
  const getToken = () => {
    calls.push("token");
    return "";
  };
  const client = core.createRealtimeClient({ baseUrl: "http://hub.invalid", getToken });
  expect(client.connection.getSnapshot()).toMatchObject({ phase: "idle", transport: null });
  expect(calls).toEqual([]);
});
