import { type RefObject, useEffect, useRef } from "react";

/** The newest value, for callbacks that outlive a render: a function written in place must not subscribe anew. */
export function useLatestRef<T>(value: T): RefObject<T> {
  const ref = useRef(value);
  useEffect(() => {
    ref.current = value;
  });
  return ref;
}
