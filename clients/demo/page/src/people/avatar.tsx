/** A person's initials in a colour of their own. */
export function Avatar({ name }: { name: string }) {
  const initials = name
    .split(/\s+/u)
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("");
  const hue = [...name].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % 6;
  return (
    <span className="avatar" data-hue={hue} aria-hidden="true">
      {initials.toUpperCase()}
    </span>
  );
}
