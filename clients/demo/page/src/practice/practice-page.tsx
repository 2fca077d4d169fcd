import { PracticeRoom } from "./practice-room.js";
import { PracticeStart } from "./practice-start.js";

/** The way into practice, or the session that the address names. */
export function PracticePage({ id }: { id: string | null }) {
  return (
    <main className="main practice-page" id="main" tabIndex={-1}>
      {id ? <PracticeRoom key={id} id={id} /> : <PracticeStart />}
    </main>
  );
}
