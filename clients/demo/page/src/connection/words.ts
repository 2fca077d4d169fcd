import type { Phase, Rung, StepReason, TabRole } from "@shipspeak/realtime";

export const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  idle: "not started",
  authenticating: "asking for a token",
  connecting: "connecting",
  syncing: "catching up",
  live: "live",
  backoff: "waiting to try again",
  offline: "offline",
  suspended: "asleep",
  "needs-auth": "signed out",
  failed: "failed",
  closed: "closed",
};

export const ROLE_WORDS: Readonly<Record<TabRole, string>> = {
  solo: "own connection",
  electing: "choosing a leader",
  leader: "this tab leads",
  follower: "follows another tab",
};

export const RUNG_WORDS: Readonly<Record<Rung, string>> = {
  stream: "Stream",
  websocket: "WebSocket",
  longpoll: "Long poll",
  poll: "Poll at intervals",
};

export const REASON_WORDS: Readonly<Record<StepReason, string>> = {
  unsupported: "the answer was not the hub's",
  blocked: "no first frame came",
  failing: "it failed while single calls got through",
  cut: "it was cut again and again",
  probed: "the better way works again",
};
