// Where pictures appear: while they are drawn, when they are done, or two side by side under a slider.

const $ = (selector) => document.querySelector(selector);

export class Stage {
  constructor() {
    this.urls = [];
    $("#slider").addEventListener("input", (event) => $("#comparison").style.setProperty("--cut", `${event.target.value}%`));
    new ResizeObserver(() => this.fit()).observe($("#stage"));
  }

  // As large as the stage allows, and not much larger than it is.
  fit() {
    if (!this.size) return;
    const box = getComputedStyle($("#stage")), { width, height } = this.size, count = this.size.count;
    const columns = Math.ceil(Math.sqrt(count)), rows = Math.ceil(count / columns), gap = 12;
    const room = $("#stage").clientWidth - parseFloat(box.paddingLeft) * 2 - gap * (columns - 1), tall = $("#stage").clientHeight - parseFloat(box.paddingTop) * 2 - gap * (rows - 1);
    const w = Math.max(40, Math.min(room / columns, (tall / rows) * (width / height), Math.max(width * 2, 512)));
    for (const element of [$("#pictures"), $("#comparison")]) {
      element.style.setProperty("--w", `${w}px`);
      element.style.setProperty("--ratio", `${width} / ${height}`);
    }
    $("#pictures").style.gridTemplateColumns = `repeat(${columns}, auto)`;
  }

  begin(width, height, count) {
    this.clear();
    this.size = { width, height, count };
    for (let i = 0; i < count; ++i) {
      const figure = document.createElement("figure");
      figure.className = "empty";
      $("#pictures").append(figure);
    }
    this.fit();
  }

  // A preview has an eighth of the picture's pixels along each side, and an early one little that is sure, so it is blurred; it becomes sharp as it becomes a picture.
  preview(index, source, progress) {
    const image = this.image(index);
    image.className = "preview";
    image.style.filter = `blur(${(3 + 8 * (1 - progress) ** 2).toFixed(1)}px)`;
    image.src = source;
  }

  show(index, blob, alt) {
    const image = this.image(index);
    image.className = "";
    image.style.filter = "";
    image.alt = alt;
    image.src = this.url(blob);
  }

  one(blob, alt) {
    const image = new Image();
    image.onload = () => {
      this.begin(image.naturalWidth, image.naturalHeight, 1);
      this.show(0, blob, alt);
    };
    image.src = URL.createObjectURL(blob);
  }

  compare(left, right) {
    const { width, height } = this.size;
    this.clear();
    this.size = { width, height, count: 1 };
    for (const [side, picture] of [["left", left], ["right", right]]) {
      $(`#${side}`).src = this.url(picture.blob);
      $(`#${side}`).alt = `${picture.label}: ${picture.settings.prompt}`;
      $(`#${side}-tag`).textContent = `${picture.label} · ${picture.seconds.toFixed(1)} s`;
    }
    $("#comparison").hidden = false;
    this.fit();
    $("#slider").focus({ focusVisible: false });
  }

  welcome() {
    this.clear();
    this.size = null;
    $("#welcome").hidden = false;
  }

  clear() {
    $("#welcome").hidden = true;
    $("#comparison").hidden = true;
    $("#pictures").replaceChildren();
    for (const url of this.urls.splice(0)) URL.revokeObjectURL(url);
  }

  image(index) {
    const figure = $("#pictures").children[index];
    figure.className = "";
    if (!figure.firstChild) figure.append(new Image());
    return figure.firstChild;
  }

  url(blob) {
    this.urls.push(URL.createObjectURL(blob));
    return this.urls.at(-1);
  }
}
