"""Drives the page in headless Chromium like a person. Arguments: the program, and optionally a folder for screenshots."""

import pathlib
import shutil
import sys
import tempfile
import time
import urllib.request

from serving import need, server

(sync_api,) = need("playwright.sync_api")
chromium = shutil.which("chromium")
if not chromium:
    print("skipped: no chromium")
    sys.exit(77)
shots = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
expect = sync_api.expect
patience = 300000  # milliseconds: a busy machine draws slowly


def shoot(page, name):
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(shots / f"{name}.png"))


def field(page, name):
    return page.locator(f"[name={name}]").input_value()


def wait_until_warm(address):
    """Previews are learnt from pictures, of which the server draws the first for itself."""
    while b'hayate_stage_seconds_count{stage="denoise"}' not in urllib.request.urlopen(address + "/metrics").read():
        time.sleep(0.1)


def slide(page, slider, value):
    page.locator(slider).evaluate(f"e => {{ e.value = {value}; e.dispatchEvent(new Event('input', {{bubbles: true}})) }}")


def set_steps(page, steps):
    slide(page, "#steps", steps)


def draws_with_previews(page):
    page.keyboard.type("a lighthouse by the sea at sunset, vivid colors")  # the prompt has the focus
    page.locator("#seed").fill("7")
    page.locator("#prompt").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#pictures img.preview")).to_be_visible(timeout=patience)
    expect(page.locator("#message")).to_contain_text("Step", timeout=patience)
    shoot(page, "drawing")
    expect(page.locator("#tools")).to_be_visible(timeout=patience)
    expect(page.locator("#message")).to_contain_text("seed 7")
    assert page.locator("#pictures img").evaluate("i => i.naturalWidth") == 256
    assert page.locator("#gallery button").count() == 1


def cancels(page):
    set_steps(page, 60)
    page.locator("[name=width]").fill("512")
    page.locator("[name=height]").fill("512")
    page.locator("#draw").click()
    expect(page.locator("#cancel")).to_be_visible()
    expect(page.locator("#message")).to_contain_text("Step", timeout=patience)
    page.keyboard.press("Escape")
    expect(page.locator("#message")).to_have_text("Cancelled")
    expect(page.locator("#tools")).to_be_visible()  # of the picture that was there before
    page.wait_for_function("fetch('/health').then(r => r.json()).then(h => h.unfinished === 0)", timeout=30000)
    assert page.locator("#gallery button").count() == 1


def says_what_is_wrong(page):
    page.locator("#form").evaluate("form => { form.noValidate = true }")
    page.locator("[name=width]").fill("100")
    page.locator("#draw").click()
    expect(page.locator("#message.wrong")).to_contain_text("multiple of 8")
    expect(page.locator("#tools")).to_be_visible()
    shoot(page, "wrong")


def reuses(page):
    page.locator("#prompt").fill("something else")
    page.locator("#gallery button").first.click()
    page.locator("#reuse").click()
    assert field(page, "prompt").startswith("a lighthouse") and field(page, "seed") == "7" and field(page, "width") == "256", field(page, "width")
    assert field(page, "steps") == "30"


def drop(page, file):
    page.evaluate("""bytes => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], "dropped.png", {type: "image/png"}));
        document.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
    }""", list(file.read_bytes()))


def takes_a_dropped_picture(page, folder):
    with page.expect_download() as download:
        page.locator("#download").click()
    file = folder / "dropped.png"
    download.value.save_as(str(file))
    page.locator("#prompt").fill("something else")
    page.locator("#seed").fill("")
    drop(page, file)
    expect(page.locator("#message")).to_contain_text("These are its settings")
    assert field(page, "prompt").startswith("a lighthouse") and field(page, "seed") == "7"


def compares_rungs(page):
    set_steps(page, 4)
    page.locator("#rung").select_option("bf16")
    page.locator("#compare").select_option("fp32")
    page.locator("#draw").click()
    expect(page.locator("#comparison")).to_be_visible(timeout=patience)
    expect(page.locator("#left-tag")).to_contain_text("bf16")
    expect(page.locator("#right-tag")).to_contain_text("fp32")
    page.keyboard.press("ArrowRight")
    assert page.locator("#comparison").evaluate("e => e.style.getPropertyValue('--cut')") != "50%"
    shoot(page, "comparison")
    page.locator("#compare").select_option("")
    page.locator("#rung").select_option("")


def draws_several(page):
    page.locator("#seed").fill("11")
    page.locator("#count").fill("4")
    page.locator("#draw").click()
    expect(page.locator("#message")).to_contain_text("4 pictures", timeout=patience)
    assert page.locator("#pictures figure img").count() == 4
    shoot(page, "several")
    page.locator("#count").fill("1")


def draws_in_two_passes(page, folder):
    set_steps(page, 6)
    page.locator("#hires").fill("1.5")
    page.locator("#hires-upscaler").select_option("lanczos")
    slide(page, "#hires-strength", 0.5)
    page.locator("#seamless").select_option("both")
    slide(page, "#mimic", 3)
    page.locator("#draw").click()
    expect(page.locator("#tools")).to_be_visible(timeout=patience)
    assert page.locator("#pictures img").evaluate("i => i.naturalWidth") == 384
    shoot(page, "two-passes")
    with page.expect_download() as download:
        page.locator("#download").click()
    file = folder / "two-passes.png"
    download.value.save_as(str(file))
    wanted = {name: field(page, name) for name in ("hires", "hires_upscaler", "hires_strength", "seamless", "mimic_guidance", "width")}
    unset = {"hires": "", "seamless": "", "mimic_guidance": "0"}
    page.locator("#gallery button").nth(1).click()
    page.locator("#reuse").click()
    assert {name: field(page, name) for name in unset} == unset, "a picture without them leaves none"
    page.locator("#gallery button").first.click()
    page.locator("#reuse").click()
    assert {name: field(page, name) for name in wanted} == wanted
    page.locator("#gallery button").nth(1).click()
    page.locator("#reuse").click()
    drop(page, file)
    expect(page.locator("#message")).to_contain_text("These are its settings")
    assert {name: field(page, name) for name in wanted} == wanted
    page.locator("#gallery button").nth(1).click()
    page.locator("#reuse").click()


def starts_from_a_picture(page):
    page.locator("#start-from").click()
    expect(page.locator("#source-image")).to_be_visible()
    slide(page, "#strength", 0.5)
    page.locator("#prompt").fill("a castle in winter")
    page.locator("#draw").click()
    expect(page.locator("#tools")).to_be_visible(timeout=patience)
    shoot(page, "from-picture")
    page.locator("#no-source").click()
    expect(page.locator("#source")).to_be_hidden()
    page.locator("#gallery button").first.click()
    page.locator("#reuse").click()
    expect(page.locator("#source-image")).to_be_visible()
    assert field(page, "strength") == "0.5", field(page, "strength")
    page.locator("#no-source").click()
    page.locator("#source-file").set_input_files(files=[{"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"}])
    expect(page.locator("#message")).to_contain_text("no picture")
    expect(page.locator("#source")).to_be_hidden()


# The share of pixels that differ between the picture that was started from and the one that is shown, between two columns.
CHANGED = """async ([from, to]) => {
    const pixels = async (selector) => {
        const image = document.querySelector(selector), context = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d");
        await image.decode();
        context.drawImage(image, 0, 0);
        const left = Math.round(image.naturalWidth * from);
        return context.getImageData(left, 0, Math.round(image.naturalWidth * to) - left, image.naturalHeight).data;
    };
    const [before, after] = [await pixels("#source-image"), await pixels("#pictures img")];
    return before.length === after.length ? before.filter((v, i) => v !== after[i]).length / before.length : 1;
}"""


def stroke(page, points):
    box = page.locator("#mask").bounding_box()
    for i, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        if i == 0:
            page.mouse.down()
    page.mouse.up()


def painted(page):
    """The share of the picture that is painted."""
    return page.evaluate("""() => {
        const canvas = document.querySelector("#mask"), data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return data.filter((v, i) => i % 4 === 3 && v > 127).length / (data.length / 4);
    }""")


def paints_with_mouse_and_keys(page):
    page.locator("#gallery button").first.click()
    page.locator("#start-from").click()
    page.locator("#paint").click()
    expect(page.locator("#painter")).to_be_visible()
    stroke(page, [(0.1, 0.3), (0.15, 0.5), (0.1, 0.7)])
    once = painted(page)
    assert 0.04 < once < 0.2, once
    stroke(page, [(0.8, 0.8), (0.9, 0.9)])
    assert painted(page) > once
    page.keyboard.press("Control+z")
    assert abs(painted(page) - once) < 0.001
    page.keyboard.press("e")
    stroke(page, [(0.1, 0.3)])
    erased = painted(page)
    assert erased < once
    page.locator("#undo").click()
    page.locator("#erase").click()
    assert abs(painted(page) - once) < 0.001
    page.locator("#mask").focus()
    for key in ["[", "[", " ", *["ArrowRight"] * 8, " ", "ArrowDown"]:  # to where nothing is painted, wherever the brush was
        page.keyboard.press(key)
    assert painted(page) > once
    shoot(page, "painting")
    page.locator("#clear-mask").click()
    assert painted(page) == 0
    stroke(page, [(0.1, 0.3), (0.15, 0.5), (0.1, 0.7)])
    page.locator("#mask").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#painter")).to_be_hidden()
    expect(page.locator("#inpainting")).to_be_visible()


def draws_what_is_painted(page):
    set_steps(page, 12)
    slide(page, "#strength", 1)
    slide(page, "#mask-blur", 0)
    page.locator("#prompt").fill("a night neon city with a full moon")
    page.locator("#draw").click()
    expect(page.locator("#tools")).to_be_visible(timeout=patience)
    assert page.evaluate(CHANGED, [0, 0.25]) > 0.1, "nothing was drawn anew"
    assert page.evaluate(CHANGED, [0.5, 1]) == 0, "what was not painted has changed"
    shoot(page, "inpainted")
    page.locator("#mask-area").check()
    page.locator("#draw").click()
    expect(page.locator("#tools")).to_be_visible(timeout=patience)
    assert page.evaluate(CHANGED, [0.5, 1]) == 0, "what was not painted has changed"
    before = painted(page)
    page.locator("#no-source").click()
    expect(page.locator("#source")).to_be_hidden()
    page.locator("#gallery button").first.click()
    page.locator("#reuse").click()
    expect(page.locator("#inpainting")).to_be_visible()
    assert abs(painted(page) - before) < 0.001 and page.locator("#mask-area").is_checked()
    page.locator("#no-source").click()


def keeps_its_gallery_and_settings(page):
    count, kept = page.locator("#gallery button").count(), {name: field(page, name) for name in ("prompt", "steps", "seed", "guidance_scale")}
    assert kept["prompt"] and kept["steps"] != "30", kept
    page.reload()
    expect(page.locator("#gallery button")).to_have_count(count)
    assert {name: field(page, name) for name in kept} == kept
    page.locator("body").click(position={"x": 700, "y": 200})
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tools")).to_be_visible()
    page.locator("#remove").click()
    expect(page.locator("#gallery button")).to_have_count(count - 1)


def looks(browser, address):
    for theme in ("light", "dark"):
        for name, size in (("desktop", (1280, 800)), ("phone", (390, 844))):
            context = browser.new_context(color_scheme=theme, viewport={"width": size[0], "height": size[1]}, has_touch=name == "phone", device_scale_factor=2 if name == "phone" else 1)
            page = context.new_page()
            page.goto(address)
            expect(page.locator("#examples button")).to_have_count(4)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
            shoot(page, f"{name}-{theme}-empty")
            set_steps(page, 12)
            page.locator("#examples button").first.click()
            expect(page.locator("#tools")).to_be_visible(timeout=patience)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
            shoot(page, f"{name}-{theme}-picture")
            page.locator("#start-from").click()
            page.locator("#paint").click()
            box = page.locator("#mask").bounding_box()
            at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            page.touchscreen.tap(*at) if name == "phone" else page.mouse.click(*at)
            assert painted(page) > 0.005
            shoot(page, f"{name}-{theme}-painting")
            page.locator("#painter .main").click()
            page.locator("#source").scroll_into_view_if_needed()
            shoot(page, f"{name}-{theme}-source")
            context.close()


def asks_for_a_key(browser, program, folder):
    keys = folder / "keys"
    keys.write_text("0123456789abcdef\n")
    with server(program, "--key-file", str(keys)) as (address, _):
        page = browser.new_page()
        page.goto(address)
        expect(page.locator("#key-dialog")).to_be_visible()
        page.locator("#key").fill("0123456789abcdef")
        page.keyboard.press("Enter")
        expect(page.locator("#examples button")).to_have_count(4)
        page.close()


with server(sys.argv[1]) as (address, process), sync_api.sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
    wait_until_warm(address)
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_navigation_timeout(patience)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(address)
    draws_with_previews(page)
    cancels(page)
    reuses(page)
    takes_a_dropped_picture(page, pathlib.Path(folder))
    compares_rungs(page)
    draws_several(page)
    draws_in_two_passes(page, pathlib.Path(folder))
    page.locator("#gallery button").first.click()
    starts_from_a_picture(page)
    paints_with_mouse_and_keys(page)
    draws_what_is_painted(page)
    keeps_its_gallery_and_settings(page)
    assert not problems, problems
    says_what_is_wrong(page)  # which the browser's console reports too
    looks(browser, address)
    asks_for_a_key(browser, sys.argv[1], pathlib.Path(folder))
    browser.close()
print("page: ok")
