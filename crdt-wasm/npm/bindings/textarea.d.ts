import type { Document, Text } from "../index.js";

/**
 * Binds a textarea to a text: it shows the text's content and follows it, and what the user
 * does to it is done to the text. Selection, scrolling and input methods are left alone. Gives
 * back what ends the binding.
 */
export function bindTextarea(textarea: HTMLTextAreaElement, document: Document, text: Text): () => void;
