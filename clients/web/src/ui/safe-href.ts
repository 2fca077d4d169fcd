/** An address that a payload may lead to: http(s), or a path of the page's own site; undefined for any other. */
export function safeHref(url: string): string | undefined {
  return /^(https?:\/\/|\/(?![/\\]))/i.test(url) ? url : undefined;
}
