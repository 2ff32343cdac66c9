// Keeps the progress of an order live: fetches this page again and shows what changed. Without it the page
// works too, by its own refresh.
const PAUSE_MS = 2000;
const PAUSE_AFTER_FAILURE_MS = 10000;
const live = document.getElementById("live");

async function look() {
  let pause = PAUSE_MS;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("live");
    if (fresh && fresh.innerHTML !== live.innerHTML) {
      live.replaceChildren(...fresh.childNodes);
      document.title = page.title;
    }
    if (fresh && fresh.hasAttribute("data-settled")) return;
  } catch {
    pause = PAUSE_AFTER_FAILURE_MS;
  }
  setTimeout(look, pause);
}

if (live && !live.hasAttribute("data-settled")) setTimeout(look, PAUSE_MS);
