import { existsSync } from "node:fs";

/** The browsers that tests run in: each a different engine, as Debian packages it. */
export const ENGINES = ["chromium", "firefox", "webkit"] as const;
export type Engine = (typeof ENGINES)[number];

const MINI_BROWSERS = ["x86_64", "aarch64"].map(
  (machine) => `/usr/lib/${machine}-linux-gnu/webkit2gtk-4.1/MiniBrowser`,
);

/** Where the programs are. WebKit's browser takes its first place that exists. */
export const PROGRAMS = {
  chromium: "/usr/bin/chromium",
  firefox: "/usr/bin/firefox-esr",
  webDriver: "/usr/bin/WebKitWebDriver",
  display: "/usr/bin/Xvfb",
  miniBrowser: MINI_BROWSERS.find(existsSync) ?? (MINI_BROWSERS[0] as string),
} as const;

const NEEDED: Readonly<Record<Engine, readonly (keyof typeof PROGRAMS)[]>> = {
  chromium: ["chromium"],
  firefox: ["firefox"],
  webkit: ["webDriver", "display", "miniBrowser"],
};

const PACKAGES: Readonly<Record<Engine, string>> = {
  chromium: "chromium",
  firefox: "firefox-esr",
  webkit: "webkit2gtk-driver xvfb",
};

/**
 * The engines that can run here. One that cannot is named with the line that installs it; where CI=true that is a
 * failure. ENGINE=firefox, or ENGINE=chromium,webkit, asks for those alone.
 */
export function engines(): Engine[] {
  const wanted = process.env["ENGINE"]?.split(",") ?? ENGINES;
  return ENGINES.filter((engine) => {
    if (!wanted.includes(engine)) return false;
    if (NEEDED[engine].every((name) => existsSync(PROGRAMS[name]))) return true;
    const line = `${engine} is not installed: apt-get install --no-install-recommends ${PACKAGES[engine]}`;
    if (process.env["CI"] === "true") throw new Error(line);
    process.stderr.write(`\n${line}\n\n`);
    return false;
  });
}
