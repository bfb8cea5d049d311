// Keeps the page's <main> as the server sees it, and says so when it cannot.
const main = document.querySelector("main");
const lost = document.getElementById("lost");
const every = 2000;

async function refresh() {
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("main");
    if (fresh && fresh.innerHTML !== main.innerHTML && !main.contains(document.activeElement)) {
      main.innerHTML = fresh.innerHTML;
    }
    const state = document.querySelector("header .right"), freshState = page.querySelector("header .right");
    if (state && freshState) state.innerHTML = freshState.innerHTML;
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  }
  setTimeout(refresh, every);
}
setTimeout(refresh, every);
