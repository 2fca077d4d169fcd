import type { ReactNode } from "react";
import type { RealtimeClient } from "../../src/client.js";
import { RealtimeError } from "../../src/errors.js";
import { RecoveryKind } from "../../src/gen/shipspeak/realtime/v1/meeting_pb.js";
import { HintLevel } from "../../src/gen/shipspeak/realtime/v1/practice_pb.js";
import type { OutboxEntry, OutboxSnapshot } from "../../src/outbox/types.js";
import {
  ConnectionBanner,
  ConnectionDot,
  LiveText,
  MeetingProgress,
  OutboxBadge,
  PracticeFeedback,
  PresenceList,
  ProgressBar,
  RealtimeErrorBoundary,
  Toaster,
} from "../../src/ui/index.js";
import type { FakeClient } from "../support/fake-client.js";
import { NOTICE_SCENES } from "./notices.js";

/** One state of one component. */
export interface Scene {
  readonly name: string;
  readonly show: (client: RealtimeClient) => ReactNode;
  /** Brings the component into its state, once it is mounted. */
  readonly act?: (client: FakeClient, place: HTMLElement) => void;
}

const LIVE = { phase: "live", transport: "stream", quality: "good" } as const;
const LOST = { phase: "backoff", quality: "down", lostSince: 1 } as const;
const STAGES = ["upload", "parse", "speakers", "pace", "language", "summary"];

const meeting = (name: string, act: NonNullable<Scene["act"]>): Scene => ({
  name: `Meeting: ${name}`,
  show: () => <MeetingProgress meetingId="1" title="Weekly review" />,
  act,
});
const stage = (stage: string) => ({
  attempt: 1,
  update: { case: "stageChanged", value: { stage, stages: STAGES } } as const,
});
const practice = (name: string, act: NonNullable<Scene["act"]>): Scene => ({
  name: `Practice: ${name}`,
  show: () => <PracticeFeedback sessionId="7" title="Board pitch" />,
  act,
});
const banner = (name: string, act: NonNullable<Scene["act"]>): Scene => ({
  name: `Banner: ${name}`,
  show: () => <ConnectionBanner />,
  act,
});
const dot = (name: string, act: NonNullable<Scene["act"]>): Scene => ({
  name: `Dot: ${name}`,
  show: () => <ConnectionDot />,
  act,
});
const outbox = (name: string, { entries, paused }: Omit<OutboxSnapshot, "persistent">): Scene => ({
  name: `Outbox: ${name}`,
  show: () => <OutboxBadge />,
  act: (client) => client.outboxCell.set({ persistent: true, entries, paused }),
});
const queued = (id: string): OutboxEntry => ({
  id,
  topic: "meeting/1",
  state: "queued",
  createdAt: 0,
  attempts: 0,
  error: null,
});
const refused = (id: string): OutboxEntry => {
  const error = new RealtimeError("Only the owner of the meeting may comment.", { kind: "permission", id });
  return { ...queued(id), state: "dead", error };
};
const hint = (client: FakeClient, aspect: string, text: string, level: HintLevel) =>
  client.event("practice/7", {
    case: "practice",
    value: { update: { case: "hint", value: { aspect, text, level } } },
  });
const scored = (client: FakeClient, overall: number) =>
  client.event("practice/7", {
    case: "practice",
    value: {
      update: {
        case: "score",
        value: {
          overall,
          dimensions: [
            { dimension: "clarity", score: 84, trend: 3 },
            { dimension: "pace", score: 61, trend: -4 },
            { dimension: "confidence", score: 72, trend: 0 },
            { dimension: "structure", score: 90, trend: 12 },
          ],
        },
      },
    },
  });
const figures = (client: FakeClient, final: boolean) =>
  client.event("practice/7", {
    case: "practice",
    value: {
      update: {
        case: "analytics",
        value: {
          final,
          elapsed: { seconds: 247n },
          figures: [
            { name: "words_per_minute", value: 142, unit: "wpm" },
            { name: "filler_words", value: 7 },
            { name: "longest_pause", value: 2.4, unit: "s" },
            { name: "hedging", value: 3.5, unit: "%" },
          ],
        },
      },
    },
  });
const goal = (client: FakeClient, milestoneId: string, title: string, description: string) =>
  client.event("practice/7", {
    case: "practice",
    value: { update: { case: "milestone", value: { milestoneId, title, description, fraction: 0.5 } } },
  });

const person = (user: string, state: "online" | "active" | "away", clientId = "1") => ({
  user,
  clientId,
  state,
  metadata: {},
});

function Broken(): ReactNode {
  throw new Error("broken on purpose");
}

export const SCENES: readonly Scene[] = [
  dot("live", (client) => client.set(LIVE)),
  dot("by polling", (client) => client.set({ ...LIVE, transport: "longpoll", quality: "degraded" })),
  dot("connecting", (client) => client.set({ phase: "connecting", quality: "degraded" })),
  dot("not connected", (client) => client.set(LOST)),
  dot("not started", () => {}),
  banner("lost", (client) => client.set({ ...LOST, retryAt: Date.now() + 4000 })),
  banner("offline", (client) => client.set({ ...LOST, phase: "offline" })),
  banner("signed out", (client) => client.set({ phase: "needs-auth", quality: "down" })),
  banner("given up", (client) => {
    const error = new RealtimeError("This version is too old. Load the page again.", { kind: "protocol" });
    client.set({ phase: "failed", quality: "down", error });
  }),
  banner("by polling", (client) => client.set({ ...LIVE, transport: "longpoll", quality: "degraded" })),
  { name: "Bar: half", show: () => <ProgressBar value={0.5} label="Export" /> },
  { name: "Bar: not known", show: () => <ProgressBar value={null} label="Export" /> },
  meeting("waiting", () => {}),
  meeting("uploading", (client) => {
    client.meeting("1", stage("upload"));
    const value = {
      sentBytes: 7_400_000n,
      totalBytes: 20_000_000n,
      bytesPerSecond: 1.4e6,
      fileName: "review.mp4",
    };
    client.meeting("1", { attempt: 1, update: { case: "upload", value } });
  }),
  meeting("processing", (client) => {
    client.meeting("1", stage("speakers"));
    const value = { stage: "speakers", fraction: 0.4, eta: { seconds: 95n }, detail: "cue 12 of 40" };
    client.meeting("1", { attempt: 1, update: { case: "stageProgress", value } });
  }),
  meeting("done", (client) => {
    client.meeting("1", stage("summary"));
    const value = {
      resultUrl: "/r",
      summary: "Three speakers, 42 minutes, 17 decisions. The launch moves to May.",
    };
    client.meeting("1", { attempt: 1, update: { case: "completed", value } });
  }),
  meeting("failed", (client) => {
    client.meeting("1", stage("parse"));
    const options = [
      { kind: RecoveryKind.UPLOAD_AGAIN, label: "Choose another file", url: "/upload" },
      { kind: RecoveryKind.CONTACT_SUPPORT, label: "Ask for help", url: "/help" },
    ];
    const message = "Line 4 of the transcript has no time, so nobody can say who spoke when.";
    const value = { code: "BROKEN", message, stage: "parse", options };
    client.meeting("1", { attempt: 1, update: { case: "failed", value } });
  }),
  practice("waiting", () => {}),
  practice("speaking", (client) => {
    scored(client, 78);
    figures(client, false);
    hint(client, "pace", "Nice and steady. Keep it there.", HintLevel.PRAISE);
    hint(client, "fillers", "Three times “basically” in the last minute.", HintLevel.NUDGE);
    hint(client, "structure", "Say where you are in your three points.", HintLevel.INFO);
    goal(client, "m1", "Two minutes without filler words", "Your longest stretch so far.");
    hint(
      client,
      "pace",
      "You speed up: 186 words a minute. Take a breath at the next full stop.",
      HintLevel.NUDGE,
    );
  }),
  practice("urgent hint, low score", (client) => {
    scored(client, 41);
    hint(client, "volume", "We can hardly hear you. Move closer to the microphone.", HintLevel.URGENT);
  }),
  practice("praise", (client) =>
    hint(client, "clarity", "That example was crystal clear.", HintLevel.PRAISE),
  ),
  practice("ended", (client) => {
    scored(client, 83);
    goal(client, "m1", "Two minutes without filler words", "");
    goal(client, "m2", "First full pitch", "All three points made.");
    hint(client, "pace", "Nice and steady. Keep it there.", HintLevel.PRAISE);
    figures(client, true);
  }),
  outbox("waiting", { entries: [queued("1"), queued("2")], paused: false }),
  outbox("signed out", { entries: [queued("1")], paused: true }),
  outbox("refused", { entries: [queued("1"), refused("2"), refused("3")], paused: false }),
  {
    name: "Text",
    show: () => (
      <LiveText
        label="Transcript"
        lines={[
          { key: "1", label: "Ann", text: "Shall we begin with the numbers?" },
          { key: "2", label: "Ben", text: "Yes. We are at 4,200 users, up a third." },
          { key: "3", label: "Ann", text: "And what do they say?" },
        ]}
      />
    ),
  },
  {
    name: "People",
    show: () => <PresenceList topic="meeting/1" max={4} />,
    act: (client) => {
      const members = [
        person("ann.lee", "active"),
        person("ben", "online"),
        person("ben", "away", "2"),
        person("carla.dominguez@example.com", "away"),
        person("dmitri", "online"),
        person("eve", "online"),
        person("fay", "away"),
      ];
      client.present.set({ status: "live", members, sessions: 7, users: 6, error: null });
    },
  },
  {
    name: "People: as last known",
    show: () => <PresenceList topic="meeting/1" />,
    act: (client) =>
      client.present.set({
        status: "stale",
        members: [person("ann.lee", "active")],
        sessions: 1,
        users: 1,
        error: null,
      }),
  },
  {
    name: "Nobody",
    show: () => <PresenceList topic="meeting/1" />,
    act: (client) => client.present.set({ status: "live", members: [], sessions: 0, users: 0, error: null }),
  },
  {
    name: "Broken part",
    show: () => (
      <RealtimeErrorBoundary>
        <Broken />
      </RealtimeErrorBoundary>
    ),
  },
  { name: "Messages", show: () => <Toaster visible={4} /> },
  ...NOTICE_SCENES,
];
