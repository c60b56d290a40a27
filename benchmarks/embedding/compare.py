#!/usr/bin/env python3
"""Passages a second: Carrel's encoder against PyTorch, in turns, on the same cores, in one run.

    python benchmarks/embedding/compare.py --carrel .build/release/carrel \
        --model data/var/models/all-MiniLM-L6-v2 --texts passages.jsonl --pairs 7

`texts` holds one JSON string a line. Each pair runs Carrel (one round after a warm-up) and then
sentence-transformers with as many threads, or the other way round, so that what else the machine
does meets both. Printed are the median of each and of the paired ratios, by wall clock and by
processor time; above 1 Carrel is faster. bf16 is compared where the processor has it.
"""
import argparse, json, os, statistics, subprocess, time

import torch
from sentence_transformers import SentenceTransformer


def carrel(options, arithmetic):
    out = subprocess.run(
        [options.carrel, "bench", "embed", "--model", options.model, "--texts", options.texts,
         "--arithmetic", arithmetic, "--rounds", "1", "--json"],
        check=True, capture_output=True, text=True).stdout
    report = json.loads(out)
    return report["seconds"][0], report["cpuSeconds"][0], report


def reference(model, texts):
    wall, cpu = time.perf_counter(), time.process_time()
    model.encode(texts, batch_size=32, normalize_embeddings=True)
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--carrel", required=True)
    arguments.add_argument("--model", required=True)
    arguments.add_argument("--texts", required=True)
    arguments.add_argument("--pairs", type=int, default=7)
    options = arguments.parse_args()
    with open(options.texts, encoding="utf-8") as lines:
        texts = [json.loads(line) for line in lines]

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    flags = open("/proc/cpuinfo").read()
    fast_bf16 = "avx512_bf16" in flags or "amx_bf16" in flags
    for arithmetic in ["fp32"] + (["bf16"] if fast_bf16 else []):
        model = SentenceTransformer(options.model, device="cpu")
        if arithmetic == "bf16":
            model = model.to(torch.bfloat16)
        reference(model, texts)
        walls, cpus, ours, theirs = [], [], [], []
        for pair in range(options.pairs):
            if pair % 2:
                them = reference(model, texts)
            us = carrel(options, arithmetic)
            if pair % 2 == 0:
                them = reference(model, texts)
            walls.append(them[0] / us[0])
            cpus.append(them[1] / us[1])
            ours.append(len(texts) / us[0])
            theirs.append(len(texts) / them[0])
        print(f"{arithmetic}: carrel {statistics.median(ours):.1f} passages/s "
              f"({us[2]['library']}, {us[2]['kernels']}), "
              f"PyTorch {torch.__version__} {statistics.median(theirs):.1f}; "
              f"ratio of paired medians {statistics.median(walls):.2f} by wall clock, "
              f"{statistics.median(cpus):.2f} by processor time; "
              f"query p50 {us[2]['queryP50']:.1f} ms")
    if not fast_bf16:
        print("bf16: not compared, this processor has neither AVX512_BF16 nor AMX")
