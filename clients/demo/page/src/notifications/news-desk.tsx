import { type FormEvent, useId, useState } from "react";
import type { Announcement } from "../backend.js";
import { useServices } from "../services.js";

const KINDS: readonly (readonly [Announcement["kind"], string])[] = [
  ["feature", "New feature"],
  ["maintenance", "Maintenance"],
  ["education", "Worth learning"],
];
const WHEN: readonly (readonly [number, string])[] = [
  [0, "now"],
  [60, "in a minute"],
  [3600, "in an hour"],
  [86_400, "tomorrow"],
];
const LASTS: readonly (readonly [number, string])[] = [
  [60, "a minute"],
  [3600, "an hour"],
  [86_400, "a day"],
  [14 * 86_400, "two weeks"],
];

/** Tells everybody something, now or later; for those whose job it is. */
export function NewsDesk() {
  const { backend } = useServices();
  const heading = useId();
  const [kind, setKind] = useState<Announcement["kind"]>("feature");
  const [said, setSaid] = useState("");
  const [isSending, setSending] = useState(false);
  const send = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const text = (name: string) => String(fields.get(name) ?? "").trim();
    setSaid("");
    setSending(true);
    try {
      const news = { kind, title: text("title"), body: text("body") };
      const { outcome } = await backend.announce({
        ...news,
        in_s: Number(text("in_s")),
        lasts_s: Number(text("lasts_s")),
      });
      setSaid(outcome === "scheduled" ? "It waits at the hub for its time." : "Everybody has been told.");
      form.reset();
    } catch (error) {
      setSaid(error instanceof Error ? error.message : String(error));
    } finally {
      setSending(false);
    }
  };
  return (
    <section className="card desk" aria-labelledby={heading}>
      <h2 id={heading}>Tell everybody</h2>
      <form onSubmit={(event) => void send(event)}>
        <label>
          Kind
          <select
            name="kind"
            value={kind}
            onChange={(event) => setKind(event.target.value as Announcement["kind"])}
          >
            {KINDS.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label>
          Title
          <input name="title" required maxLength={200} autoComplete="off" />
        </label>
        <label>
          More
          <textarea name="body" maxLength={200} rows={2} />
        </label>
        <div className="desk-times">
          <Choice name="in_s" label={kind === "maintenance" ? "Begins" : "Told"} options={WHEN} chosen={0} />
          <Choice
            name="lasts_s"
            label={kind === "maintenance" ? "Takes" : "Worth reading for"}
            options={LASTS}
            chosen={86_400}
          />
        </div>
        <button type="submit" className="big-button" data-announce disabled={isSending}>
          Announce
        </button>
        <p className="soft" role="status">
          {said}
        </p>
      </form>
    </section>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly options: readonly (readonly [number, string])[];
  readonly chosen: number;
}

function Choice({ name, label, options, chosen }: ChoiceProps) {
  return (
    <label>
      {label}
      <select name={name} defaultValue={chosen}>
        {options.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}
