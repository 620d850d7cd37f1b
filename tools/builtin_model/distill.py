"""Distils the published model into two LoRAs of few steps without guidance, on one GPU: builtin-lcm.safetensors and, from it, builtin-turbo.safetensors."""

import argparse
import copy
import time
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from transformers import CLIPTokenizer

from clock import Clock, rate
from diffusion import random_times, signal_and_noise, weight_of
from examination import Examination
from export import part_of, state_of
from graphs import Gradients
from lora import Lora
from muon import Average, Optimizer
from networks import TextEncoders, build_unet
from trajectories import Teacher, Trajectories

MODELS = Path(__file__).parents[2] / "models"
USES = 4  # of each lesson, on average
FIRST_DRAWS = 16
HUBER = .05  # where the distance turns from a square into a line: about the noise that the VAE learnt to overlook
ANCHOR = .2  # weight of the teacher's own answers beside distribution matching: they keep the student from drawing fewer kinds of pictures
FAKE_UPDATES = 2  # for each of the student
FAKE_FIRST = .12  # of the second training, in which only the fake learns
TELL_EVERY, SAVE_EVERY = 20, 60  # seconds
LEAST, SCORE_SECONDS = 20, 30  # seconds of a training; seconds to keep for the scores of one LoRA
SAMPLINGS = [("lcm", 4), ("lcm", 1), ("lcm", 2), ("lcm", 8), ("euler", 4), ("euler", 2)]  # the most wanted first


def distance(x, y):
    """Pseudo-Huber: like the absolute difference it asks for one of several likely answers, not for their mean, which is a blur."""
    return ((x - y).square() + HUBER ** 2).sqrt().mean() - HUBER


class Student:
    """A LoRA in training with its optimizer, and its average, which is what draws and what is saved."""

    def __init__(self, lora, lr):
        self.lora, self.parameters = lora, list(lora.parameters())
        self.optimizer = Optimizer(lora.named_parameters(), 0., lr, plain=("",))  # Adam for all
        self.average = Average(self.parameters, .995)

    @contextmanager
    def averaged(self):
        self.average.swap()
        yield self.lora
        self.average.swap()

    def update(self, scale):
        self.optimizer.step(scale)
        self.average.update()


class Regression:
    """For LCM: the student's answer at each timestep is to be where the teacher ends."""

    tells = ("distance",)

    def __init__(self, teacher, student, generator, graphed):
        self.teacher, self.student = teacher, student
        self.gradients = Gradients("regression", self.loss, student.parameters, graphed)

    def loss(self, x, end, times, ids_one, ids_two):
        far = distance(self.teacher.clean(self.student.lora.weights(), x, times, *self.teacher.text(ids_one, ids_two)), end)
        return far, far.detach()

    def step(self, lessons, scale, progress):
        told = self.gradients(*lessons)
        self.student.update(scale)
        return told


class Matching:
    """For Turbo: each of the student's pictures is to be a likely one of the teacher's, not the mean of several (distribution matching distillation,
    arXiv 2311.18828, 2405.14867). A second UNet, the fake, learns to denoise the student's pictures. Where it and the guided teacher see different
    clean latents in the same noisy ones, the student moves to where the teacher's are."""

    tells = ("distance", "direction", "fake")

    def __init__(self, teacher, student, generator, graphed):
        self.teacher, self.student, self.generator, self.steps = teacher, student, generator, 0
        self.fake = {name: w.clone().requires_grad_() for name, w in teacher.weights.items()}
        self.fake_optimizer = Optimizer(self.fake.items(), .004, .0004, plain=("conv_in", "conv_out"))
        self.gradients = Gradients("matching", self.loss, student.parameters, graphed)
        self.fake_gradients = Gradients("fake", self.fake_loss, list(self.fake.values()), graphed)

    def loss(self, x, end, times, ids_one, ids_two, noisy_times, noise):
        text = self.teacher.text(ids_one, ids_two)
        clean = self.teacher.clean(self.student.lora.weights(), x, times, *text)
        far = distance(clean, end)
        with torch.no_grad():
            a, s = signal_and_noise(self.teacher.tables, noisy_times)
            noisy = a * clean + s * noise
            real = self.teacher.guided(noisy, noisy_times, *text)
            fake = self.teacher.clean({name: w.detach() for name, w in self.fake.items()}, noisy, noisy_times, *text)
            direction = (fake - real) / (clean - real).abs().mean((1, 2, 3), keepdim=True).clamp(min=.01)
        return (direction * clean).mean() + ANCHOR * far, far.detach(), direction.abs().mean(), clean.detach()

    def fake_loss(self, latents, ids_one, ids_two, times, noise):
        a, s = signal_and_noise(self.teacher.tables, times)
        clean = self.teacher.clean(self.fake, a * latents + s * noise, times, *self.teacher.text(ids_one, ids_two))
        error = (weight_of(a, s) * ((clean - latents) / s).square()).mean()  # of v
        return error, error.detach()

    def noise_for(self, latents):
        noise = torch.randn(latents.shape, generator=self.generator, device=latents.device)
        return random_times(len(latents), self.generator).clamp(20, 980), noise

    def step(self, lessons, scale, progress):
        far, direction, clean = self.gradients(*lessons, *self.noise_for(lessons[0]))
        told, clean = [far.clone(), direction.clone()], clean.clone()  # of the graph's memory, which the fake's may use
        if progress > FAKE_FIRST:
            self.student.update(scale)
        for _ in range(FAKE_UPDATES):
            error, = self.fake_gradients(clean, *lessons[3:], *self.noise_for(clean))
            self.fake_optimizer.step(rate(self.steps, 0., 20, 0.))
            self.steps += 1
        return *told, error


def train(name, training, student, pool, args, until):
    """Trains until that Unix time; saves the averaged LoRA."""
    clock, path = Clock(max(1., until - time.time())), args.out / f"{name}.safetensors"
    step, owed, sums, told, saved = 0, 0., torch.zeros(len(training.tells) + 1, device=args.device), time.time(), time.time()

    def draw():
        with student.averaged() as lora, torch.no_grad():
            pool.draw(lora.weights())

    def save():
        with student.averaged() as lora:
            lora.save(path)

    while pool.drawn < 2 * args.batch * FIRST_DRAWS and (not pool.drawn or clock.progress() < .2):
        draw()
    while (progress := clock.progress()) < 1:
        sums += torch.stack([*training.step(pool.batch(args.batch), rate(step, progress, 100, .3), progress), torch.ones((), device=args.device)])
        step, owed = step + 1, owed + args.batch / USES
        if owed >= 2 * args.batch:
            owed -= 2 * args.batch
            draw()
            sums.tolist()  # waits: the clock is not to run ahead of the GPU
        if time.time() - told > TELL_EVERY:
            *means, count = sums.tolist()
            means = " ".join(f"{what} {mean / count:.4f}" for what, mean in zip(training.tells, means))
            print(f"{name} {step} {means} progress {progress:.3f} lessons {pool.drawn} {clock.elapsed():.0f}s", flush=True)
            sums.zero_()
            told = time.time()
        if time.time() - saved > SAVE_EVERY:
            save()
            saved = time.time()
    save()
    return dict(steps=step, batch=args.batch, lessons=pool.drawn, seconds=round(clock.elapsed()))


def main():
    begin = time.time()
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--model", type=Path, default=MODELS / "builtin")
    args.add_argument("--quality", type=Path, default=MODELS / "quality", help="folder of the classifier and the evaluation's prompts")
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--seconds", type=float, default=540, help="all in all, scores included")
    args.add_argument("--until", type=float, help="Unix time at which to be done, in place of --seconds")
    args.add_argument("--lcm-share", type=float, default=.5, help="of the time for training")
    args.add_argument("--turbo-from", type=Path, help="a LoRA from which only the turbo goes on, in place of training an LCM first")
    args.add_argument("--rank", type=int, default=10)
    args.add_argument("--batch", type=int, default=256)
    args.add_argument("--lcm-lr", type=float, default=1e-3)
    args.add_argument("--turbo-lr", type=float, default=3e-4)
    args.add_argument("--seed", type=int, default=23)
    args.add_argument("--eager", action="store_true", help="neither compile nor capture CUDA graphs")
    args.add_argument("--score-prompts", type=int, help="as many from the head of the list; all, if not given")
    args.add_argument("--picture", type=int, default=256)
    args.add_argument("--device", default="cuda")
    args = args.parse_args()

    deadline = args.until or begin + args.seconds
    gpu = args.device == "cuda"
    fast = gpu and not args.eager
    if gpu:  # CUDA graphs cannot be captured on the default stream
        torch.cuda.set_stream(torch.cuda.Stream())
    if fast:  # what cannot be compiled runs as it is
        torch._dynamo.config.suppress_errors = True
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(args.seed)
    generator = torch.Generator(args.device).manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizers = [CLIPTokenizer.from_pretrained(args.model / name) for name in ("tokenizer", "tokenizer_2")]
    vae = AutoencoderKL.from_pretrained(args.model / "vae").to(args.device, memory_format=torch.channels_last).eval().requires_grad_(False)
    state = {name: w.float() for name, w in state_of(args.model).items()}
    unet, encoders = build_unet(), TextEncoders(len(tokenizers[0]))
    for network, prefix in ((unet, "unet."), (encoders, "encoders.")):
        network.load_state_dict(part_of(state, prefix))
        network.to(args.device, memory_format=torch.channels_last).eval().requires_grad_(False)
    lora = Lora(unet, args.rank).to(args.device)
    with torch.no_grad():  # a LoRA that has not learnt changes nothing, and the strides are those that a student's weights will have
        own = lora.weights()
    teacher = Teacher(unet, encoders, own, len(tokenizers[0]) - 1, args.picture, args.device, fast)
    pool = Trajectories(teacher, tokenizers, generator, args.batch)
    examine = Examination(args.quality, args.out, args.device, args.picture, args.score_prompts)

    def score(name, numbers):
        """Of the LoRA as it was saved, merged as other programs do it."""
        saved, merged = copy.deepcopy(lora), copy.deepcopy(unet)
        saved.load(args.out / f"{name}.safetensors")
        merged.load_state_dict(saved.weights(), strict=False)
        for solver, steps in SAMPLINGS:
            if time.time() > deadline:
                print(f"{name}: no time is left for the score of {steps} steps of {solver}", flush=True)
                continue
            examine(f"-{name}-{solver}{steps}", numbers | dict(solver=solver, sampling_steps=steps), merged, encoders, vae, tokenizers,
                    steps=steps, guidance=1., solver=solver)

    def stage(name, method, lr, until):
        if until - time.time() < LEAST:  # what was saved by an attempt before this is better
            return print(f"{name}: no time is left", flush=True)
        student = Student(lora, lr)
        numbers = train(name, method(teacher, student, generator, fast), student, pool, args, until)
        student.average.swap()  # what follows begins from the average
        score(name, numbers)

    print(f"begins after {time.time() - begin:.0f}s, {sum(p.numel() for p in lora.parameters())} parameters", flush=True)
    if args.turbo_from:
        lora.load(args.turbo_from)
    else:
        end = deadline - SCORE_SECONDS * (2 if args.lcm_share < 1 else 1)
        stage("builtin-lcm", Regression, args.lcm_lr, time.time() + (end - time.time()) * args.lcm_share)
    if args.turbo_from or args.lcm_share < 1:
        stage("builtin-turbo", Matching, args.turbo_lr, deadline - SCORE_SECONDS)


if __name__ == "__main__":
    main()
