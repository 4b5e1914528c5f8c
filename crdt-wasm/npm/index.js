// What the package offers; each name's meaning is in index.d.ts.

export { Document } from "./document.js";
export { BroadcastTabs } from "./providers/broadcast.js";
export { IndexedDbStorage } from "./providers/indexeddb.js";
export { WebSocketNetwork } from "./providers/websocket.js";
export { init, initSync } from "./wasm.js";
