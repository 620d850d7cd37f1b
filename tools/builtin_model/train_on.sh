#!/usr/bin/env bash
# Trains the published model on with one NVIDIA GPU: train_on.sh FOLDER [seconds, all in all [more flags for train_unet.py]]; export.py takes
# FOLDER/state.safetensors
set -euo pipefail
cd "$(dirname "$0")"
work=$1 until=$(($(date +%s) + ${2:-1500})) models=../../models
shift $(($# < 2 ? $# : 2))
mkdir -p "$work"
train() {
  python3 train_unet.py --vae $models/builtin/vae --tokenizers $models/builtin --quality $models/quality --weights-from $models/builtin \
    --muon-lr .014 --adam-lr .0014 --hold .1 --weight-decay .03 --first-drawings .5 --until "$until" --out "$work" "$@"
}
train "$@" || train "$@" --eager  # in the time that is left, should compiled code or CUDA graphs end the process
