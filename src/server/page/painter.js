// Painting over the picture that drawing starts from: what is painted is drawn anew. With mouse, pen, finger or keys.

const $ = (selector) => document.querySelector(selector);
const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Painter {
  // `changed` is called when the dialog closes, and after clear().
  constructor(changed) {
    this.dialog = $("#painter");
    this.canvas = $("#mask");
    this.changed = changed;
    this.clear(1, 1);
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => { this.stroke = null; });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("blur", () => this.lift());
    $("#brush-size").addEventListener("input", () => this.showBrush());
    $("#erase").addEventListener("click", () => this.erase(!this.erasing));
    $("#undo").addEventListener("click", () => this.undo());
    $("#clear-mask").addEventListener("click", () => { this.base = null; this.strokes = []; this.redraw(); });
    this.dialog.addEventListener("close", () => { this.lift(); this.look(); this.changed(); });
    this.dialog.addEventListener("keydown", (event) => { if (event.key === "z" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); this.undo(); } });
  }

  // Nothing painted, on a picture of this size.
  clear(width, height) {
    Object.assign(this.canvas, { width, height });
    Object.assign(this, { base: null, strokes: [], stroke: null, empty: true, at: [width / 2, height / 2] });
    this.erase(false);
  }

  // What mask() has given, or null: its white becomes opaque, its black transparent.
  async take(blob) {
    this.base = null;
    if (blob) {
      const { width, height } = this.canvas, painted = new OffscreenCanvas(width, height), context = painted.getContext("2d");
      context.drawImage(await createImageBitmap(blob), 0, 0, width, height);
      const pixels = context.getImageData(0, 0, width, height);
      for (let i = 0; i < pixels.data.length; i += 4) pixels.data[i + 3] = pixels.data[i];
      context.putImageData(pixels, 0, 0);
      this.base = painted;
    }
    this.redraw();
    this.look();
  }

  open(image) {
    $("#painted").src = image.src;
    this.dialog.style.setProperty("--ratio", `${this.canvas.width} / ${this.canvas.height}`);
    this.dialog.style.setProperty("--shape", this.canvas.width / this.canvas.height);
    this.dialog.showModal();
    this.canvas.focus({ focusVisible: false });
    this.showBrush();
  }

  get radius() { return (Number($("#brush-size").value) / 200) * Math.max(this.canvas.width, this.canvas.height); }

  erase(on) {
    this.erasing = on;
    $("#erase").setAttribute("aria-pressed", String(on));
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.canvas.width, ((event.clientY - box.top) / box.height) * this.canvas.height];
  }

  down(event) {
    if (event.button !== 0) return;
    this.lift();
    this.canvas.setPointerCapture(event.pointerId);
    this.begin(this.place(event));
  }

  move(event) {
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.go(this.place(each));
  }

  key(event) {
    const arrow = arrows[event.key], step = Math.max(this.canvas.width, this.canvas.height) / (event.shiftKey ? 100 : 25);
    if (arrow) this.go([0, 1].map((i) => Math.min(Math.max(this.at[i] + arrow[i] * step, 0), i ? this.canvas.height : this.canvas.width)));
    else if (event.key === " ") this.stroke ? this.lift() : this.begin(this.at);
    else if (event.key === "e") this.erase(!this.erasing);
    else if (event.key === "[" || event.key === "]") { $("#brush-size").valueAsNumber += event.key === "[" ? -2 : 2; this.showBrush(); }
    else if (event.key === "Enter") this.dialog.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  begin(at) {
    this.stroke = { erases: this.erasing, radius: this.radius, points: [at] };
    this.strokes.push(this.stroke);
    this.go(at);
  }

  go(at) {
    this.at = at;
    this.showBrush();
    if (!this.stroke) return;
    this.stroke.points.push(at);
    this.draw(this.stroke, this.stroke.points.length - 2);
    this.showTools();
  }

  lift() {
    this.stroke = null;
    this.showBrush();
  }

  undo() {
    this.stroke = null;
    if (!this.strokes.pop()) this.base = null;
    this.redraw();
  }

  redraw() {
    const context = this.canvas.getContext("2d");
    context.globalCompositeOperation = "source-over";
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.base) context.drawImage(this.base, 0, 0);
    for (const stroke of this.strokes) this.draw(stroke);
    this.showTools();
  }

  draw({ erases, radius, points }, from = 0) {
    const context = this.canvas.getContext("2d");
    context.globalCompositeOperation = erases ? "destination-out" : "source-over";
    Object.assign(context, { lineCap: "round", lineJoin: "round", lineWidth: radius * 2, strokeStyle: "#e5487d" });
    context.beginPath();
    for (const [x, y] of points.slice(from)) context.lineTo(x, y), context.lineTo(x + 0.01, y);  // a line of no length would draw nothing
    context.stroke();
  }

  // Whether anything is painted.
  look() {
    const { data } = this.canvas.getContext("2d").getImageData(0, 0, this.canvas.width, this.canvas.height);
    this.empty = true;
    for (let i = 3; this.empty && i < data.length; i += 4) this.empty = data[i] < 128;
  }

  showTools() { $("#undo").disabled = $("#clear-mask").disabled = !this.base && !this.strokes.length; }

  showBrush() {
    const brush = $("#brush"), { width, height } = this.canvas;
    brush.classList.toggle("down", Boolean(this.stroke));
    brush.style.left = `${(this.at[0] / width) * 100}%`;
    brush.style.top = `${(this.at[1] / height) * 100}%`;
    brush.style.width = `${((this.radius * 2) / width) * 100}%`;
  }

  // A PNG of the picture's size, white where it is painted and black elsewhere; null if nothing is.
  async mask() {
    if (this.empty) return null;
    const { width, height } = this.canvas, result = new OffscreenCanvas(width, height), context = result.getContext("2d");
    context.drawImage(this.canvas, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    return result.convertToBlob();
  }
}
