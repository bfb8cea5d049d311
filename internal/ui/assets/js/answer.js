// Tells what a scan came to: in words, in the place that is always the same,
// and by sound. Three sounds that differ in number, pitch and length, so that
// they are told apart without looking.
const place = document.getElementById("answer");
const marks = { ok: "✓", warn: "!", refused: "✕" };
const tones = { ok: [[1320, 0.09]], warn: [[660, 0.12], [880, 0.12]], refused: [[220, 0.22], [220, 0.22], [220, 0.34]] };

let audio = null;

/** Browsers allow sound after the first key or touch only. */
function wake() {
  audio ??= new (window.AudioContext || window.webkitAudioContext)();
  if (audio.state === "suspended") audio.resume();
}
for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, wake, { capture: true, passive: true });

export function beep(sound) {
  document.documentElement.dataset.beep = sound; // for those who cannot hear it, and for tests
  if (!audio || audio.state !== "running") return;
  let at = audio.currentTime;
  for (const [pitch, long] of tones[sound] ?? tones.refused) {
    const tone = audio.createOscillator(), level = audio.createGain();
    tone.frequency.value = pitch;
    tone.type = sound === "refused" ? "square" : "sine";
    level.gain.setValueAtTime(0.25, at);
    level.gain.exponentialRampToValueAtTime(0.001, at + long);
    tone.connect(level).connect(audio.destination);
    tone.start(at);
    tone.stop(at + long);
    at += long + 0.06;
  }
}

/** What the server showed last, where the page has missed it: it opened just then, or the stream was broken. */
export function missed(fresh) {
  if (!place || !fresh || !(Number(fresh.dataset.stamp) > Number(place.dataset.stamp ?? 0))) return;
  place.className = fresh.className;
  place.dataset.stamp = fresh.dataset.stamp;
  place.innerHTML = fresh.innerHTML;
  beep(["ok", "warn", "refused"].find((sound) => fresh.classList.contains(sound)));
}

/** a: {sound, text, detail, at, scanner, stamp} */
export function answer(a) {
  if (place && a.scanner && place.dataset.scanner && place.dataset.scanner !== a.scanner) return;
  beep(a.sound);
  if (!place) return;
  place.className = "answer " + a.sound;
  if (a.stamp) place.dataset.stamp = a.stamp;
  place.querySelector(".mark").textContent = marks[a.sound] ?? "✕";
  const what = place.querySelector(".what");
  what.textContent = a.text;
  if (a.detail) what.append(Object.assign(document.createElement("small"), { textContent: a.detail }));
  place.querySelector(".when").textContent = a.at ? (a.sound === "refused" ? "" : "saved ") + a.at : "";
}
