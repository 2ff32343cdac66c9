// What a buyer does in the browser: choose, check out, pay.

/** Cards that the simulated Stripe knows. */
export const cards = {
  pays: "4242 4242 4242 4242",
  declined: "4000 0000 0000 0002",
};

/** Fills in the form on the pricing page and goes on to Stripe's page. */
export async function checkOut(page, site, { subdomain, name }) {
  await page.goto(site);
  await page.getByLabel("Name for the address").fill(subdomain);
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Continue to payment" }).click();
}

/** Pays on Stripe's page. */
export async function pay(page, card) {
  await page.getByLabel("Email").fill("ada@example.com");
  await page.getByLabel("Card number").fill(card);
  await page.getByLabel("Expiry").fill("12 / 34");
  await page.getByLabel("CVC").fill("123");
  await page.getByLabel("Name", { exact: true }).fill("Ada Lovelace");
  await page.locator("form:has(#card_number) button[type=submit]").click();
}
