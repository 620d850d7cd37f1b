"""The prompt syntaxes of AUTOMATIC1111's web UI and of ComfyUI: prompts to chunks of weighted tokens, chunks to conditioning."""
import math
import re

import torch
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

CHUNK = 75  # tokens beside BOS and EOS
COMMA_REACH = 20
SHORT_TEXT = 8


# --- AUTOMATIC1111 ---

A1111_TOKEN = re.compile(r"\\(?P<escaped>[()\[\]\\])?|:\s*(?P<weight>[+-]?[.\d]+)\s*\)|(?P<bracket>[()\[\]])|(?P<text>[^\\()\[\]:]+|:)")
BREAK = ("BREAK", -1.0)


def parse_a1111(prompt):
    """-> [(text, weight)]"""
    texts, opened = [], {"(": [], "[": []}

    def close(bracket, factor):
        for i in range(opened[bracket].pop(), len(texts)):
            texts[i] = (texts[i][0], texts[i][1] * factor)

    def plain(text):
        first, *others = re.split(r"\s*\bBREAK\b\s*", text)
        texts.append((first, 1.0))
        for other in others:
            texts.extend([BREAK, (other, 1.0)])

    for token in A1111_TOKEN.finditer(prompt):
        kind, whole = token.lastgroup, token.group()
        if kind in (None, "escaped"):
            texts.append((token["escaped"] or "", 1.0))
        elif kind == "weight" and opened["("]:
            close("(", float(token["weight"]))
        elif whole in opened:
            opened[whole].append(len(texts))
        elif whole == ")" and opened["("]:
            close("(", 1.1)
        elif whole == "]" and opened["["]:
            close("[", 1 / 1.1)
        else:
            plain(whole)
    for bracket, factor in (("(", 1.1), ("[", 1 / 1.1)):
        for start in opened[bracket]:
            texts[start:] = [(text, weight * factor) for text, weight in texts[start:]]

    merged = []
    for text, weight in texts:
        if merged and merged[-1][1] == weight:
            merged[-1] = (merged[-1][0] + text, weight)
        else:
            merged.append((text, weight))
    return merged or [("", 1.0)]


def chunk_a1111(prompt, tokenizer):
    """-> [[(id, weight)] of 77]"""
    comma = tokenizer.get_vocab().get(",</w>")
    chunks, current, last_comma = [], [], None

    def finish(tokens):
        nonlocal last_comma
        padded = tokens + [(tokenizer.eos_token_id, 1.0)] * (CHUNK - len(tokens))
        chunks.append([(tokenizer.bos_token_id, 1.0), *padded, (tokenizer.eos_token_id, 1.0)])
        last_comma = None

    for text, weight in parse_a1111(prompt):
        if (text, weight) == BREAK:
            finish(current)
            current = []
            continue
        for token in ids_of(tokenizer, text):
            if token == comma:
                last_comma = len(current)
            elif len(current) == CHUNK and last_comma is not None and CHUNK - last_comma <= COMMA_REACH:
                kept, current = current[:last_comma + 1], current[last_comma + 1:]
                finish(kept)
            if len(current) == CHUNK:
                finish(current)
                current = []
            current.append((token, weight))
    if current or not chunks:
        finish(current)
    if tokenizer.pad_token_id != tokenizer.eos_token_id:
        for chunk in chunks:
            end = [token for token, _ in chunk].index(tokenizer.eos_token_id)
            chunk[end + 1:] = [(tokenizer.pad_token_id, weight) for _, weight in chunk[end + 1:]]
    return chunks


# --- ComfyUI ---

def parse_comfy(prompt):
    hidden = prompt.replace("\\(", "\ue000").replace("\\)", "\ue001")
    return [(text.replace("\ue000", "(").replace("\ue001", ")"), weight) for text, weight in weigh(hidden, 1.0)]


def weigh(text, around):
    for part in outer_groups(text):
        if len(part) < 2 or part[0] != "(" or part[-1] != ")":
            yield part, around
            continue
        inside, weight = part[1:-1], around * 1.1
        before, colon, number = inside.rpartition(":")
        if colon and before:
            try:
                inside, weight = before, float(number)
            except ValueError:
                inside, weight = part[1:-1], around * 1.1
        yield from weigh(inside, weight)


def outer_groups(text):
    depth, part = 0, ""
    for character in text:
        if character == "(":
            if depth == 0 and part:
                yield part
                part = ""
            depth += 1
        part += character
        if character == ")":
            depth -= 1
            if depth == 0:
                yield part
                part = ""
    if part:
        yield part


def chunk_comfy(prompt, tokenizer):
    chunks, current = [], []

    def finish():
        ids = [(tokenizer.bos_token_id, 1.0), *current, (tokenizer.eos_token_id, 1.0)]
        chunks.append(ids + [(tokenizer.pad_token_id, 1.0)] * (CHUNK + 2 - len(ids)))
        current.clear()

    for text, weight in parse_comfy(prompt):
        group = [(token, weight) for token in ids_of(tokenizer, text)]
        may_cut = len(group) >= SHORT_TEXT
        while len(current) + len(group) > CHUNK:
            fits = CHUNK - len(current) if may_cut else 0
            current += group[:fits]
            group = group[fits:]
            finish()
        current += group
    finish()
    return chunks


# --- conditioning ---

def ids_of(tokenizer, text):
    return tokenizer(text, add_special_tokens=False).input_ids if text else []


def empty_ids(tokenizer):
    return [tokenizer.bos_token_id, tokenizer.eos_token_id] + [tokenizer.pad_token_id] * CHUNK


class Encoder:
    def __init__(self, folder, suffix, is_xl):
        kind = CLIPTextModelWithProjection if suffix else CLIPTextModel
        self.model = kind.from_pretrained(folder / f"text_encoder{suffix}", dtype=torch.float32)
        self.tokenizer = CLIPTokenizer.from_pretrained(folder / f"tokenizer{suffix}")
        self.is_xl = is_xl

    def states(self, ids):
        """-> (77, width), pooled or None"""
        with torch.no_grad():
            out = self.model(torch.tensor([ids]), output_hidden_states=True)
        return (out.hidden_states[-2] if self.is_xl else out.last_hidden_state)[0], getattr(out, "text_embeds", None)

    def a1111(self, chunks):
        """-> one (77, width) a chunk, pooled"""
        states, pooled = [], []
        for chunk in chunks:
            z, p = self.states([token for token, _ in chunk])
            mean = z.mean()
            z = z * torch.tensor([weight for _, weight in chunk])[:, None]
            states.append(z * (mean / z.mean()))
            pooled.append(p)
        return states, pooled[0]

    def comfy(self, chunks):
        empty, _ = self.states(empty_ids(self.tokenizer))
        states, pooled = [], []
        for chunk in chunks:
            z, p = self.states([token for token, _ in chunk])
            weights = torch.tensor([weight for _, weight in chunk])[:, None]
            states.append(torch.where(weights == 1, z, (z - empty) * weights + empty))
            pooled.append(p)
        return states, pooled[0]


def condition(folder, syntax, prompt, negative):
    """-> (2, tokens, width) with the negative prompt first, (2, pooled width) or None"""
    is_xl = (folder / "text_encoder_2").is_dir()
    encoders = [Encoder(folder, suffix, is_xl) for suffix in (["", "_2"] if is_xl else [""])]
    chunk = {"a1111": chunk_a1111, "comfy": chunk_comfy}[syntax]
    zeros = syntax == "a1111" and is_xl and not negative
    chunks = [[chunk(text, encoder.tokenizer) for encoder in encoders] for text in (negative, prompt)]
    counts = [max(len(c) for c in half) for half in chunks]
    length = math.lcm(*counts) if syntax == "comfy" else max(counts)
    halves, pooled = [], []
    for half in chunks:
        columns = []
        for encoder, own in zip(encoders, half):
            if syntax == "comfy":
                own = own * (length // len(own))
            else:
                own = own + [[(token, 1.0) for token in empty_ids(encoder.tokenizer)]] * (length - len(own))
            states, pool = getattr(encoder, syntax)(own)
            columns.append(torch.cat(states))
        halves.append(torch.cat(columns, dim=-1))
        pooled.append(pool)
    if zeros:
        halves[0] = torch.zeros_like(halves[0])
        pooled[0] = torch.zeros_like(pooled[0])
    return torch.stack(halves), torch.cat(pooled) if is_xl else None
