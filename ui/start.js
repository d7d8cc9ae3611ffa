// A file of its own, since the content security policy refuses scripts inside the page.
import init from "./consent-ui.js";

await init({ module_or_path: new URL("./consent-ui_bg.wasm", import.meta.url) });
