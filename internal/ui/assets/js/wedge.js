// Recognises a scanner that types like a keyboard, wherever the focus is: by
// speed, and by the Enter or Tab at the end. What it typed into a field is
// taken out again. A person never types four keys this fast.
//
// A code's separator (GS, ASCII 29) reaches a browser in several ways: as the
// character itself, as Ctrl+], or as Alt+029 on the number pad. All are taken
// here; substitutes are a matter of the scanner's profile, in the agent.
const fast = 50;      // ms between two keys of a scanner, at most
const least = 4;      // keys that make a code
const most = 4096;    // keys, bounds what is kept
const opening = 150;  // ms after the page has opened
const slow = 3000;    // ms between two keys of a person's number, at most
const torn = 500;     // ms after a key, within which what comes may be the rest of its code

/**
 * listen calls got({text, physical, caps, half}) for each code. half
 * tells that its first keys may be missing, as they went to the page before this
 * one, or came before a pause: a code that is cut can read as another one, so it
 * must not be taken. text is
 * what the system's keyboard layout made of the keys, physical what a US
 * layout would have: a scanner that is set to US types wrong letters where
 * the system is not, and right ones there.
 *
 * listen calls keyed(digits, quick) for digits that end with Enter, outside of any field,
 * and are no code: what a person types, or, where quick, a scanner with too few keys.
 */
export function listen(got, keyed = () => {}) {
  const since = performance.now();
  let burst = null;
  let alt = "";       // digits of an Alt code so far
  let altDown = false;
  let number = null;  // digits so far that may be a person's

  const begin = (e) => {
    const field = editable(e.target) ? e.target : null;
    return { text: "", physical: "", keys: 0, last: e.timeStamp, half: e.timeStamp - since < opening, field,
      before: field && [field.value, field.selectionStart, field.selectionEnd], caps: e.getModifierState("CapsLock") };
  };
  const add = (e, text, physical) => {
    const pause = burst ? e.timeStamp - burst.last : 0;
    if (burst && (pause > fast || burst.keys >= most)) burst = null;
    burst ??= begin(e);
    if (pause > fast && pause <= torn) burst.half = true;
    burst.text += text;
    burst.physical += physical;
    burst.keys++;
    burst.last = e.timeStamp;
  };
  const count = (e) => {
    if (!/^\d$/.test(e.key) || e.ctrlKey || e.altKey || e.metaKey || editable(e.target) || e.target.tagName === "INPUT") { number = null; return; }
    const pause = number ? e.timeStamp - number.last : 0;
    if (pause > slow) number = null;
    number ??= { digits: "", quick: true };
    number = { digits: number.digits + e.key, quick: number.quick && pause <= fast, last: e.timeStamp };
  };
  const quiet = (e) => { e.preventDefault(); e.stopImmediatePropagation(); };

  addEventListener("keydown", (e) => {
    if (e.isComposing || e.repeat) return;
    if (e.key === "Alt") { altDown = true; alt = ""; return; }
    if (altDown && /^Numpad\d$/.test(e.code)) { alt += e.code[6]; quiet(e); return; }
    if (e.key === "Shift" || e.key === "Control" || e.key === "AltGraph" || e.key === "CapsLock" || e.key === "NumLock") return;

    const end = e.key === "Enter" || e.key === "Tab" || (e.ctrlKey && !e.altKey && (e.code === "KeyM" || e.code === "KeyJ"));
    if (end) {
      const b = burst, n = number;
      burst = number = null;
      if (b && b.keys >= least && e.timeStamp - b.last <= fast * 2) {
        quiet(e);
        if (b.field) [b.field.value, b.field.selectionStart, b.field.selectionEnd] = b.before;
        got({ text: b.text, physical: b.physical, caps: b.caps, half: b.half });
      } else if (n && e.key === "Enter" && e.timeStamp - n.last <= slow) {
        quiet(e);
        keyed(n.digits, n.quick && e.timeStamp - n.last <= fast);
      }
      return;
    }
    count(e);
    const control = e.ctrlKey && !e.altKey ? controlOf(e) : "";
    if (control) {
      if (burst) quiet(e); // or the browser takes it for a command of its own
      add(e, control, control);
      return;
    }
    if (e.metaKey || (e.ctrlKey && !e.altKey)) { burst = null; return; }
    if ([...e.key].length === 1) add(e, e.key, usOf(e));
    else if (e.key === "Dead" || e.key === "Unidentified") add(e, "\uFFFD", usOf(e));
    else { burst = null; return; }
    // Only the second fast key shows that it is no person: from there on, keys
    // do not reach buttons and lists.
    if (burst.keys > 1 && !burst.field) quiet(e);
  }, true);

  document.documentElement.dataset.scanner = "ready";
  addEventListener("keyup", (e) => {
    if (e.key === "Alt") {
      const code = Number(alt);
      altDown = false;
      if (alt && code > 0 && code < 256) { const c = String.fromCharCode(code); add(e, c, c); quiet(e); }
      alt = "";
    } else if (burst && burst.keys > 1 && !burst.field) quiet(e);
  }, true);
}

const editable = (t) => t instanceof HTMLTextAreaElement ||
  (t instanceof HTMLInputElement && /^(text|search|password|tel|url|)$/.test(t.type));

const controlOf = (e) => {
  switch (e.code) {
    case "BracketRight": return "\x1d";
    case "Backslash": return "\x1c";
    case "Digit6": return e.shiftKey ? "\x1e" : "";
    case "KeyD": return "\x04";
  }
  if (e.key === "]") return "\x1d";
  return "";
};

const us = {
  Backquote: "`~", Minus: "-_", Equal: "=+", BracketLeft: "[{", BracketRight: "]}", Backslash: "\\|", IntlBackslash: "\\|",
  Semicolon: ";:", Quote: "'\"", Comma: ",<", Period: ".>", Slash: "/?", Space: "  ",
  NumpadAdd: "++", NumpadSubtract: "--", NumpadMultiply: "**", NumpadDivide: "//", NumpadDecimal: "..",
};

function usOf(e) {
  if (/^Key[A-Z]$/.test(e.code)) return e.shiftKey ? e.code[3] : e.code[3].toLowerCase();
  if (/^Digit\d$/.test(e.code)) return e.shiftKey ? ")!@#$%^&*("[e.code[5]] : e.code[5];
  if (/^Numpad\d$/.test(e.code)) return e.code[6];
  const pair = us[e.code];
  if (pair) return pair[e.shiftKey ? 1 : 0];
  return e.key.length === 1 ? e.key : "\uFFFD";
}
