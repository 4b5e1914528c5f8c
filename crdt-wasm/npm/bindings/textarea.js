// A textarea that shows a shared text and lets it be edited.
//
// The textarea is a copy. What the user did to it is found by comparing it with what it showed;
// what others did arrives as patches. Both meet in one place, `#settle`: an edit of the user is
// moved through the patches that the textarea does not show yet, and then the textarea takes
// them. While an input method composes, the browser owns the textarea, and nothing is settled.

import { movePosition, moveRanges, smallestSplice } from "../splice.js";

/** @typedef {import("../splice.js").Splice} Splice */

/** A textarea turns a carriage return into a line feed; this sign stands for it, as long as it. */
const CARRIAGE_RETURN_SHOWN = "\u240d";

/** Half of a surrogate pair without the other. */
const HALF_CHARACTER = /\p{Surrogate}/gu;

/**
 * Binds a textarea to a text. It takes the text's content, and follows it from then on.
 *
 * @param {HTMLTextAreaElement} textarea
 * @param {import("../index.js").Document} document
 * @param {import("../index.js").Text} text
 * @returns {() => void} ends the binding; the textarea keeps what it shows
 */
export function bindTextarea(textarea, document, text) {
  const binding = new TextareaBinding(textarea, document, text);
  return () => binding.end();
}

class TextareaBinding {
  #textarea;
  #document;
  #text;
  /** What the textarea showed when it was last settled. */
  #shown;
  /** Changes of the text that the textarea does not show yet. @type {Splice[]} */
  #unshown = [];
  /** Whether so much has changed that the text must be read anew. */
  #isStale = false;
  #isComposing = false;
  #isSettleDue = false;
  #ends = new AbortController();

  /**
   * @param {HTMLTextAreaElement} textarea
   * @param {import("../index.js").Document} document
   * @param {import("../index.js").Text} text
   */
  constructor(textarea, document, text) {
    this.#textarea = textarea;
    this.#document = document;
    this.#text = text;
    this.#shown = shownAs(text.toString());
    textarea.value = this.#shown;
    const { signal } = this.#ends;
    textarea.addEventListener("input", () => this.#settle(), { signal });
    textarea.addEventListener("compositionstart", () => void (this.#isComposing = true), { signal });
    textarea.addEventListener("compositionend", () => this.#leave(), { signal });
    // A composition that is broken off by leaving need not say so.
    textarea.addEventListener("blur", () => this.#leave(), { signal });
    const unlisten = document.on("change", (event) => {
      if (event.origin === this) return;
      for (const change of event.changes) {
        if (change.kind === "everything") this.#isStale = true;
        if (change.kind === "text" && change.target === text) this.#unshown.push(...change.patches.map(shownPatch));
      }
      if (this.#unshown.length > 0 || this.#isStale) this.#settleSoon();
    });
    signal.addEventListener("abort", unlisten);
  }

  end() {
    this.#leave();
    this.#ends.abort();
  }

  /** What is being composed, or was typed by halves, is complete or never will be. */
  #leave() {
    this.#isComposing = false;
    const value = this.#textarea.value;
    const whole = value.replace(HALF_CHARACTER, "\ufffd");
    if (whole !== value) this.#textarea.value = whole;
    this.#settle();
  }

  /** Not in the middle of the event, which others have to be told too. */
  #settleSoon() {
    if (this.#isSettleDue) return;
    this.#isSettleDue = true;
    queueMicrotask(() => {
      this.#isSettleDue = false;
      if (!this.#ends.signal.aborted) this.#settle();
    });
  }

  #settle() {
    const textarea = this.#textarea;
    // Some keyboards type a character beyond U+FFFF by halves.
    if (this.#isComposing || textarea.value.search(HALF_CHARACTER) >= 0) return;
    // The text may be ahead of what was told.
    this.#document.flush();
    const unshown = this.#takeUnshown();
    const edit = smallestSplice(this.#shown, textarea.value, textarea.selectionEnd);
    if (edit === undefined) {
      this.#take(unshown, (position) => unshown.reduce(movePosition, position));
    } else if (unshown.length === 0) {
      this.#write([edit]);
    } else {
      const own = movedEdit(edit, unshown);
      this.#write(own);
      const undone = { at: edit.at, deleted: edit.inserted.length, inserted: this.#shown.slice(edit.at, edit.at + edit.deleted) };
      const splices = [undone, ...unshown, ...own];
      this.#take(splices, (position) => {
        // A caret in what was just typed stays in it.
        const typed = position - edit.at;
        const isInTyped = typed >= 0 && typed <= edit.inserted.length;
        return isInTyped ? (own.at(-1)?.at ?? 0) + typed : splices.reduce(movePosition, position);
      });
    }
    this.#shown = textarea.value;
  }

  #takeUnshown() {
    const patches = this.#unshown.splice(0);
    if (!this.#isStale) return patches;
    this.#isStale = false;
    const splice = smallestSplice(this.#shown, shownAs(this.#text.toString()));
    return splice === undefined ? [] : [splice];
  }

  /** @param {readonly Splice[]} splices */
  #write(splices) {
    this.#document.transact(() => {
      for (const { at, deleted, inserted } of splices) this.#text.splice(at, deleted, inserted);
    }, this);
  }

  /**
   * Changes what the textarea shows, and nothing else about it.
   *
   * @param {readonly Splice[]} splices
   * @param {(position: number) => number} move
   */
  #take(splices, move) {
    if (splices.length === 0) return;
    const textarea = this.#textarea;
    const { selectionStart, selectionEnd, selectionDirection, scrollTop } = textarea;
    for (const { at, deleted, inserted } of splices) textarea.setRangeText(inserted, at, at + deleted, "preserve");
    textarea.setSelectionRange(move(selectionStart), move(selectionEnd), selectionDirection);
    textarea.scrollTop = scrollTop;
  }
}

/**
 * An edit as it is after patches that its author had not seen. Its last splice is the insertion.
 *
 * @param {Splice} edit
 * @param {readonly Splice[]} patches
 * @returns {Splice[]}
 */
function movedEdit(edit, patches) {
  let at = edit.at;
  let ranges = [{ start: edit.at, end: edit.at + edit.deleted }];
  for (const patch of patches) {
    at = movePosition(at, patch);
    ranges = moveRanges(ranges, patch);
  }
  const deletions = ranges.reverse().map(({ start, end }) => ({ at: start, deleted: end - start, inserted: "" }));
  return [...deletions, { at: deletions.reduce(movePosition, at), deleted: 0, inserted: edit.inserted }];
}

/**
 * @param {Splice} patch
 * @returns {Splice}
 */
function shownPatch(patch) {
  return { ...patch, inserted: shownAs(patch.inserted) };
}

/** @param {string} text */
function shownAs(text) {
  return text.replaceAll("\r", CARRIAGE_RETURN_SHOWN);
}
