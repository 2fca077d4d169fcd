import "./gallery.css";
import "../../src/ui/ui.css";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { RealtimeProvider } from "../../src/react/index.js";
import { toast } from "../../src/ui/index.js";
import { FakeClient } from "../support/fake-client.js";
import { HOSTILE_SCENES } from "./hostile.js";
import { NOW } from "./notices.js";
import { SCENES, type Scene } from "./scenes.js";

// What the tests read. A strict policy tells what it has stopped.
const told: { violations: string[]; errors: string[]; ready: boolean; count: number } = {
  violations: [],
  errors: [],
  ready: false,
  count: 0,
};
Object.assign(window, { gallery: told });
document.addEventListener("securitypolicyviolation", (event) => {
  told.violations.push(
    `${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`,
  );
});
window.addEventListener("error", (event) => {
  if (!event.message.includes("broken on purpose")) told.errors.push(event.message);
});

const asked = new URLSearchParams(location.search);
document.documentElement.dataset["scheme"] = asked.get("scheme") ?? "light";
document.documentElement.dir = asked.get("dir") ?? "ltr";
const part = asked.get("scenes");
const wanted = asked.has("hostile") ? HOSTILE_SCENES : SCENES;
const scenes = part === null ? wanted : wanted.filter((scene) => scene.name.startsWith(part));

// Pictures of two days are the same: "2 hours ago" is counted from a moment that stands still.
Date.now = () => NOW;

function mount(scene: Scene, place: HTMLElement): void {
  const client = new FakeClient();
  const root = createRoot(place, { onCaughtError: () => {} });
  flushSync(() => root.render(<RealtimeProvider client={client}>{scene.show(client)}</RealtimeProvider>));
  flushSync(() => scene.act?.(client, place));
}

const page = document.getElementById("root") as HTMLElement;
for (const scene of scenes) {
  const section = document.createElement("section");
  section.className = "scene";
  const title = document.createElement("h2");
  title.textContent = scene.name;
  const place = document.createElement("div");
  place.className = "stage";
  section.append(title, place);
  page.append(section);
  mount(scene, place);
}
if (scenes.some((scene) => scene.name === "Messages")) {
  toast({ title: "Copied", tone: "good", durationMs: Infinity });
  toast({ title: "Ann has joined", body: "She is looking at page 3.", durationMs: Infinity });
  const action = { label: "See what is missing", onClick: () => {} };
  toast({
    title: "Not all was saved",
    body: "Two answers wait for the connection.",
    tone: "warning",
    action,
    durationMs: Infinity,
  });
  toast({
    title: "Upload failed",
    body: "The network broke off at 74 %.",
    tone: "danger",
    durationMs: Infinity,
  });
}
told.count = scenes.length;
told.ready = true;
