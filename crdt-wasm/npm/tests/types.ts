// What is declared in index.d.ts is what the modules export: `tsc` compares them here.

import * as actual from "../document.js";
import * as textarea from "../bindings/textarea.js";
import * as broadcast from "../providers/broadcast.js";
import * as indexeddb from "../providers/indexeddb.js";
import * as websocket from "../providers/websocket.js";
import * as wasm from "../wasm.js";
import type * as declared from "../index.js";

export const open: (...given: Parameters<typeof declared.Document.open>) => Promise<declared.Document> = (...given) => actual.Document.open(...given) as Promise<Declared>;
// The private constructor makes the declared class nominal; its public side is what counts.
type Declared = declared.Document & actual.Document;
export const isComplete = (document: actual.Document): Pick<declared.Document, keyof declared.Document> => document;

export const storage: (document: string) => Promise<declared.Storage> = indexeddb.IndexedDbStorage.open;
export const network: new (url: string) => declared.Network = websocket.WebSocketNetwork;
export const tabs: new (name: string, receive: (message: declared.TabMessage) => void) => declared.Tabs = broadcast.BroadcastTabs;
export const init: typeof declared.init = wasm.init;
export const initSync: typeof declared.initSync = wasm.initSync;
export const bind: typeof import("crdt-wasm/textarea").bindTextarea = textarea.bindTextarea;

// What the documentation shows.
export async function example(): Promise<void> {
  const { Document } = await import("crdt-wasm");
  const doc = await Document.open("notes", { storage: "indexeddb", connect: "ws://localhost:8080" });
  doc.text("body").insert(0, "hello");
  doc.counter("views").increment();
  doc.set("tags").add("crdt");
  doc.map("settings").set("theme", "dark");
  doc.map("settings").map("editor").text("font").insert(0, "serif");
  doc.on("change", (event) => console.log(event.changes));
  doc.goOffline();
  doc.goOnline();
}

import { CausalBuffer } from "../causal/buffer.js";
import type * as causal from "../causal.js";

export const buffer: (options: causal.CausalOptions) => causal.CausalBuffer<string> = (options) => new CausalBuffer<string>(options);
export const restored: (saved: causal.SavedBuffer<string>) => causal.CausalBuffer<string> = (saved) => CausalBuffer.restore(saved);

import * as rebasing from "../rebase.js";
import type * as rebases from "../rebase.js";

export const rebase: (then: declared.Document, onto: declared.Document) => Promise<boolean> = rebasing.rebase;
export const rebaseInit: typeof rebases.init = rebasing.init;

import { Session } from "../session.js";

export const session: (session: Session) => declared.Session = (session) => session;
