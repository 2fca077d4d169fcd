import { useMemo } from "react";
import { useMe } from "../services.js";

/** Where a person's notifications come from: the own inbox, and what is for all. */
export function useMyTopics(): readonly string[] {
  const { id } = useMe();
  return useMemo(() => [`user/${id}`, "system/all"], [id]);
}
