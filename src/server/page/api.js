// Talking to the server: JSON, events, and the key that it may ask for.

const keyName = "hayate.key";

export class ApiError extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

function askForKey() {
  const dialog = document.querySelector("#key-dialog"), input = dialog.querySelector("#key");
  input.value = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => { localStorage.setItem(keyName, input.value.trim()); done(); }, { once: true }));
}

async function ask(path, options = {}) {
  for (;;) {
    const key = localStorage.getItem(keyName);
    const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
    let response;
    try {
      response = await fetch(path, { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(0, "The server does not answer.");
    }
    if (response.ok) return response;
    if (response.status === 401) { await askForKey(); continue; }
    const body = await response.json().catch(() => null);
    throw new ApiError(response.status, body?.error?.message ?? `The server answered ${response.status}.`);
  }
}

const json = (body) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const choices = async () => (await ask("/api/choices")).json();
// Lists and objects of a form are JSON texts.
function form(settings, files) {
  const body = new FormData();
  for (const [name, value] of Object.entries(settings)) body.append(name, typeof value === "object" ? JSON.stringify(value) : value);
  for (const [name, file] of Object.entries(files)) body.append(name, file, name);
  return { method: "POST", body };
}

// `files`: {init_image, mask} of those that there are.
export const submit = async (settings, files) => (await ask("/api/jobs", files.init_image ? form(settings, files) : json(settings))).json();
export const settingsOf = async (file) => (await ask("/api/settings-of-picture", { method: "POST", body: file })).json();

// Calls on(name, data) for each event; returns the last one's data. The job is cancelled with its watcher.
export async function follow(job, on, signal) {
  const response = await ask(`${job.events}?previews=1&cancel=1&pictures=1`, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "", last = null;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const name = /^event: (.*)$/m.exec(text.slice(0, end))?.[1], data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
      if (!name) continue;
      last = { name, data: JSON.parse(data) };
      on(last.name, last.data);
    }
  }
  if (!last || !["done", "failed", "cancelled"].includes(last.name)) throw new ApiError(0, "The connection to the server was lost.");
  if (last.name === "failed") throw new ApiError(500, last.data.error.message);
  return last;
}
