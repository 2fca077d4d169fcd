import "@shipspeak/realtime/ui.css";
import "./styles/page.css";
import "./styles/parts.css";
import { RealtimeProvider } from "@shipspeak/realtime/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.js";
import { loadConfig } from "./config.js";
import { createServices, ServicesProvider } from "./services.js";

const root = createRoot(document.getElementById("app") as HTMLElement);

try {
  const services = createServices(await loadConfig());
  root.render(
    <StrictMode>
      <ServicesProvider value={services}>
        <RealtimeProvider client={services.client}>
          <App />
        </RealtimeProvider>
      </ServicesProvider>
    </StrictMode>,
  );
} catch (error) {
  root.render(
    <main className="page-failed">
      <h1>This page could not start</h1>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      <button type="button" className="rt-button" onClick={() => location.reload()}>
        Try again
      </button>
    </main>,
  );
}
