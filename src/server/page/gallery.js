// Pictures that were drawn, kept in this browser (IndexedDB); the oldest go first.

const most = 200;

function open() {
  return new Promise((done, failed) => {
    const request = indexedDB.open("hayate", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("pictures", { keyPath: "id", autoIncrement: true });
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

async function run(mode, action) {
  const database = await open();
  try {
    return await new Promise((done, failed) => {
      const transaction = database.transaction("pictures", mode);
      const request = action(transaction.objectStore("pictures"));
      transaction.oncomplete = () => done(request?.result);
      transaction.onerror = transaction.onabort = () => failed(transaction.error);
    });
  } finally { database.close(); }
}

export class Gallery {
  // `chosen` is called with an entry: {id, blob, settings, seed, rung, seconds, infotext}.
  constructor(element, chosen) {
    this.element = element;
    this.chosen = chosen;
    this.entries = [];
  }

  async load() {
    this.entries = (await run("readonly", (store) => store.getAll()).catch(() => [])).reverse();
    for (const entry of this.entries) this.element.append(this.thumbnail(entry));
  }

  async add(entry) {
    entry.id = await run("readwrite", (store) => store.add(entry)).catch(() => -Date.now() - Math.random());  // private windows keep nothing
    this.entries.unshift(entry);
    this.element.prepend(this.thumbnail(entry));
    while (this.entries.length > most) await this.remove(this.entries.at(-1));
    return entry;
  }

  async remove(entry) {
    const at = this.entries.indexOf(entry);
    this.entries.splice(at, 1);
    this.element.querySelector(`[data-id="${entry.id}"]`)?.remove();
    await run("readwrite", (store) => store.delete(entry.id)).catch(() => {});
    return this.entries[Math.min(at, this.entries.length - 1)];
  }

  mark(entry) {
    for (const button of this.element.children) button.setAttribute("aria-current", String(entry && button.dataset.id === String(entry.id)));
    this.element.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  neighbour(entry, offset) { return this.entries[this.entries.indexOf(entry) + offset]; }

  thumbnail(entry) {
    const button = document.createElement("button"), image = document.createElement("img");
    button.type = "button";
    button.dataset.id = entry.id;
    button.title = entry.settings.prompt;
    button.setAttribute("aria-label", `Picture: ${entry.settings.prompt}`);
    image.alt = "";
    image.src = URL.createObjectURL(entry.blob);
    button.append(image);
    button.addEventListener("click", () => this.chosen(entry));
    return button;
  }
}
