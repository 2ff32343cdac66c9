// Shows the world as it is, follows along with what happens, and sends a person's orders. Text from the JSON goes in as text,
// never as HTML; the timeline comes as HTML that the world has escaped.
"use strict";

const PAUSE = 1000;
const byId = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Orders.

async function order(what, done) {
  try {
    const answer = await fetch("/api/orders", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(what),
    });
    if (answer.ok) say(done);
    else say("Not done: " + (await answer.json()).error);
  } catch {
    say("The world does not answer.");
  }
  await look();
}

let saying = 0;
function say(text) {
  byId("said").replaceChildren(make("p", {}, text));
  clearTimeout(saying);
  saying = setTimeout(() => byId("said").replaceChildren(), 5000);
}

function button(text, label, what, done, kind = "") {
  const element = make("button", { type: "button", "aria-label": label, class: kind }, text);
  element.addEventListener("click", () => order(what, done));
  return element;
}

// Tables: a row is made once and then kept, so that focus stays where it is.

function rows(id, items, key, cells) {
  const body = byId(id + "-rows");
  const kept = new Map([...body.children].map((row) => [row.dataset.key, row]));
  let place = body.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    let row = kept.get(name);
    kept.delete(name);
    const wanted = cells(item);
    if (!row) {
      row = make("tr", { "data-key": name });
      for (const label of Object.keys(wanted)) row.append(make("td", { "data-label": label }));
    }
    fill(row, wanted);
    if (row === place) place = place.nextElementSibling;
    else body.insertBefore(row, place);
  }
  for (const row of kept.values()) row.remove();
  body.closest(".scroll").hidden = items.length === 0;
  byId(id + "-empty").hidden = items.length > 0;
}

// A cell is a text, or { text, kind, small }, or { buttons, of } whose buttons are made anew only when `of` changes.
function fill(row, wanted) {
  Object.values(wanted).forEach((cell, index) => {
    const place = row.children[index];
    if (typeof cell === "string") return setText(place, cell);
    const state = JSON.stringify([cell.text, cell.kind, cell.small, cell.of]);
    if (place.dataset.state === state) return;
    place.dataset.state = state;
    if (cell.buttons) return place.replaceChildren(make("div", { class: "buttons" }, ...cell.buttons()));
    const text = cell.follow
      ? make("a", { class: cell.kind || "", href: followHref(cell.follow), title: "Follow it", id: "follow-" + cell.follow }, cell.text)
      : make("span", { class: cell.kind || "" }, cell.text);
    const inside = make("div", {}, text);
    if (cell.small) inside.append(make("span", { class: "small" }, cell.small));
    place.replaceChildren(inside);
  });
}

const followHref = (id) => "/?" + new URLSearchParams({ follow: id });

const time = (text) => text.replace("T", " ").replace(/(\.\d+)?Z$/, "");
const clock = (text) => time(text).slice(5, 19);
const pairs = (labels) => Object.entries(labels).map(([name, value]) => name + "=" + value).join(", ");

// What is shown.

function showServers(state) {
  const mood = { running: "good", off: "warn", deleting: "warn", gone: "" };
  const word = (server) => (server.gone && server.gone <= state.now ? "gone" : server.status);
  rows("servers", state.servers, (server) => server.id, (server) => ({
    Name: { text: server.name, small: "id " + server.id + ", " + server.project, kind: "mono", follow: server.id },
    Status: { text: word(server), kind: mood[word(server)] ?? "warn" },
    "Type, place": server.server_type + " in " + server.location,
    Address: { text: server.ipv4 || "–", kind: "mono line" },
    Labels: { text: pairs(server.labels) || "–", kind: "mono" },
    "By hand": { of: [server.id, word(server)], buttons: () => serverButtons(server, word(server)) },
  }));
  setText(byId("servers-count"), countOf(state.servers_total, state.servers.length));
}

function serverButtons(server, word) {
  if (word === "gone" || word === "deleting") return [];
  const name = server.name;
  const all = [button("Delete", "Delete " + name, { do: "delete_server", server: server.id }, name + " is deleted.", "danger")];
  if (word !== "off") {
    all.unshift(button("Power off", "Power off " + name, { do: "power_off_server", server: server.id }, name + " is off."));
  }
  return all;
}

function countOf(total, shown) {
  return total > shown ? shown + " of " + total : String(total);
}

function showRecords(state) {
  rows("records", state.records, (record) => record.id, (record) => ({
    Name: { text: record.name, small: record.record_type, kind: "mono", follow: record.id },
    Content: { text: record.content, kind: record.record_type === "A" ? "mono line" : "mono" },
    Comment: { text: record.comment || "–", kind: "mono" },
    "By hand": { of: [record.id, record.content], buttons: () => recordButtons(record) },
  }));
  setText(byId("records-count"), countOf(state.records_total, state.records.length));
}

function recordButtons(record) {
  const all = [button("Delete", "Delete " + record.name, { do: "delete_record", record: record.id }, "The record is deleted.", "danger")];
  const elsewhere = { A: "192.0.2.1", AAAA: "2001:db8::dead" }[record.record_type];
  if (elsewhere && record.content !== elsewhere) {
    const what = { do: "edit_record", record: record.id, content: elsewhere };
    all.unshift(button("Point elsewhere", "Point elsewhere: " + record.name, what, "It points to " + elsewhere + "."));
  }
  return all;
}

function showMoney(money) {
  const mood = { active: "good", trialing: "good", past_due: "bad", canceled: "" };
  rows("subscriptions", money.subscriptions, (subscription) => subscription.id, (subscription) => ({
    Customer: { text: subscription.email || subscription.customer, follow: subscription.id, small: subscription.prices.join(", ") + " · " + (pairs(subscription.metadata) || subscription.id) },
    Status: { text: subscription.status.replace("_", " "), kind: mood[subscription.status], small: subscription.card_fails ? "its card fails" : "" },
    Paid: subscription.paid,
    Until: { text: time(subscription.ended || subscription.period_end).slice(0, 10), kind: "line" },
    "By hand": { of: [subscription.status, subscription.card_fails], buttons: () => moneyButtons(subscription) },
  }));
  setText(byId("subscriptions-count"), countOf(money.subscriptions_total, money.subscriptions.length) + (money.refunds_total ? ", " + money.refunds_total + (money.refunds_total === 1 ? " refund" : " refunds") : ""));
}

function moneyButtons(subscription) {
  if (subscription.status === "canceled") return [];
  const id = subscription.id;
  const who = subscription.email || id;
  const failing = !subscription.card_fails;
  return [
    button("Renew", "Renew " + who, { do: "end_period", subscription: id }, "The period has ended."),
    failing
      ? button("Fail card", "Fail card of " + who, { do: "fail_payments", subscription: id, failing }, "Its payments fail from now on.", "danger")
      : button("Mend card", "Mend card of " + who, { do: "fail_payments", subscription: id, failing }, "Its payments work again."),
  ];
}

function showEvents(money) {
  const waiting = new Map();
  for (const delivery of money.webhooks) if (!waiting.has(delivery.event)) waiting.set(delivery.event, delivery);
  rows("events", money.events.filter((event) => event.delivered), (event) => event.id, (event) => ({
    Event: { text: event.kind, small: event.id, follow: event.id },
    When: clock(event.created),
    Webhook: webhookOf(event, waiting.get(event.id)),
    "By hand": { of: event.id, buttons: () => eventButtons(event) },
  }));
  setText(byId("events-count"), money.webhooks.length ? money.webhooks.length + " waiting" : "");
}

function webhookOf(event, delivery) {
  if (delivery) {
    const tried = delivery.attempts ? ", tried " + delivery.attempts + "×: " + delivery.last_error : "";
    return { text: "waits", kind: "warn", small: "due " + clock(delivery.due) + tried };
  }
  return event.pending ? { text: "given up", kind: "bad" } : { text: "sent", kind: "good" };
}

function eventButtons(event) {
  const send = (text, seconds, done) =>
    button(text, text + " " + event.kind, { do: "send_event", event: event.id, after_seconds: seconds }, done);
  return [send("Again", 0, "It is sent again."), send("In 1 h", 3600, "It is sent again in an hour.")];
}

// Calls: one card for each API.

function showTraffic(traffic) {
  for (const api of traffic.apis) {
    const card = byId("api-" + api.api) || newCard(api.api);
    const minute = traffic.now.slice(0, 16);
    const bars = lastHour(traffic.now, api.per_minute);
    setText(card.querySelector(".state"), api.down ? "down" : "up");
    card.querySelector(".state").classList.toggle("down", api.down);
    const latest = Object.entries(api.per_minute).find(([at]) => at.startsWith(minute));
    setText(card.querySelector(".rate"), (latest ? latest[1] : 0) + " this minute, " + api.calls + " in all");
    draw(card.querySelector("svg.bars"), bars, api.api + ": calls in each of the last 60 minutes, at most " + Math.max(...bars));
    const down = card.querySelector(".down-button");
    if (down) {
      down.setAttribute("aria-pressed", String(api.down));
      setText(down, api.down ? "Bring it back" : "Take it down");
    }
    showBudget(card, api.api, traffic);
  }
}

function showBudget(card, api, traffic) {
  const left = { hetzner: Object.values(traffic.hetzner_left)[0] ?? traffic.hetzner_limit, cloudflare: traffic.cloudflare_left }[api];
  const limit = { hetzner: traffic.hetzner_limit, cloudflare: traffic.cloudflare_limit }[api];
  if (limit === undefined) return;
  const several = api === "hetzner" && Object.keys(traffic.hetzner_left).length > 1
    ? " (" + Object.entries(traffic.hetzner_left).map(([project, value]) => project + " " + value).join(", ") + ")" : "";
  setText(card.querySelector(".budget"), left + " of " + limit + " calls left" + several);
  const bar = card.querySelector(".meter rect");
  bar.setAttribute("width", String((100 * left) / limit));
}

function newCard(api) {
  const svg = (kind, box) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    element.setAttribute("class", kind);
    element.setAttribute("viewBox", box);
    element.setAttribute("preserveAspectRatio", "none");
    return element;
  };
  const bars = svg("bars", "0 0 60 30");
  bars.setAttribute("role", "img");
  const card = make("div", { class: "api-card", id: "api-" + api },
    make("div", { class: "head" }, make("h3", {}, api), make("span", { class: "state" })),
    make("p", { class: "rate" }), bars, make("p", { class: "budget soft" }));
  if (api === "hetzner" || api === "cloudflare") {
    const meter = svg("level", "0 0 100 10");
    meter.setAttribute("aria-hidden", "true");
    const level = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    level.setAttribute("height", "10");
    meter.append(level);
    card.append(make("div", { class: "meter" }, meter));
  }
  if (api !== "guests") card.append(apiButtons(api));
  else setText(card.querySelector(".budget"), "The servers' own gateways.");
  byId("apis").append(card);
  return card;
}

function apiButtons(api) {
  const down = make("button", { type: "button", class: "down-button", "aria-pressed": "false" }, "Take it down");
  down.addEventListener("click", () => {
    const wanted = down.getAttribute("aria-pressed") !== "true";
    order({ do: "take_down", api, down: wanted }, api + (wanted ? " is down." : " is back."));
  });
  const lose = button("Lose 5 answers", "Lose 5 answers of " + api + ", after it has done what was asked",
    { do: "plan", api, kind: "lost-after-commit", times: 5 }, "The next 5 answers of " + api + " are lost.");
  return make("div", { class: "buttons" }, down, lose);
}

function lastHour(now, perMinute) {
  const bars = new Array(60).fill(0);
  const last = Math.floor(Date.parse(now) / 60000);
  for (const [at, calls] of Object.entries(perMinute)) {
    const index = 59 - (last - Math.floor(Date.parse(at) / 60000));
    if (index >= 0 && index < 60) bars[index] = calls;
  }
  return bars;
}

function draw(chart, bars, label) {
  const state = bars.join();
  if (chart.dataset.state === state) return;
  chart.dataset.state = state;
  const most = Math.max(1, ...bars);
  chart.setAttribute("aria-label", label);
  chart.replaceChildren(...bars.map((calls, index) => {
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const height = (30 * calls) / most;
    const box = { x: index + 0.1, y: 30 - height, width: 0.8, height };
    for (const [name, value] of Object.entries(box)) bar.setAttribute(name, String(value));
    return bar;
  }));
}

// What is set to go wrong.

function showStanding(faults) {
  const lines = [
    ...faults.down.map((api) => api + " is down"),
    ...faults.latency.map(([api, span]) => api + " waits up to " + (span.secs * 1000 + span.nanos / 1e6) + " ms"),
    ...faults.exhausted.map(([location, type]) => location + " has no room for " + (type || "any server")),
    ...faults.chances.map(([api, kind, chance]) => api + ": " + kind + " in " + Math.round(chance * 100) + " % of all cases"),
    ...faults.planned.map((fault) => fault.api + ": " + fault.kind + ", " + fault.times + "×" + (fault.endpoint ? ", only " + fault.endpoint : "")),
  ];
  const list = byId("standing-list");
  if (list.dataset.state !== lines.join("\n")) {
    list.dataset.state = lines.join("\n");
    list.replaceChildren(...lines.map((line) => make("li", {}, line)));
  }
  byId("standing").hidden = lines.length === 0;
}

function showPlaces(places) {
  const location = byId("location");
  if (location.options.length > 0) return;
  location.append(...Object.keys(places).map((place) => make("option", {}, place)));
  const types = () => {
    const sold = places[location.value].map((type) => make("option", {}, type));
    byId("server_type").replaceChildren(make("option", { value: "" }, "all of them"), ...sold);
  };
  location.addEventListener("change", types);
  types();
}

// What happened and what was asked: the world says when, and its own HTML is taken over row by row, so that focus and
// scrolling stay where they are.

let paused = false;
let reading = null;
let readingNext = null;

// Done when what a read begun from now on has brought is on the page: one that is under way may be of another moment or page.
function follow() {
  if (!reading) return (reading = read().finally(() => { reading = null; }));
  readingNext ??= reading.then(() => { readingNext = null; return follow(); });
  return readingNext;
}

async function read() {
  const asked = location.search;
  try {
    const answer = await fetch("/live" + asked);
    const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
    if (fresh && asked === location.search) takeOver(fresh);
  } catch {
    // The stream says when the world is back.
  }
}

function takeOver(fresh) {
  for (const id of ["timeline-rows", "calls-rows"]) takeRows(byId(id), fresh.getElementById(id));
  takeFilters(fresh.getElementById("filters"));
}

function takeRows(list, fresh) {
  const kept = new Map([...list.children].map((row) => [row.dataset.key, row]));
  let place = list.firstElementChild;
  for (const row of [...fresh.children]) {
    let mine = kept.get(row.dataset.key);
    kept.delete(row.dataset.key);
    if (mine && !mine.isEqualNode(row)) {
      mine.replaceChildren(...row.childNodes);
      mine.className = row.className;
    }
    mine = mine || row;
    if (mine === place) place = place.nextElementSibling;
    else list.insertBefore(mine, place);
  }
  for (const row of kept.values()) if (!row.contains(document.activeElement)) row.remove();
  const empty = list.parentElement.querySelector(".empty");
  if (empty) empty.hidden = list.children.length > 0;
}

// The pause button stays the same one; of the rest what differs is taken over, and focus goes to its namesake.
function takeFilters(fresh) {
  const filters = byId("filters");
  const focused = filters.contains(document.activeElement) && document.activeElement.id;
  for (const part of ["nav", ".following"]) {
    const mine = filters.querySelector(part);
    const theirs = fresh.querySelector(part);
    if (mine && theirs && mine.isEqualNode(theirs)) continue;
    if (mine && theirs) mine.replaceWith(theirs);
    else if (mine) mine.remove();
    else if (theirs) filters.insertBefore(theirs, byId("pause"));
  }
  if (focused && byId(focused) !== document.activeElement) (byId(focused) || byId("timeline-title")).focus();
}

async function showOnly(href, focus) {
  history.pushState(null, "", href);
  await follow();
  const target = byId(focus) || byId("timeline-title");
  target.focus();
  const followed = document.querySelector(".following b");
  const count = byId("timeline-rows").children.length;
  say((followed ? "Following " + followed.textContent + ": " : "") + count + (count === 1 ? " thing happened." : " things happened."));
}

document.querySelector("main").addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/?']");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  showOnly(link.getAttribute("href"), link.id.startsWith("only-") ? link.id : "unfollow");
});

addEventListener("popstate", follow);

addEventListener("keydown", (event) => {
  const stop = byId("unfollow");
  if (event.key !== "Escape" || !stop || event.target.matches("input, select")) return;
  showOnly(stop.getAttribute("href"), "timeline-title");
});

byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  setText(byId("pause"), paused ? "Go on" : "Pause");
  if (!paused) follow();
});

const ticks = new EventSource("/api/ticks");
for (const moment of ["open", "message"]) {
  ticks.addEventListener(moment, () => { if (!paused && !document.hidden) follow(); });
}
document.addEventListener("visibilitychange", () => { if (!paused && !document.hidden) follow(); });

// The loop.

let looking = false;
async function look() {
  if (looking) return;
  looking = true;
  try {
    const answer = await fetch("/api/state");
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.json());
    byId("offline").hidden = true;
  } catch {
    byId("offline").hidden = false;
  } finally {
    looking = false;
  }
}

function show(state) {
  setText(byId("now"), time(state.now).slice(0, 19) + " UTC");
  byId("now").dateTime = state.now;
  setText(byId("pace"), "in the world, ×" + state.speed + ", seed " + state.seed + ", zone " + state.zone);
  showStanding(state.faults);
  showPlaces(state.places);
  showTraffic(state.traffic);
  showServers(state);
  showRecords(state);
  showMoney(state.money);
  showEvents(state.money);
}

function onSubmit(id, what, done) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    const form = Object.fromEntries(new FormData(event.target));
    order(what(form), done);
  });
}

for (const element of document.querySelectorAll("[data-skip]")) {
  element.addEventListener("click", () => order({ do: "skip", seconds: Number(element.dataset.skip) }, "World time went ahead by " + element.textContent.slice(1) + "."));
}
byId("heal").addEventListener("click", () => order({ do: "heal" }, "Everything is healed."));
onSubmit("exhaust", (form) => ({ do: "exhaust", location: form.location, server_type: form.server_type || null, exhausted: true }), "It has run out.");
onSubmit("plan", (form) => ({ do: "plan", api: form.api, kind: form.kind, endpoint: form.endpoint, times: Number(form.times) }), "Planned.");
onSubmit("slow", (form) => ({ do: "latency", api: form.api, milliseconds: Number(form.milliseconds) }), "It is slower now.");
onSubmit("webhook", (form) => ({ do: "plan", api: "stripe", kind: form.kind, endpoint: form.endpoint, times: Number(form.times) }), "Planned.");
look();
setInterval(() => { if (!document.hidden) look(); }, PAUSE);
