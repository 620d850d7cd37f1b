#!/usr/bin/env bash
# Makes the published model's LoRAs of few steps with one NVIDIA GPU: distill.sh FOLDER [seconds, all in all [more flags for distill.py]]
set -euo pipefail
cd "$(dirname "$0")"
work=$1 until=$(($(date +%s) + ${2:-540}))
shift $(($# < 2 ? $# : 2))
distill() { python3 distill.py --until "$until" --out "$work" "$@"; }
distill "$@" && exit
# Compiled code or a CUDA graph may have ended it: in the time that is left, without them, from what was saved.
for saved in "$work"/builtin-turbo.safetensors "$work"/builtin-lcm.safetensors; do
  if [[ -f $saved ]]; then set -- "$@" --turbo-from "$saved"; break; fi
done
distill "$@" --eager
