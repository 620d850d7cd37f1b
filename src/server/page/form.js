// The form: its choices, its settings and files as the API wants them, and both put back into it.
import { Painter } from "/painter.js";

const $ = (selector) => document.querySelector(selector);
const memory = "hayate.settings";
const numbers = ["width", "height", "steps", "guidance_scale", "mimic_guidance", "seed", "n", "strength", "mask_blur", "hires", "hires_strength", "hires_steps"];
const paddingOfArea = 32;  // pixels around what is painted
const names = ["prompt", "negative_prompt", ...numbers, "model", "scheduler", "spacing", "rung", "mask_content", "hires_upscaler", "seamless"];
const unset = { negative_prompt: "", scheduler: "", spacing: "", rung: "", mask_content: "", hires: "", hires_steps: "", seamless: "", mimic_guidance: 0, loras: [] };

export class Form {
  // `say(text, wrong)` tells the user what went wrong.
  constructor(choices, say) {
    this.choices = choices;
    this.say = say;
    this.form = $("#form");
    this.source = null;  // a picture to start from, as a Blob
    this.painter = new Painter(() => this.changed());
    const option = (value, text, title = "") => Object.assign(new Option(text, value), { title });
    $("#model").append(...choices.models.map((m) => option(m.name, m.name, m.family)));
    $("#model-field").hidden = choices.models.length < 2;
    $("#scheduler").append(option("", "default", "the model's own"), ...choices.schedulers.map((s) => option(s.name, s.label, s.what)));
    $("#spacing").append(option("", "default", "as the scheduler and the model say"), ...choices.spacings.map((s) => option(s.name, s.label, s.what)));
    const rungs = choices.rungs.map((r) => option(r.name, r.name, r.what));
    $("#rung").append(option("", `default: ${choices.default_rung}`), ...rungs.map((o) => o.cloneNode(true)));
    $("#compare").append(option("", "no comparison"), ...rungs);
    $("#hires-upscaler").append(...choices.upscalers.map((u) => option(u.name, u.label)));
    $("#loras-field").hidden = choices.loras.length === 0;
    $("#count").max = choices.limits.n;
    $("#add-lora").addEventListener("click", () => this.addLora());
    $("#size").addEventListener("click", (event) => this.shape(event.target.closest("button")?.dataset.shape));
    $("#model").addEventListener("change", () => { this.shape("square"); this.showEmbeddings(); });
    $("#embeddings").addEventListener("click", (event) => this.addWord(event.target.closest("button")?.textContent));
    $("#choose-source").addEventListener("click", () => $("#source-file").click());
    $("#source-file").addEventListener("change", (event) => { this.startFrom(event.target.files[0] ?? null); event.target.value = ""; });
    $("#no-source").addEventListener("click", () => this.startFrom(null));
    for (const opens of ["#paint", "#source-picture"]) $(opens).addEventListener("click", () => this.painter.open($("#source-image")));
    this.form.addEventListener("input", () => this.changed());
    $("#model").value = choices.default_model;
    const remembered = localStorage.getItem(memory);  // before changed() writes there
    this.shape("square");
    this.showEmbeddings();
    try { this.fill(JSON.parse(remembered) ?? {}); } catch { localStorage.removeItem(memory); }
    this.changed();
  }

  get model() { return this.choices.models.find((m) => m.name === $("#model").value) ?? this.choices.models[0]; }

  showEmbeddings() {
    $("#embeddings").replaceChildren(...this.model.embeddings.map((word) => Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: word })));
    $("#embeddings-field").hidden = this.model.embeddings.length === 0;
  }

  addWord(word) {
    if (!word) return;
    const prompt = $("#prompt");
    prompt.value = prompt.value ? `${prompt.value.replace(/[\s,]+$/, "")}, ${word}` : word;
    this.changed();
  }

  // Portrait and landscape keep the number of pixels, about.
  shape(name) {
    if (!name) return;
    const { width, height } = this.model, round = (v) => Math.round(v / 64) * 64;
    const [w, h] = name === "square" ? [width, height] : [round(width * 0.8), round(height * 1.25)];
    this.set("width", name === "landscape" ? h : w);
    this.set("height", name === "landscape" ? w : h);
    this.changed();
  }

  // The drawing gets the picture's shape, with about as many pixels as the model's own. `mask`: of what is drawn anew, a Blob or null.
  async startFrom(blob, mask = null) {
    const image = $("#source-image");
    URL.revokeObjectURL(image.src);
    this.source = blob;
    $("#source").hidden = true;  // until it can be painted on
    $("#choose-source").hidden = Boolean(blob);
    $("#mask-area").checked = false;
    if (!blob) { image.removeAttribute("src"); this.painter.clear(1, 1); return this.changed(); }
    try { this.source = await this.bounded(blob, image); } catch { this.say("This is no picture that can be read.", true); return this.startFrom(null); }
    const { naturalWidth, naturalHeight } = image, root = Math.sqrt((this.model.width * this.model.height) / (naturalWidth * naturalHeight));
    for (const [name, own] of [["width", naturalWidth], ["height", naturalHeight]]) this.set(name, Math.max(64, Math.round((own * root) / 8) * 8));
    this.painter.clear(naturalWidth, naturalHeight);
    await this.painter.take(mask);
    $("#source").hidden = false;
    this.changed();
  }

  // The picture, made smaller where it has more pixels than the server takes. Shows it.
  async bounded(blob, image) {
    image.src = URL.createObjectURL(blob);
    await image.decode();
    const shrink = Math.sqrt(this.choices.limits.pixels / (image.naturalWidth * image.naturalHeight));
    if (shrink >= 1) return blob;
    const smaller = new OffscreenCanvas(Math.floor(image.naturalWidth * shrink), Math.floor(image.naturalHeight * shrink));
    smaller.getContext("2d").drawImage(image, 0, 0, smaller.width, smaller.height);
    URL.revokeObjectURL(image.src);
    return this.bounded(await smaller.convertToBlob(), image);
  }

  set(name, value) { this.form.elements[name].value = value; }

  changed() {
    for (const output of this.form.querySelectorAll("output")) output.value = $(`#${output.htmlFor}`).value;
    const [w, h] = [Number(this.form.elements.width.value), Number(this.form.elements.height.value)];
    const now = w === h ? "square" : w > h ? "landscape" : "portrait";
    for (const button of this.form.querySelectorAll("[data-shape]")) button.setAttribute("aria-pressed", String(button.dataset.shape === now));
    $("#inpainting").hidden = this.painter.empty;
    $("#hires-field").hidden = Boolean(this.source);
    for (const element of document.querySelectorAll(".hires")) element.hidden = !$("#hires").value;
    const shown = $("#source-mask"), { width, height } = this.painter.canvas;
    Object.assign(shown, { width, height });
    shown.getContext("2d").drawImage(this.painter.canvas, 0, 0);
    localStorage.setItem(memory, JSON.stringify(this.settings()));
  }

  // What is sent beside the settings.
  async files() {
    const mask = this.source && (await this.painter.mask());
    return { ...(this.source && { init_image: this.source }), ...(mask && { mask }) };
  }

  // Fields left empty are left out: the server has their defaults.
  settings() {
    const settings = {};
    for (const name of names) {
      const value = this.form.elements[name].value;
      const unused = (name === "strength" && !this.source) || (name.startsWith("mask_") && this.painter.empty) ||
        (name.startsWith("hires") && (this.source || !this.form.elements.hires.value)) || (name === "mimic_guidance" && value === "0");
      if (value !== "" && !unused) settings[name] = numbers.includes(name) ? Number(value) : value;
    }
    if (!this.painter.empty && $("#mask-area").checked) settings.mask_area = paddingOfArea;
    const loras = [...$("#loras").children].map((row) => ({ name: row.children[0].value, weight: Number(row.children[1].value) }));
    if (loras.length) settings.loras = loras;
    return settings;
  }

  get compareWith() { return $("#compare").value; }

  // These settings and no others.
  replace(settings) { this.fill({ ...unset, ...settings }); }

  // What is not among the settings stays as it is; what the server does not have is left out.
  fill(settings) {
    for (const name of names) {
      if (settings[name] === undefined) continue;
      const field = this.form.elements[name], value = String(settings[name]);
      if (field.tagName !== "SELECT" || [...field.options].some((o) => o.value === value)) field.value = value;
    }
    if (settings.mask_area !== undefined) $("#mask-area").checked = true;
    if (settings.loras) {
      $("#loras").replaceChildren();
      for (const lora of settings.loras) if (this.choices.loras.includes(lora.name)) this.addLora(lora);
    }
    this.changed();
  }

  addLora({ name, weight } = { weight: 1 }) {
    const row = document.createElement("div"), select = document.createElement("select"), number = document.createElement("input"), remove = document.createElement("button");
    row.className = "lora";
    select.append(...this.choices.loras.map((l) => new Option(l, l)));
    if (name) select.value = name;
    select.setAttribute("aria-label", "LoRA");
    Object.assign(number, { type: "number", step: "0.05", min: "-10", max: "10", value: weight });
    number.setAttribute("aria-label", "Weight");
    Object.assign(remove, { type: "button", className: "quiet", textContent: "✕", title: "Remove" });
    remove.addEventListener("click", () => { row.remove(); this.changed(); });
    row.append(select, number, remove);
    $("#loras").append(row);
    this.changed();
  }

  // Of a picture's infotext, as /api/settings-of-picture takes it apart.
  fromPicture({ prompt, negative_prompt, settings, width, height }) {
    const found = { prompt, negative_prompt, width, height, n: 1 };
    if (/^\d+x\d+$/.test(settings.Size)) [found.width, found.height] = settings.Size.split("x").map(Number);  // of the first pass
    if (settings["Hires upscale"]) {
      found.hires = Number(settings["Hires upscale"]);
      found.hires_upscaler = this.choices.upscalers.find((u) => u.label === settings["Hires upscaler"])?.name;
      if (settings["Hires steps"]) found.hires_steps = Number(settings["Hires steps"]);
      found.hires_strength = Number(settings["Denoising strength"]);
    }
    if (settings.Tiling) found.seamless = settings.Tiling === "True" ? "both" : settings.Tiling;
    if (settings["Mimic scale"]) found.mimic_guidance = Number(settings["Mimic scale"]);
    if (settings["Masked content"]) found.mask_content = settings["Masked content"].replace("latent ", "");
    if (settings.Steps) found.steps = Number(settings.Steps);
    if (settings["CFG scale"]) found.guidance_scale = Number(settings["CFG scale"]);
    if (settings["Denoising strength"]) found.strength = Number(settings["Denoising strength"]);
    if (settings.Seed) found.seed = Number(settings.Seed);
    found.scheduler = this.choices.schedulers.find((s) => s.label === settings.Sampler)?.name ?? "";
    found.spacing = this.choices.spacings.find((s) => s.label === settings["Schedule type"])?.name ?? "";
    found.model = this.choices.models.find((m) => [m.name, m.name_in_pictures].includes(settings.Model))?.name;
    if (settings.Loras) found.loras = settings.Loras.split(", ").map((l) => ({ name: l.slice(0, l.lastIndexOf(":")), weight: Number(l.slice(l.lastIndexOf(":") + 1)) }));
    this.replace(found);
  }
}
