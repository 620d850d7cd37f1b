#!/usr/bin/env bash
# Trains everything from nothing on two NVIDIA GPUs: train.sh FOLDER [seconds of the UNet, of the VAE, of the classifier]
set -euo pipefail
cd "$(dirname "$0")"
work=$1 unet_seconds=${2:-1110} vae_seconds=${3:-280} classifier_seconds=${4:-270}
mkdir -p "$work"
export OMP_NUM_THREADS=4

python3 tokenizer.py --out "$work/tokenizers"
python3 prompts.py --out "$work/quality/prompts.json"
python3 -c 'import scenes; scenes.library("cuda")'
CUDA_VISIBLE_DEVICES=1 python3 train_classifier.py --out "$work/quality" --seconds "$classifier_seconds" &
CUDA_VISIBLE_DEVICES=0 python3 train_vae.py --out "$work/vae" --seconds "$vae_seconds"
wait $!
torchrun --nproc-per-node 2 train_unet.py --vae "$work/vae" --tokenizers "$work/tokenizers" --quality "$work/quality" --out "$work/unet" --seconds "$unet_seconds"
