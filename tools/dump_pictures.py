#!/usr/bin/env python3
"""Makes tests/data/pictures again: small pictures of every kind that read_image meets, as Pillow, AUTOMATIC1111 (through piexif) and
the formats' rules write them, and expected.json with their pixels. Needs tools/requirements.txt.

  dump_pictures.py FOLDER
"""
import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import piexif
import piexif.helper
from PIL import Image, ImageOps

INFOTEXT = 'a castle, "by night"\nin 疾風 🏰 café\nNegative prompt: fog\nSteps: 30, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 5x3'
RANDOM = np.random.default_rng(3)
RGB = RANDOM.integers(0, 256, (3, 5, 3), np.uint8)
ALPHA = RANDOM.integers(0, 256, (3, 5, 1), np.uint8)
SMOOTH = np.stack([*np.meshgrid(np.arange(40, 200, 10), np.arange(60, 220, 20)), np.full((8, 16), 90)], -1).astype(np.uint8)


def over_white(rgba):
    rgb, a = rgba[..., :3].astype(int), rgba[..., 3:].astype(int)
    return (rgb * a + 255 * (255 - a) + 127) // 255


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, bits, color, interlaced, data, before=b"", after=b""):
    """A PNG of unfiltered rows, for what Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, interlaced)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(data)) + after + chunk(b"IEND", b""))


def rows(pixels):
    return b"".join(b"\0" + row.tobytes() for row in pixels)


def interlaced(pixels):
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    parts = (pixels[y::dy, x::dx] for y, x, dy, dx in passes)
    return b"".join(rows(part) for part in parts if part.size)


class Folder:
    def __init__(self, path):
        self.path, self.expected = path, {}

    def add(self, name, pixels, infotext="", tolerance=0):
        """`pixels` (height, width, 3), or 4 with opacity, or the reason why the file is refused."""
        opacity = [] if isinstance(pixels, str) or pixels.shape[-1] == 3 else pixels[..., 3].ravel().tolist()
        if opacity:
            pixels = over_white(pixels)
        entry = {"refused": pixels} if isinstance(pixels, str) else {
            "width": pixels.shape[1], "height": pixels.shape[0], "rgb": np.asarray(pixels).ravel().tolist(), "tolerance": tolerance,
            "infotext": infotext, "opacity": opacity}
        self.expected[name] = entry

    def save(self, name, image, pixels, infotext="", tolerance=0, **options):
        image.save(self.path / name, **options)
        self.add(name, pixels, infotext, tolerance)

    def write(self, name, data, pixels, infotext=""):
        (self.path / name).write_bytes(data)
        self.add(name, pixels, infotext)


def main():
    folder = Folder(Path(sys.argv[1]))
    image, smooth = Image.fromarray(RGB), Image.fromarray(SMOOTH)
    rgba = np.concatenate([RGB, ALPHA], -1)
    gray = RGB[..., :1].repeat(3, -1)

    folder.save("rgb.png", image, RGB)
    folder.save("rgba.png", Image.fromarray(rgba), rgba)
    folder.save("gray.png", Image.fromarray(gray[..., 0]), gray)
    gray_alpha = np.concatenate([gray, ALPHA], -1)
    folder.save("gray_alpha.png", Image.fromarray(gray_alpha[..., 2:]), gray_alpha)
    bits = (RGB[..., :1] > 127).repeat(3, -1) * np.uint8(255)
    folder.save("bits.png", Image.fromarray(bits[..., 0]).convert("1"), bits)
    palette = image.quantize(8)
    folder.save("palette.png", palette, np.asarray(palette.convert("RGB")))
    with_hole = np.asarray(palette.convert("RGBA")).copy()
    with_hole[np.asarray(palette) == 2, 3] = 0
    folder.save("palette_transparent.png", palette, with_hole, transparency=2)
    folder.write("rgb16.png", png(5, 3, 16, 2, 0, rows((RGB.astype(np.uint16) * 257).astype(">u2"))), RGB)
    folder.write("interlaced.png", png(5, 3, 8, 2, 1, interlaced(RGB)), RGB)
    text = b"parameters\0\0" + zlib.compress("caf\xe9".encode("latin-1"))
    folder.write("text_after_pixels.png", png(5, 3, 8, 2, 0, rows(RGB), after=chunk(b"zTXt", text)), RGB, "café")
    bomb = b"parameters\0\0" + zlib.compress(b"x" * (9 << 20), 9)
    folder.write("text_bomb.png", png(5, 3, 8, 2, 0, rows(RGB), before=chunk(b"zTXt", bomb)), RGB)
    folder.write("huge.png", png(60000, 60000, 8, 2, 0, rows(RGB)), "60000x60000")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        name = f"orientation{orientation}.png"
        image.save(folder.path / name, exif=exif)
        with Image.open(folder.path / name) as written:
            folder.add(name, np.asarray(ImageOps.exif_transpose(written)))
    Image.fromarray(rgba).save(folder.path / "turned_alpha.png", exif=exif)
    folder.add("turned_alpha.png", np.asarray(ImageOps.exif_transpose(Image.open(folder.path / "turned_alpha.png"))))
    folder.save("opaque_alpha.png", Image.fromarray(np.concatenate([RGB, 0 * ALPHA + 255], -1)), RGB)

    comment = piexif.helper.UserComment.dump(INFOTEXT, encoding="unicode")
    exif = piexif.dump({"Exif": {piexif.ExifIFD.UserComment: comment}})
    turned = piexif.dump({"0th": {piexif.ImageIFD.Orientation: 6}})
    best = {"quality": 100, "subsampling": 0}
    folder.save("smooth.jpg", smooth, SMOOTH, tolerance=3, **best)
    folder.save("gray.jpg", Image.fromarray(SMOOTH[..., 0]), SMOOTH[..., :1].repeat(3, -1), tolerance=3, **best)
    folder.save("progressive.jpg", smooth, SMOOTH, tolerance=3, progressive=True, **best)
    folder.save("infotext.jpg", smooth, SMOOTH, INFOTEXT, tolerance=3, exif=exif, **best)
    folder.save("turned.jpg", smooth, np.rot90(SMOOTH, -1), tolerance=3, exif=turned, **best)
    folder.save("cmyk.jpg", smooth.convert("CMYK"), "CMYK")

    folder.save("lossless.webp", image, RGB, lossless=True)
    folder.save("lossy.webp", smooth, SMOOTH, tolerance=12, quality=100)
    # Fully transparent pixels come out as any colour: over white they are white.
    folder.save("alpha.webp", Image.fromarray(rgba), rgba, lossless=True)
    folder.save("animated.webp", image, "animated", save_all=True, append_images=[Image.fromarray(255 - RGB)])
    folder.save("infotext.webp", image, RGB, INFOTEXT, lossless=True)
    piexif.insert(exif, str(folder.path / "infotext.webp"))
    (folder.path / "expected.json").write_text(json.dumps(folder.expected, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
