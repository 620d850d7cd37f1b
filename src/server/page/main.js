// What happens when: drawing, cancelling, choosing, dropping, keys.
import * as api from "/api.js";
import { Form } from "/form.js";
import { Gallery } from "/gallery.js";
import { Stage } from "/stage.js";
import "/theme.js";

const $ = (selector) => document.querySelector(selector);
const examples = ["a lighthouse by the sea at sunset, vivid colors", "a pencil sketch of a castle in the mountains", "a night neon city with a full moon",
                  "pixel art of a red hot air balloon over the desert"];

const stage = new Stage();
const gallery = new Gallery($("#gallery"), show);
let form, shown = null, drawing = null;

function say(text, wrong = false) {
  $("#message").textContent = text;
  $("#message").classList.toggle("wrong", wrong);
}

const time = (seconds) => (seconds < 60 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`);
const left = (seconds) => (seconds === null || seconds === undefined ? "" : `, about ${time(seconds)} left`);
const about = (entry) => `${entry.rung} · ${entry.seconds.toFixed(1)} s · seed ${entry.seed}`;

function progressText({ status, position, step, steps, seconds_left }) {
  if (status === "queued") return `Waiting, place ${position}${left(seconds_left)}`;
  if (step === 0) return "Reading the prompt";
  return step < steps ? `Step ${step} of ${steps}${left(seconds_left)}` : "Turning the latent into a picture";
}

function show(entry) {
  if (drawing) return;
  shown = entry;
  gallery.mark(entry);
  $("#tools").hidden = !entry;
  if (!entry) return stage.welcome(), say("");
  stage.one(entry.blob, entry.settings.prompt);
  $("#download").href = URL.createObjectURL(entry.blob);
  $("#download").download = `${entry.seed}.png`;
  say(`${entry.settings.prompt}  —  ${about(entry)}`);
}

function setDrawing(value) {
  drawing = value;
  $("#draw").disabled = Boolean(value);
  $("#cancel").hidden = !value;
  $("#progress").hidden = !value;
  if (value) $("#tools").hidden = true;
}

function blobOf(dataUrl) {
  const [head, body] = dataUrl.split(",");
  return new Blob([Uint8Array.from(atob(body), (c) => c.charCodeAt(0))], { type: /data:(.*?);/.exec(head)[1] });
}

// Draws one job to its end; its pictures go to the gallery, the first one last so that it is the newest.
async function drawJob(settings, files, signal) {
  const job = await api.submit(settings, files);
  let progress = 0;
  const { name, data } = await api.follow(job, (event, now) => {
    if (event === "preview") stage.preview(now.picture, now.image, progress);
    if (event !== "progress") return;
    progress = now.progress;
    $("#progress").value = progress;
    say(progressText(now));
  }, signal);
  if (name === "cancelled") return null;
  const entries = data.pictures.map((picture, i) => ({
    blob: blobOf(picture.image), infotext: picture.infotext, seed: picture.seed, rung: data.rung, seconds: data.seconds_drawing, files,
    settings: { width: data.width, height: data.height, ...settings, seed: picture.seed, n: 1 },
  }));
  for (const entry of [...entries].reverse()) await gallery.add(entry);
  return entries;
}

async function draw() {
  if (drawing) return;
  const settings = form.settings(), other = form.compareWith;
  if (!settings.prompt) { $("#prompt").focus(); return say("Say what the picture should show."); }
  if (other) settings.seed ??= Math.floor(Math.random() * 2 ** 32), settings.n = 1;
  const stop = new AbortController();
  setDrawing({ stop });
  gallery.mark(null);
  say("Sent");
  $("#progress").value = 0;
  stage.begin(settings.width, settings.height, settings.n ?? 1);
  let entries = null, second = null, problem = null;
  try {
    const files = await form.files();
    entries = await drawJob(settings, files, stop.signal);
    if (entries && other) {
      stage.begin(settings.width, settings.height, 1);
      second = await drawJob({ ...settings, rung: other }, files, stop.signal);
    }
  } catch (error) {
    entries = null;
    if (error.name !== "AbortError") problem = error.message;
  }
  setDrawing(null);
  if (!entries) return show(shown), say(problem ?? "Cancelled", Boolean(problem));  // back to what was there
  if (entries && second) {
    shown = null;
    stage.compare({ ...entries[0], label: entries[0].rung }, { ...second[0], label: second[0].rung });
    return say("Move the line to compare. Times are of drawing, with loading where a rung was new.");
  }
  if (entries.length === 1) return show(entries[0]);
  entries.forEach((entry, i) => stage.show(i, entry.blob, entry.settings.prompt));
  say(`${entries.length} pictures · ${about(entries[0])}`);
}

function cancel() {
  drawing?.stop.abort();  // the server notices, and stops within a step
}

async function takeFile(file) {
  if (!file || drawing) return;
  try {
    const found = await api.settingsOf(file);
    if (!found.infotext) {
      await form.startFrom(file);
      return say("This picture has no settings in it. Drawing starts from it now.");
    }
    form.fromPicture(found);
    shown = null;
    stage.one(file, found.prompt);
    say("These are its settings. Draw to draw it again.");
  } catch (error) { say(error.message, true); }
}

function takeDropped(event) {
  const file = event.dataTransfer.files[0];
  if (file && event.target.closest?.("#form")) return form.startFrom(file);
  return takeFile(file);
}

function onKey(event) {
  if (document.querySelector("dialog[open]")) return;
  const typing = event.target.matches?.("input, textarea, select");
  if (event.key === "Escape") return cancel();
  if (event.key === "Enter" && event.target.matches?.("#prompt, #negative") && !event.shiftKey && !event.isComposing) { event.preventDefault(); return draw(); }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") { event.preventDefault(); $("#prompt").focus(); }
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const next = step && (shown ? gallery.neighbour(shown, step) : gallery.entries[0]);
  if (next) show(next);
}

function wire() {
  $("#form").addEventListener("submit", (event) => { event.preventDefault(); draw(); });
  $("#cancel").addEventListener("click", cancel);
  $("#reuse").addEventListener("click", async () => {
    await form.startFrom(shown.files.init_image ?? null, shown.files.mask);
    form.replace(shown.settings);
    $("#prompt").focus();
    say("Settings taken over.");
  });
  $("#start-from").addEventListener("click", async () => { await form.startFrom(shown.blob); $("#prompt").focus(); say("Drawing starts from this picture now."); });
  $("#remove").addEventListener("click", async () => show(await gallery.remove(shown)));
  document.addEventListener("keydown", onKey);
  $("#examples").append(...examples.map((text) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    button.addEventListener("click", () => { form.fill({ prompt: text }); draw(); });
    return button;
  }));
  const dropping = (on) => $("#stage").classList.toggle("dropping", on);
  document.addEventListener("dragover", (event) => { event.preventDefault(); dropping(true); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) dropping(false); });
  document.addEventListener("drop", (event) => { event.preventDefault(); dropping(false); takeDropped(event); });
  document.addEventListener("paste", (event) => takeFile(event.clipboardData.files[0]));
}

if (matchMedia("(max-width: 820px)").matches) $("#more").open = false;
try {
  form = new Form(await api.choices(), say);
  wire();
  await gallery.load();
} catch (error) { say(error.message, true); }
