import { RealtimeProvider } from "@shipspeak/realtime/react";
import {
  ConnectionBanner,
  NotificationBell,
  NotificationToasts,
  RealtimeErrorBoundary,
  Toaster,
} from "@shipspeak/realtime/ui";
import { type ReactNode, useEffect, useRef } from "react";
import { Strip } from "../connection/strip.js";
import { MeetingsPage } from "../meetings/meetings-page.js";
import { NotificationsPage } from "../notifications/notifications-page.js";
import { useMyTopics } from "../notifications/topics.js";
import type { SignedIn } from "../people/account.js";
import { HereNow } from "../people/here-now.js";
import { MeMenu } from "../people/me-menu.js";
import { PracticePage } from "../practice/practice-page.js";
import { hrefOf, type Route, useRoute } from "../route.js";
import { MeProvider } from "../services.js";
import { Nav } from "./nav.js";

/** The product for the person who is signed in: where one is, what is new, who else is here, how the connection is. */
export function Shell({ person, client }: SignedIn) {
  return (
    <RealtimeProvider client={client}>
      <MeProvider value={person}>
        <Product />
      </MeProvider>
    </RealtimeProvider>
  );
}

function Product() {
  const route = useRoute();
  const topics = useMyTopics();
  useTitle(route);
  return (
    <div className="page">
      <button type="button" className="skip" onClick={focusMain}>
        Skip to the content
      </button>
      <header className="top">
        <a className="brand" href={hrefOf("meetings")} aria-label="ShipSpeak, start page">
          <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <path d="M6 14v4M11 10v12M16 6v20M21 11v10M26 14v4" />
          </svg>
          <span className="brand-name">ShipSpeak</span>
        </a>
        <Nav route={route} />
        <div className="top-end">
          <HereNow route={route} />
          <NotificationBell topics={topics} />
          <MeMenu />
        </div>
      </header>
      <div className="banner">
        <ConnectionBanner />
      </div>
      <Place route={route}>
        <RealtimeErrorBoundary resetKeys={[route]}>{pageOf(route)}</RealtimeErrorBoundary>
      </Place>
      <Strip route={route} />
      <NotificationToasts topics={topics} />
      <Toaster />
    </div>
  );
}

function pageOf(route: Route): ReactNode {
  if (route.page === "meetings") return <MeetingsPage id={route.id} />;
  if (route.page === "practice") return <PracticePage id={route.id} />;
  return <NotificationsPage />;
}

/** Where the content is. Another place is read from its top, and the keyboard goes on there. */
function Place({ route, children }: { route: Route; children: ReactNode }) {
  const before = useRef(route);
  useEffect(() => {
    if (before.current === route) return;
    before.current = route;
    window.scrollTo(0, 0);
    focusMain();
  }, [route]);
  return <div className="place">{children}</div>;
}

function focusMain(): void {
  document.getElementById("main")?.focus({ preventScroll: true });
}

const TITLES = { meetings: "Meetings", practice: "Practice", notifications: "Notifications" } as const;

function useTitle({ page }: Route): void {
  useEffect(() => {
    document.title = `${TITLES[page]} · ShipSpeak`;
  }, [page]);
}
