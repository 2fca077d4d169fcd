// What axe-core finds in a page.
import assert from "node:assert/strict";

/** Fails with every rule that a page breaks; `schemes` are the colour schemes in which it is looked at. */
export async function judge(page, state, schemes = ["light", "dark"]) {
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations } = await page.evaluate(() => window.axe.run());
    const found = violations.map((one) => `${state}, ${colorScheme}: ${one.id}: ${one.nodes.map((node) => node.target).join(" ")}`);
    assert.deepEqual(found, []);
  }
}
