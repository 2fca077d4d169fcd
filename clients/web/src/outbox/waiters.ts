import { RealtimeError } from "../errors.js";
import type { Receipt } from "../repeat.js";

interface Waiter {
  readonly receipt: Promise<Receipt>;
  resolve(receipt: Receipt): void;
  reject(error: RealtimeError): void;
}

/** Who waits to hear what became of a draft: all that gave one with the same id are told the same. */
export class Waiters {
  readonly #all = new Map<string, Waiter>();

  has(id: string): boolean {
    return this.#all.has(id);
  }

  /** `giveUp` takes it back, unless somebody waited before. */
  wait(id: string): { readonly receipt: Promise<Receipt>; giveUp(): void } {
    const known = this.#all.get(id);
    if (known) return { receipt: known.receipt, giveUp: () => {} };
    let ends: Omit<Waiter, "receipt"> = { resolve: () => {}, reject: () => {} };
    const receipt = new Promise<Receipt>((resolve, reject) => {
      ends = { resolve, reject };
    });
    receipt.catch(() => {}); // who does not ask for it is not told
    this.#all.set(id, { receipt, ...ends });
    return { receipt, giveUp: () => this.settle(id, null) };
  }

  /** Ends what is waited for; null = it was thrown away. */
  settle(id: string, outcome: Receipt | RealtimeError | null): void {
    const waiter = this.#all.get(id);
    this.#all.delete(id);
    if (outcome && !(outcome instanceof RealtimeError)) waiter?.resolve(outcome);
    else waiter?.reject(outcome ?? new RealtimeError("The draft was given up.", { kind: "aborted", id }));
  }

  /** Nobody is told anything more. */
  giveUp(): void {
    for (const id of [...this.#all.keys()]) this.settle(id, null);
  }
}
