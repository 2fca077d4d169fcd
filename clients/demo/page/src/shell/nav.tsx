import { hrefOf, type PageName, type Route } from "../route.js";

const PAGES: readonly (readonly [PageName, string, string])[] = [
  ["meetings", "Meetings", "M4 6h16M4 12h16M4 18h10"],
  ["practice", "Practice", "M12 4a3 3 0 0 1 3 3v4a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3M6 11a6 6 0 0 0 12 0M12 17v4"],
  ["notifications", "Notifications", "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 21h4"],
];

/** The product's three places. */
export function Nav({ route }: { route: Route }) {
  return (
    <nav className="nav" aria-label="Product">
      <ul>
        {PAGES.map(([page, label, path]) => (
          <li key={page}>
            <a href={hrefOf(page)} {...(route.page === page && { "aria-current": "page" as const })}>
              <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
                <path d={path} />
              </svg>
              {label}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
