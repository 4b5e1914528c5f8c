// Where the others are in a textarea: carets and selections drawn over it. A hidden copy of
// the text, set in the same way, tells where a position is on the screen.

import { COLORS } from "./identity.js";

/** After the last character, so that the end of the text has a place too. */
const END = "\u200b";

export class Carets {
  #textarea;
  #layer;
  #mirror;
  #copy;
  /** @type {{ name: string, color: string, from: number, to: number }[]} */
  #shown = [];

  constructor(textarea, layer) {
    this.#textarea = textarea;
    this.#layer = layer;
    this.#mirror = document.createElement("div");
    this.#mirror.className = "mirror";
    this.#copy = document.createTextNode(END);
    this.#mirror.append(this.#copy);
    textarea.addEventListener("scroll", () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(textarea);
  }

  /** A colour that a participant chose, or one of ours if it is none. */
  static color(state) {
    return COLORS.includes(state?.color) ? state.color : COLORS[0];
  }

  show(others, text) {
    this.#shown = others.flatMap(({ state }) => {
      if (!Array.isArray(state?.caret)) return [];
      const [from, to] = state.caret.map((anchor) => resolve(text, anchor));
      if (from === undefined || to === undefined) return [];
      return [{ name: String(state.name || "Someone").slice(0, 24), color: Carets.color(state), from, to }];
    });
    // The textarea takes a change in its own time; what is drawn must fit what it shows.
    requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    if (this.#shown.length === 0) {
      this.#layer.replaceChildren();
      return;
    }
    const { clientWidth, scrollTop, scrollLeft, value } = this.#textarea;
    this.#copy.data = value + END;
    this.#mirror.style.width = `${clientWidth}px`;
    this.#layer.replaceChildren(this.#mirror);
    const origin = this.#mirror.getBoundingClientRect();
    const place = ({ left, top }) => ({ left: left - origin.left - scrollLeft, top: top - origin.top - scrollTop });
    for (const { name, color, from, to } of this.#shown) {
      const start = Math.min(from, to, value.length);
      const end = Math.min(Math.max(from, to), value.length);
      if (start < end) {
        for (const rect of this.#rects(start, end)) {
          this.#add("selection", color, place(rect), rect.width, rect.height);
        }
      }
      const at = Math.min(to, value.length);
      const [rect] = this.#rects(at, at + 1);
      if (rect === undefined) continue;
      const spot = place(rect);
      const caret = this.#add("caret", color, spot, 2, rect.height);
      caret.classList.toggle("left", spot.left > clientWidth - 80);
      const label = document.createElement("span");
      label.textContent = name;
      caret.append(label);
    }
  }

  #rects(start, end) {
    const range = document.createRange();
    range.setStart(this.#copy, start);
    range.setEnd(this.#copy, end);
    return [...range.getClientRects()];
  }

  #add(kind, color, { left, top }, width, height) {
    const element = document.createElement("div");
    element.className = kind;
    element.style.setProperty("--who", color);
    Object.assign(element.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    this.#layer.append(element);
    return element;
  }
}

/** What others sent as a caret may be anything. */
function resolve(text, anchor) {
  try {
    return text.resolve(anchor);
  } catch {
    return undefined;
  }
}
