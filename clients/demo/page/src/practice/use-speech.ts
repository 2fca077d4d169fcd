import { useCallback, useEffect, useRef, useState } from "react";
import { BackendError } from "../backend.js";
import { useServices } from "../services.js";

/** So long after a change the coach gets the text: often enough to be live, seldom enough to cost little. */
const SEND_MS = 300;
const AGAIN_MS = 1500;
const LONGEST = 12_000;

export interface Speech {
  readonly text: string;
  readonly setText: (text: string) => void;
  /** How long the pasted part took to say, in seconds; 0 = not told. */
  readonly untimedS: number;
  readonly setUntimedS: (seconds: number) => void;
  /** Words that were pasted: they have no pace of their own. */
  readonly untimedWords: number;
  /** `sent`: the coach has all of it. `waiting`: some of it is on its way. `away`: the coach cannot be reached. */
  readonly state: "sent" | "waiting" | "away";
  readonly hasEnded: boolean;
  /** This person has no such session. */
  readonly isUnknown: boolean;
  readonly isReady: boolean;
  readonly finish: () => Promise<void>;
  readonly problem: string;
}

/**
 * What a person says in a session, given to the coach as it grows. One request is under way at a time, and each carries
 * the whole text, so what was said while the network was away arrives in one piece. `isOver`: the hub says so, and the
 * text is the one that counted, whichever tab it came from.
 */
export function useSpeech(id: string, isOver: boolean): Speech {
  const { backend } = useServices();
  const [text, setText] = useState("");
  const [untimedS, setUntimedS] = useState(0);
  const [untimedWords, setUntimedWords] = useState(0);
  const [state, setState] = useState<Speech["state"]>("sent");
  const [place, setPlace] = useState<"loading" | "open" | "ended" | "unknown">("loading");
  const [problem, setProblem] = useState("");
  const wanted = useRef({ text: "", untimedS: 0 });
  const sent = useRef({ text: "", untimedS: 0 });
  const revision = useRef(0);

  /** Gives the coach what is wanted at the moment, until it is taken; ahead of what another tab or device has sent. */
  const tell = useCallback(async () => {
    for (;;) {
      const now = wanted.current;
      // The clock is a revision that rises over reloads and tabs; but clocks of two devices differ.
      revision.current = Math.max(Date.now(), revision.current + 1);
      const heard = await backend.speak(id, now.text, revision.current, now.untimedS);
      if (heard.is_taken) {
        sent.current = now;
        return heard;
      }
      revision.current = Math.max(heard.revision, revision.current);
    }
  }, [backend, id]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the end is a reason to read the text again
  useEffect(() => {
    let isWanted = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async () => {
      try {
        const found = await backend.practice(id);
        if (!isWanted) return;
        const known = { text: found.text, untimedS: found.untimed_s };
        sent.current = known;
        wanted.current = known;
        setText(known.text);
        setUntimedS(known.untimedS);
        setPlace(found.ended_at === null ? "open" : "ended");
      } catch (error) {
        if (!isWanted) return;
        if (error instanceof BackendError && error.status === 404) setPlace("unknown");
        else timer = setTimeout(() => void load(), AGAIN_MS);
      }
    };
    void load();
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [backend, id, isOver]);

  const isOpen = place === "open";
  useEffect(() => {
    if (!isOpen) return;
    let isWanted = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      const { text, untimedS } = wanted.current;
      let pause = SEND_MS;
      if (text !== sent.current.text || untimedS !== sent.current.untimedS) {
        try {
          const heard = await tell();
          if (isWanted) {
            setUntimedWords(heard.untimed_words);
            setState(wanted.current.text === sent.current.text ? "sent" : "waiting");
          }
        } catch (error) {
          if (!isWanted) return;
          if (error instanceof BackendError && error.status === 409) {
            setPlace("ended");
            return;
          }
          setState("away");
          pause = AGAIN_MS;
        }
      }
      if (isWanted) timer = setTimeout(() => void look(), pause);
    };
    void look();
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [tell, isOpen]);

  const want = (change: Partial<{ text: string; untimedS: number }>) => {
    wanted.current = { ...wanted.current, ...change };
    setState((now) => (now === "away" ? now : "waiting"));
  };
  const finish = async () => {
    setProblem("");
    try {
      const { text, untimedS } = wanted.current;
      if (text !== sent.current.text || untimedS !== sent.current.untimedS) {
        await tell();
      }
      await backend.finishPractice(id);
      setPlace("ended");
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return {
    text,
    setText: (next) => {
      const cut = next.slice(0, LONGEST);
      setText(cut);
      want({ text: cut });
    },
    untimedS,
    setUntimedS: (seconds) => {
      setUntimedS(seconds);
      want({ untimedS: seconds });
    },
    untimedWords,
    state,
    hasEnded: place === "ended",
    isUnknown: place === "unknown",
    isReady: isOpen,
    finish,
    problem,
  };
}
