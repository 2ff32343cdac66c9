// The real browser, and what every page must be: without serious faults of accessibility, and never
// wider than a small phone.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

const { CLAWDET_TOOL_CHROMIUM, CLAWDET_TOOL_NODE_MODULES } = process.env;

/** Why there is no browser here, or false; for the `skip` of a test. In CI nothing is skipped. */
export const skip = reasonToSkip();

function reasonToSkip() {
  const missing = Object.entries({ CLAWDET_TOOL_CHROMIUM, CLAWDET_TOOL_NODE_MODULES })
    .filter(([, place]) => !place)
    .map(([name]) => name);
  if (missing.length === 0) return false;
  const why = `SKIPPED because ${missing.join(", ")} is not set; run \`cargo xtask test\``;
  if (process.env.CI === "true") throw new Error(`in CI nothing is skipped: ${why}`);
  console.error(why);
  return why;
}

function library(name) {
  return createRequire(join(CLAWDET_TOOL_NODE_MODULES, "package.json"))(name);
}

/** Starts Chromium. */
export function launch() {
  return library("playwright-core").chromium.launch({
    executablePath: CLAWDET_TOOL_CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** Fails when axe finds a serious fault on the page as it stands. */
export async function assertAccessible(page) {
  // Evaluated by the debugger, so that the page's own content policy stays as strict as it is.
  await page.evaluate(library("axe-core").source);
  const { violations, passes } = await page.evaluate("axe.run()");
  const serious = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`);
  assert.deepEqual(serious, [], `${page.url()} has serious faults`);
  assert.ok(passes.length > 5, `axe looked at nothing on ${page.url()}`);
}

/** Fails when a small phone would have to scroll sideways; gives the page its old size back. */
export async function assertFitsSmallPhone(page) {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  const wide = await page.evaluate(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
  assert.equal(wide, 0, `${page.url()} is ${wide} px wider than 320 px`);
  await page.setViewportSize(before);
}
