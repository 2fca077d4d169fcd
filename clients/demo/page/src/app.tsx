import { SignIn } from "./people/sign-in.js";
import { useSignedIn } from "./services.js";
import { Shell } from "./shell/shell.js";

/** The product, or the way in. */
export function App() {
  const signedIn = useSignedIn();
  return signedIn ? <Shell key={signedIn.person.id} {...signedIn} /> : <SignIn />;
}
