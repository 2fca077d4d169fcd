import type { Result } from "../backend.js";
import { number } from "../words.js";

/** Who had the floor, as one bar; the table below it says the same in numbers. */
export function TalkShare({ result }: { result: Result }) {
  const speakers = result.speakers.by_speaker;
  return (
    <section aria-labelledby="share-title">
      <h2 id="share-title">Talk share</h2>
      <div className="share" aria-hidden="true">
        {speakers.map((one, index) => (
          <span
            key={one.speaker}
            className="share-part"
            data-hue={index % 6}
            style={{ flexGrow: Math.max(0.01, one.share) }}
            title={`${one.speaker}: ${number(one.share * 100, 1)} %`}
          >
            {one.share >= 0.12 && `${one.speaker} ${number(one.share * 100)} %`}
          </span>
        ))}
      </div>
    </section>
  );
}
