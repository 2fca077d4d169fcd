import "@shipspeak/realtime/ui.css";
import "./styles/page.css";
import "./styles/meetings.css";
import "./styles/people.css";
import "./styles/practice.css";
import "./styles/connection.css";
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
        <App />
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
