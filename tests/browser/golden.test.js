// The golden path: a person pays and has an assistant; a declined card has nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, assertFitsSmallPhone, launch, skip } from "./browser.js";
import { servers, startDev } from "./dev.js";
import { cards, checkOut, pay } from "./shop.js";

const READY = 120_000;

let dev;
let browser;

before(async () => {
  if (skip) return;
  dev = await startDev();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await dev?.stop();
});

async function newPage(options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(30_000);
  return context.newPage();
}

async function assertFitsAndAccessible(page) {
  await assertAccessible(page);
  await assertFitsSmallPhone(page);
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "" : " without JavaScript";
  const subdomain = javaScriptEnabled ? "ada" : "grace";

  // axe is itself JavaScript.
  const look = javaScriptEnabled ? assertFitsAndAccessible : assertFitsSmallPhone;

  test(`a person who pays sees each step and then the address${how}`, { skip }, async () => {
    const page = await newPage({ javaScriptEnabled });
    await checkOut(page, dev.endpoints.site, { subdomain, name: "Ada Lovelace" });
    await page.waitForURL((url) => url.href.startsWith(dev.endpoints.stripe.url));
    await look(page);
    await pay(page, cards.pays);
    await page.waitForURL((url) => url.pathname === "/checkout/done");
    await page.getByText("Server running").waitFor();
    await look(page);
    await page.getByRole("link", { name: new RegExp(`^http.*//${subdomain}\\.`) }).waitFor({ timeout: READY });
    await look(page);
    const mine = (await servers(dev.endpoints)).filter((server) => server.status === "running");
    assert.equal(mine.length, javaScriptEnabled ? 1 : 2);
    await page.context().close();
  });
}

test("a declined card is told so, and creates nothing", { skip }, async () => {
  const before = await servers(dev.endpoints);
  const page = await newPage();
  await checkOut(page, dev.endpoints.site, { subdomain: "declined", name: "Eve" });
  await page.waitForURL((url) => url.href.startsWith(dev.endpoints.stripe.url));
  await pay(page, cards.declined);
  await page.getByRole("alert").filter({ hasText: /declined/ }).waitFor();
  assert.ok(page.url().startsWith(dev.endpoints.stripe.url), "still on Stripe's page");
  assert.equal((await servers(dev.endpoints)).length, before.length);
  await page.context().close();
});

test("a bad address is explained at its field, and nothing typed is lost", { skip }, async () => {
  const page = await newPage();
  await checkOut(page, dev.endpoints.site, { subdomain: "www", name: "Ada Lovelace" });
  const address = page.getByLabel("Name for the address");
  assert.equal(await address.inputValue(), "www");
  assert.equal(await address.getAttribute("aria-invalid"), "true");
  const told = (await address.getAttribute("aria-describedby")).split(" ").at(-1);
  assert.match(await page.locator(`#${told}`).innerText(), /reserved/);
  assert.equal(await page.getByLabel("Your name").inputValue(), "Ada Lovelace");
  await assertFitsAndAccessible(page);
  await page.context().close();
});

test("every page is accessible and fits a small phone", { skip }, async () => {
  for (const colorScheme of ["light", "dark"]) {
    const page = await newPage({ colorScheme });
    for (const url of [dev.endpoints.site, dev.endpoints.console]) {
      await page.goto(url);
      await assertFitsAndAccessible(page);
    }
    await page.context().close();
  }
});
