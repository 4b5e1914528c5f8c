// The demo: one document with a text, a counter, a set and a map, and who else is here.
// `?doc=NAME` chooses the document, `#token=…` hands over a token where the server wants one.

import { Document } from "/crdt-wasm/index.js";
import { bindTextarea } from "/crdt-wasm/bindings/textarea.js";
import { Carets } from "./carets.js";
import { identity, rememberName } from "./identity.js";

const name = new URLSearchParams(location.search).get("doc") || "notes";
const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? undefined;

/** The switch belongs to the window, and survives its reload. */
const OFFLINE_KEY = `offline/${name}`;

/** A caret is told to the others at most this often. */
const CARET_MS = 80;

const CONNECTIONS = {
  none: "No server",
  offline: "Working offline",
  connecting: "Connecting",
  online: "Connected",
  refused: "Refused by the server",
};

const byId = (id) => document.getElementById(id);
const elements = {
  text: byId("text"),
  counter: byId("counter"),
  tags: byId("tags"),
  settings: byId("settings"),
  people: byId("people"),
  offline: byId("offline"),
  me: byId("me"),
};

const me = identity();

start().catch((error) => {
  byId("dot").dataset.state = "refused";
  byId("connection").textContent = "Not open";
  notice(`The document could not be opened: ${error.message}`);
});

async function start() {
  document.title = `${name} – shared notes`;
  byId("name").textContent = name;
  byId("window").href = location.href;
  const isOffline = sessionStorage.getItem(OFFLINE_KEY) === "yes";
  elements.offline.checked = isOffline;

  const doc = await Document.open(name, {
    storage: "indexeddb",
    connect: location.origin,
    offline: isOffline,
    token,
  });
  // For whoever opens the console to try it.
  globalThis.doc = doc;

  showText(doc);
  showCounter(doc);
  showTags(doc);
  showSettings(doc);
  showStatus(doc);
  for (const control of document.querySelectorAll(":disabled")) control.disabled = false;
}

/** Calls `show` now and whenever the container has changed. */
function follow(doc, target, show) {
  show();
  doc.on("change", ({ changes }) => {
    if (changes.some((change) => change.kind === "everything" || change.target === target)) show();
  });
}

function showText(doc) {
  const text = doc.text("body");
  bindTextarea(elements.text, doc, text);
  const carets = new Carets(elements.text, byId("carets"));
  follow(doc, text, () => {
    byId("length").textContent = text.length.toLocaleString();
    carets.show(doc.presence.others(), text);
  });

  const showPeople = () => {
    const others = doc.presence.others();
    carets.show(others, text);
    elements.people.replaceChildren(
      ...[{ state: me, isMe: true }, ...others].map(({ state, isMe }) => personItem(state, isMe)),
    );
  };
  doc.on("presence", showPeople);

  let timer;
  const tell = () => {
    timer = undefined;
    const { selectionStart, selectionEnd } = elements.text;
    const isHere = document.activeElement === elements.text;
    const caret = isHere ? [text.anchor(selectionStart), text.anchor(selectionEnd)] : null;
    doc.presence.set({ name: me.name, color: me.color, caret });
  };
  const tellSoon = () => void (timer ??= setTimeout(tell, CARET_MS));
  document.addEventListener("selectionchange", tellSoon);
  elements.text.addEventListener("input", tellSoon);
  elements.text.addEventListener("blur", tellSoon);
  elements.me.value = me.name;
  elements.me.addEventListener("change", () => {
    me.name = rememberName(elements.me.value);
    elements.me.value = me.name;
    showPeople();
    tell();
  });
  tell();
  showPeople();
}

/** One participant in the bar; what others say about themselves is not taken on trust. */
function personItem(state, isMe) {
  const who = String(state?.name || "Someone").slice(0, 24);
  const item = document.createElement("li");
  item.textContent = [...who][0].toUpperCase();
  item.title = isMe ? `${who} (you)` : who;
  item.setAttribute("aria-label", item.title);
  item.style.background = Carets.color(state);
  return item;
}

function showCounter(doc) {
  const counter = doc.counter("count");
  follow(doc, counter, () => (elements.counter.textContent = counter.toString()));
  byId("increment").addEventListener("click", () => counter.increment());
  byId("decrement").addEventListener("click", () => counter.decrement());
  byId("reset").addEventListener("click", () => counter.reset());
}

function showTags(doc) {
  const tags = doc.set("tags");
  follow(doc, tags, () => {
    elements.tags.replaceChildren(
      ...tags.values().map(String).sort().map((tag) => {
        const item = document.createElement("li");
        const label = document.createElement("span");
        label.textContent = tag;
        item.append(label, removeButton(`Remove the tag ${tag}`, () => tags.delete(tag)));
        return item;
      }),
    );
  });
  byId("add-tag").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = event.target.elements.tag;
    if (field.value.trim() !== "") tags.add(field.value.trim());
    field.value = "";
  });
}

function showSettings(doc) {
  const settings = doc.map("settings");
  /** Rows stay while their key does, so that an edit by another does not take the focus away. */
  const rows = new Map();
  follow(doc, settings, () => {
    const entries = new Map(settings.entries());
    for (const [key, { item }] of rows) {
      if (entries.has(key)) continue;
      item.remove();
      rows.delete(key);
    }
    for (const [key, value] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const row = rows.get(key) ?? settingRow(settings, key);
      rows.set(key, row);
      if (document.activeElement !== row.field) row.field.value = String(value);
      elements.settings.append(row.item);
    }
  });
  byId("add-setting").addEventListener("submit", (event) => {
    event.preventDefault();
    const { key, value } = event.target.elements;
    if (key.value.trim() !== "") settings.set(key.value.trim(), value.value);
    event.target.reset();
    key.focus();
  });
}

function settingRow(settings, key) {
  const item = document.createElement("li");
  const field = document.createElement("input");
  const label = document.createElement("label");
  field.id = `setting-${key}`;
  label.htmlFor = field.id;
  label.textContent = key;
  label.title = key;
  field.addEventListener("change", () => settings.set(key, field.value));
  field.addEventListener("blur", () => (field.value = String(settings.get(key) ?? "")));
  item.append(label, field, removeButton(`Remove the setting ${key}`, () => settings.delete(key)));
  return { item, field };
}

function removeButton(label, remove) {
  const button = document.createElement("button");
  button.textContent = "×";
  button.setAttribute("aria-label", label);
  button.addEventListener("click", remove);
  return button;
}

function showStatus(doc) {
  const show = () => {
    const { connection, waiting, unstored, error } = doc.status;
    byId("dot").dataset.state = connection;
    byId("dot").dataset.waiting = waiting;
    const wait = waiting === 0 ? "everything is sent" : `${count(waiting, "change")} waiting to be sent`;
    byId("connection").textContent = `${CONNECTIONS[connection]}, ${wait}`;
    byId("stored").textContent = unstored === 0 ? "Everything is stored" : `${count(unstored, "change")} not stored yet`;
    if (error === undefined) byId("notice").hidden = true;
    else notice(error.message);
  };
  doc.on("status", show);
  doc.on("error", (error) => notice(error.message));
  show();
  elements.offline.addEventListener("change", () => {
    sessionStorage.setItem(OFFLINE_KEY, elements.offline.checked ? "yes" : "no");
    if (elements.offline.checked) doc.goOffline();
    else doc.goOnline();
  });
}

function count(number, what) {
  return `${number.toLocaleString()} ${what}${number === 1 ? "" : "s"}`;
}

function notice(message) {
  byId("notice").textContent = message;
  byId("notice").hidden = false;
}
