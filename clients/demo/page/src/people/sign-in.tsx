import { usePeople, useServices } from "../services.js";
import { Avatar } from "./avatar.js";

/** Whoever chooses a name is that person: the reference product knows no passwords. */
export function SignIn() {
  const { account } = useServices();
  const people = usePeople();
  return (
    <main className="sign-in">
      <svg className="sign-in-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <path d="M6 14v4M11 10v12M16 6v20M21 11v10M26 14v4" />
      </svg>
      <h1>Who is speaking?</h1>
      <p className="soft">
        Choose a name. All tabs of this browser are then that person's, on one connection; open another
        browser or a private window to be somebody else.
      </p>
      {people.length === 0 && <p role="status">Waiting for the back end…</p>}
      <ul className="people">
        {people.map((person) => (
          <li key={person.id}>
            <button
              type="button"
              className="person"
              data-person={person.id}
              onClick={() => account.signIn(person)}
            >
              <Avatar name={person.name} />
              <span className="person-words">
                <strong>{person.name}</strong>
                <span className="soft">{person.role}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </main>
  );
}
