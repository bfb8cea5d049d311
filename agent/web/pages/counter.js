// The counter: scans from anywhere, forms without leaving the page, and the
// keys that are printed on the buttons.
import { listen } from "/ui/wedge.js";
import { answer } from "/ui/answer.js";
import { refresh, hold } from "/ui/live.js";

const { purpose, session } = document.body.dataset;

async function post(url, fields) {
  const body = new URLSearchParams(fields);
  hold(1);
  try {
    const res = await fetch(url, { method: "POST", body, redirect: "manual", signal: AbortSignal.timeout(20000),
      headers: { Accept: "application/json", "X-From": location.pathname } });
    const a = await res.json();
    if (a.go && a.go !== location.pathname) { location.assign(a.go); return; }
    hold(-1);
    answer(a);
    refresh();
  } catch {
    hold(-1);
    answer({ sound: "refused", text: "Not recorded: the agent on this PC does not answer. Scan it again." });
  }
}

const into = document.querySelector("[data-scan-into]"); // a field that takes codes as they are
listen((scan) => {
  if (into && !scan.half) {
    into.value = scan.text;
    document.getElementById(into.dataset.scanInto).value = scan.physical;
    document.getElementById("lot")?.focus();
  } else if (scan.half) answer({ sound: "refused", text: "Not counted: a part of the code may be missing. Scan it again." });
  else post("/scan", { text: scan.text, physical: scan.physical, purpose, session, from: location.pathname });
}, (digits, quick) => {
  const no = (text) => answer({ sound: "refused", text });
  if (quick) no(`Not counted: ${digits} is too short for a code.${session ? " For a number of packs press F2 first." : ""}`);
  else if (!session) no(`Nothing done: nothing is open on this page whose packs ${digits} could be. A code goes into a field.`);
  else if (digits.length > 4) no(`Nothing done: ${digits} was typed, and not scanned. Type it into the field “Type a code”.`);
  else post(`/session/${encodeURIComponent(session)}/do`, { verb: "quantity", quantity: digits });
});

document.addEventListener("submit", (e) => {
  const form = e.target;
  if (form.method !== "post") return;
  if (form.dataset.plain !== undefined) { hold(1); return; }
  e.preventDefault();
  const fields = [...new FormData(form, e.submitter)];
  post(form.action, fields).then(() => {
    for (const field of form.querySelectorAll("input:not([type=hidden])")) { field.value = ""; if (field === document.activeElement) field.blur(); }
  });
});

addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.altKey || e.metaKey || !/^F\d+$/.test(e.key)) return;
  const target = document.querySelector(`[data-key="${e.key}"]`);
  if (!target) return;
  e.preventDefault();
  if (target instanceof HTMLInputElement) { target.focus(); target.select(); } else target.click();
});

document.addEventListener("click", (e) => { if (e.target.closest("[data-print]")) print(); });

// A list of choices is narrowed by what is typed above it; Enter takes the only
// one that is left, or goes to the first.
for (const box of document.querySelectorAll("[data-filter-of]")) {
  const list = document.getElementById(box.dataset.filterOf), none = document.getElementById(list.id + "-none"), field = box.querySelector("input");
  const plain = (s) => s.normalize("NFD").replace(/\p{Mn}/gu, "").toLowerCase();
  const left = () => [...list.querySelectorAll("li:not([hidden]) button")];
  box.hidden = false;
  field.addEventListener("input", () => {
    const words = plain(field.value).split(/\s+/);
    for (const item of list.querySelectorAll("li")) item.hidden = !words.every((w) => plain(item.textContent).includes(w));
    none.textContent = left().length ? "" : "No branch has that name or code.";
  });
  field.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" && e.key !== "ArrowDown") return;
    e.preventDefault();
    const found = left();
    if (e.key === "Enter" && found.length === 1) found[0].click(); else found[0]?.focus();
  });
}
