/** What the page says before a meeting is chosen. */
export function Welcome() {
  return (
    <div className="welcome">
      <h1>See how a meeting was spoken</h1>
      <p>
        Choose a transcript. It is uploaded and analysed while you watch: who spoke, how fast, with which
        fillers and hedges, and what was asked. Open the same address in a second tab and both move together.
      </p>
    </div>
  );
}
