// Keeps the regions of the page that are marked data-live as the server sees
// them. The server says by its event stream that something changed; the page
// then asks for itself again. A page without a stream asks every two seconds;
// one that is marked data-still, as it says what was refused, never does.
import { answer, missed } from "./answer.js";
import { count, marks, takeRows } from "./rows.js";

const lost = document.getElementById("lost");
const stream = document.body.dataset.events;
const patience = 4000; // how long a broken line may last before it is told

let asking = false, again = false, lostTimer = 0, held = 0;

/** While what a person does is under way (1, then -1), the page that it leaves is not loaded again. */
export function hold(n) { held += n; }

/** Ask for this page and take over what differs. Only one request at a time. */
export async function refresh() {
  if ("still" in document.body.dataset) { here(); return; }
  if (asking) { again = true; return; }
  asking = true;
  try {
    const res = await fetch(location.href, { headers: { Accept: "text/html", "X-Live": "1", "X-Have": marks() }, signal: AbortSignal.timeout(8000) });
    if (res.redirected || res.status === 404) { asking = again = false; if (!held) location.reload(); return; }
    if (!res.ok) throw new Error(res.statusText);
    take(new DOMParser().parseFromString(await res.text(), "text/html"));
    here();
  } catch { gone(); }
  asking = false;
  if (again) { again = false; refresh(); }
}

// On a phone the words of the navigation do not all fit: the one that one is at is shown.
const tab = document.querySelector("nav.tabs [aria-current]"), tabs = tab?.parentElement;
const showTab = () => { tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2; };
if (tab) { showTab(); addEventListener("resize", showTab); }

const typing = (e = document.activeElement) => e && "defaultValue" in e && e.value !== e.defaultValue;

function take(fresh) {
  if (!fresh.querySelector("[data-rows]") !== !document.querySelector("[data-rows]") && !typing()) { location.reload(); return; } // the first row, or none any more
  for (const list of document.querySelectorAll("[data-rows][id]")) {
    const next = fresh.getElementById(list.id);
    if (next) takeRows(list, next);
  }
  missed(fresh.getElementById("answer"));
  const regions = document.querySelectorAll("[data-live]");
  for (const region of regions.length ? regions : document.querySelectorAll("main, header .right")) {
    const next = region.id ? fresh.getElementById(region.id) : fresh.querySelector(selector(region));
    if (!next || next.innerHTML === region.innerHTML) continue;
    const focus = region.contains(document.activeElement) ? document.activeElement : null;
    // What a person is typing stays; the region follows when they are done.
    if (focus && typing(focus)) continue;
    region.innerHTML = next.innerHTML;
    if (focus && focus.id) document.getElementById(focus.id)?.focus({ preventScroll: true });
  }
  count();
}

const selector = (e) => e.tagName === "MAIN" ? "main" : "header .right";

function here() { clearTimeout(lostTimer); lostTimer = 0; if (lost) lost.hidden = true; }
function gone() { if (!lostTimer) lostTimer = setTimeout(() => { if (lost) lost.hidden = false; }, patience); }

if (stream) {
  const events = new EventSource(stream);
  events.onopen = () => { here(); refresh(); }; // what came before it is known to the server alone
  events.onerror = gone; // the browser connects again by itself
  events.addEventListener("changed", refresh);
  events.addEventListener("answer", (e) => answer(JSON.parse(e.data)));
  addEventListener("pagehide", () => events.close());
} else {
  const poll = async () => { await refresh(); setTimeout(poll, 2000); };
  setTimeout(poll, 2000);
}
