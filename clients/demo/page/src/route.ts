import { useSyncExternalStore } from "react";

/** A place in the product; the address names it, so it survives a reload and can be sent to others. */
export type Route =
  | { readonly page: "meetings"; readonly id: string | null }
  | { readonly page: "practice"; readonly id: string | null }
  | { readonly page: "notifications" };

export type PageName = Route["page"];

const START: Route = Object.freeze({ page: "meetings", id: null });
const ID = /^[a-z0-9]{1,64}$/;

/** `#/meetings`, `#/meetings/ID`, `#/practice`, `#/practice/ID`, `#/notifications`; anything else is the start. */
export function routeOf(hash: string): Route {
  const [page, id = "", ...more] = hash.replace(/^#\/?/, "").split("/");
  if (more.length > 0 || (id !== "" && !ID.test(id))) return START;
  if (page === "meetings" || page === "practice") return { page, id: id || null };
  return page === "notifications" && id === "" ? { page } : START;
}

export function hrefOf(page: PageName, id?: string): string {
  return id ? `#/${page}/${id}` : `#/${page}`;
}

export function go(page: PageName, id?: string): void {
  location.hash = hrefOf(page, id);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

let known: { readonly hash: string; readonly route: Route } = { hash: "", route: START };

function present(): Route {
  const { hash } = location;
  if (hash !== known.hash) known = { hash, route: routeOf(hash) };
  return known.route;
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, present);
}
