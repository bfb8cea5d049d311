// Lists that are marked data-rows: of them only the rows travel that are new or have
// changed, as the page says which it has, by their marks. How long ago something was,
// in time[data-ago], the page counts on by itself. The key / leads to the search.
const rowsOf = (list) => [...list.children].filter((e) => e.dataset.key);

/** What the lists of this page hold already. */
export const marks = () => [...document.querySelectorAll("[data-rows] > [data-mark]")].map((e) => e.dataset.mark).join(" ");

/** Take over the rows that came and bring all into the order that the list names. */
export function takeRows(list, next) {
  const chosen = getSelection();
  if (chosen && !chosen.isCollapsed && chosen.containsNode(list, true)) return; // it follows when they are done
  const focus = list.contains(document.activeElement) ? document.activeElement : null;
  const has = new Map(rowsOf(list).map((e) => [e.dataset.key, e]));
  const came = new Map(rowsOf(next).map((e) => [e.dataset.key, e]));
  let at = rowsOf(list)[0] ?? null;
  for (const key of next.dataset.rows.split(" ").filter(Boolean)) {
    const old = has.get(key), row = came.get(key) ?? old;
    has.delete(key);
    if (!row) continue;
    if (old && old !== row) { if (at === old) at = row; old.replaceWith(row); }
    if (row === at) at = at.nextElementSibling;
    else list.insertBefore(row, at);
  }
  for (const gone of has.values()) gone.remove();
  list.dataset.rows = next.dataset.rows;
  if (focus && document.activeElement !== focus) (focus.isConnected ? focus : focus.id && document.getElementById(focus.id))?.focus({ preventScroll: true });
}

/** Seconds as people say them, as the server does. */
function words(s) {
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

const seen = new WeakMap(); // when something was, by this page's own clock
export function count() {
  for (const e of document.querySelectorAll("time[data-ago]")) {
    if (!seen.has(e)) seen.set(e, performance.now() - Number(e.dataset.ago) * 1000);
    const text = words(Math.floor((performance.now() - seen.get(e)) / 1000));
    if (e.textContent !== text) e.textContent = text;
  }
}
if (document.querySelector("time[data-ago]")) { count(); setInterval(count, 5000); }

addEventListener("keydown", (e) => {
  const search = document.querySelector("[data-search]");
  if (e.key !== "/" || !search || e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, select, textarea")) return;
  e.preventDefault();
  search.focus();
  search.select();
});
