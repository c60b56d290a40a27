#!/usr/bin/env python3
"""Draws a run of peers.py: latency by session size, recall against latency, the distribution.

    python benchmarks/peers/plots.py FOLDER     reads summary.json and raw.ndjson, writes SVG and PNG
"""
import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

COLOURS = {"carrel": "#c1272d", "store": "#2b6ca3", "library": "#8a8a8a"}
KINDS = {
    "carrel": "Carrel: server over TCP, text in the answer",
    "store": "stores that keep and filter every session",
    "library": "libraries in process, an index per session"}
plt.rcParams.update({
    "font.family": "DejaVu Sans", "font.size": 10, "axes.spines.top": False,
    "axes.spines.right": False, "axes.titlesize": 11, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "svg.hashsalt": "carrel", "figure.dpi": 100})


def milliseconds(value, _=None):
    """In the unit that suits it."""
    if value >= 1000:
        return f"{value / 1000:g} s"
    return f"{value:g} ms" if value >= 1 else f"{value * 1000:g} µs"


def spread(values, gap):
    """The same values in the same order, moved apart until they are `gap` from each other."""
    order = np.argsort(values, kind="stable")
    places = np.array(values, float)[order]
    for _ in range(500):
        for i in range(1, len(places)):
            lacking = gap - (places[i] - places[i - 1])
            if lacking > 1e-9:
                places[i - 1] -= lacking / 2
                places[i] += lacking / 2
    result = np.empty_like(places)
    result[order] = places
    return result


def name_above(axes, named, top, gap):
    """Writes each (x, y, name, kind) upright above the axes at height `top`, with a thread to its
    point; names that would lie on each other are moved apart. The x axis is logarithmic."""
    places = 10 ** spread([np.log10(x) for x, *_ in named], gap)
    for (x, y, name, kind), place in zip(named, places):
        axes.annotate(
            name, (x, y), xytext=(place, top), rotation=58, fontsize=8.5, ha="left", va="bottom",
            rotation_mode="anchor", color=COLOURS[kind], annotation_clip=False,
            fontweight="bold" if kind == "carrel" else "normal",
            arrowprops={"arrowstyle": "-", "color": "#cfcfcf", "linewidth": 0.6,
                        "shrinkA": 0, "shrinkB": 3})


def short(name):
    return name.replace(", an index per session", "").replace(" over TCP", "")


def legend(axes, kinds=COLOURS, **place):
    return axes.legend(
        [Line2D([], [], color=COLOURS[k], marker="o", linestyle="") for k in kinds],
        [KINDS[k] for k in kinds], frameon=False, **place)


def save(figure, folder, name):
    for ending in ("svg", "png"):
        figure.savefig(
            f"{folder}/{name}.{ending}", bbox_inches="tight", dpi=150,
            metadata={"Date": None} if ending == "svg" else None)
    plt.close(figure)


def caption(figure, summary, text=""):
    m = summary["machine"]
    figure.text(
        0.0, -0.02, f"{text}Top 10 of one session, one client, {summary['rows']:,} vectors of 768 "
        f"dimensions in one table. {m['processor']}, {m['cores']} cores. "
        f"Commit {m['commit'][:7]}.", fontsize=8, color="#555555", va="top",
        transform=figure.transFigure)


def usual(summary, session):
    """Measured engines at their usual setting; variants of Carrel that only differ in what is
    counted stay in the table."""
    hidden = "with the client's JSON"
    return [r for r in summary["results"]
            if r["session"] == session and r["usual"] and hidden not in r["engine"]]


def by_size(summary, folder):
    """A panel a session size, fastest at 10,000 on top: p50 as a dot, p99 as the end of the line."""
    sizes = sorted(summary["sizes"])
    middle = sorted(usual(summary, sizes[1]), key=lambda r: r["p50"])
    order = {r["engine"]: i for i, r in enumerate(reversed(middle))}
    figure, panels = plt.subplots(
        1, len(sizes), figsize=(13, 0.34 * len(order) + 1.4), sharey=True, sharex=True)
    for axes, size in zip(panels, sizes):
        for r in usual(summary, size):
            y, colour, right = order[r["engine"]], COLOURS[r["kind"]], r["recall"] >= 0.99
            axes.plot([r["p50"], r["p99"]], [y, y], color=colour, linewidth=1.6, alpha=0.45)
            axes.plot(
                r["p50"], y, "o", color=colour, markersize=7.5,
                markerfacecolor=colour if right else "white", markeredgewidth=1.6)
            note = milliseconds(float(f"{r['p50']:.2g}")) + (
                "" if right else f"   recall {r['recall']:.2f}")
            axes.annotate(
                note, (max(r["p50"], r["p99"]), y), xytext=(7, 0), textcoords="offset points",
                va="center", fontsize=8, color="#222222" if right else COLOURS["carrel"])
        axes.set_xscale("log")
        axes.set_title(f"session of {size:,} chunks")
        axes.xaxis.set_major_formatter(FuncFormatter(milliseconds))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(axis="x", color="#e4e4e4", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    times = [r[p] for size in sizes for r in usual(summary, size) for p in ("p50", "p99")]
    # Room to the right for what is written behind the slowest.
    panels[0].set_xlim(min(times) / 1.6, max(times) * 14)
    panels[0].set_yticks(list(order.values()), [short(name) for name in order])
    for label in panels[0].get_yticklabels():
        kind = next(r["kind"] for r in middle if short(r["engine"]) == label.get_text())
        if kind == "carrel":
            label.set_fontweight("bold")
            label.set_color(COLOURS["carrel"])
    panels[0].set_xlabel("latency, log scale")
    handles = legend(figure, ncols=3, loc="lower left", bbox_to_anchor=(0, 1.0))
    figure.add_artist(handles)
    figure.tight_layout()
    caption(figure, summary, "Dot: median; line: to the 99th percentile. "
                             "Hollow: recall@10 below 0.99. ")
    save(figure, folder, "latency-by-session-size")


def lines(summary, folder):
    """The same against the size as an axis: how each engine grows."""
    sizes = sorted(summary["sizes"])
    figure, axes = plt.subplots(figsize=(8.5, 6))
    ends = []
    for kind in ("library", "store", "carrel"):
        for engine in [e for e in summary["engines"] if e["kind"] == kind]:
            found = {r["session"]: r for size in sizes for r in usual(summary, size)
                     if r["engine"] == engine["engine"]}
            if not found:
                continue
            p50 = [found[size]["p50"] for size in sizes]
            axes.plot(sizes, p50, color=COLOURS[kind], linewidth=3 if kind == "carrel" else 1.3)
            for size in sizes:
                right = found[size]["recall"] >= 0.99
                axes.plot(size, found[size]["p50"], "o", color=COLOURS[kind], markersize=5.5,
                          markerfacecolor=COLOURS[kind] if right else "white")
            ends.append((np.log10(p50[-1]), short(engine["engine"]), kind))
    # Names at the right end, moved apart where they would lie on each other.
    axes.set_xscale("log")
    axes.set_yscale("log")
    low, high = np.log10(axes.get_ylim())
    for (value, name, kind), place in zip(ends, spread([e[0] for e in ends], (high - low) / 27)):
        axes.annotate(
            name, (sizes[-1], 10**value), xytext=(sizes[-1] * 1.35, 10**place), fontsize=8.5,
            va="center", color=COLOURS[kind], annotation_clip=False,
            fontweight="bold" if kind == "carrel" else "normal",
            arrowprops={"arrowstyle": "-", "color": "#cccccc", "linewidth": 0.6})
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(milliseconds))
    axes.set_xlabel("chunks in the session, log scale")
    axes.set_title("median latency, log scale")
    axes.grid(color="#e8e8e8", linewidth=0.8)
    axes.set_axisbelow(True)
    caption(figure, summary, "Hollow: recall@10 below 0.99. ")
    save(figure, folder, "latency-against-session-size")


def recall(summary, folder):
    """What each dial gives: up is more right, left is faster. Misses on a log scale, since 0.99 and
    0.999 differ as much as 0.9 and 0.99."""
    size = sorted(summary["sizes"])[1]
    asked = max(r["queries"] for r in summary["results"]) * 10
    floor = 1 / (4 * asked)
    figure, axes = plt.subplots(figsize=(9.5, 5.6))
    named = []
    for engine in summary["engines"]:
        found = [r for r in summary["results"]
                 if r["engine"] == engine["engine"] and r["session"] == size]
        if not found or "with the client's JSON" in engine["engine"]:
            continue
        found.sort(key=lambda r: (r["effort"] is None, str(r["effort"]).zfill(8)))
        colour, kind = COLOURS[engine["kind"]], engine["kind"]
        x = [r["p50"] for r in found]
        y = [max(1 - r["recall"], floor) for r in found]
        axes.plot(x, y, color=colour, linewidth=1.2, alpha=0.7)
        axes.plot(x, y, "o", color=colour, markersize=8 if kind == "carrel" else 4.5)
        best = min(range(len(found)), key=lambda i: (y[i], x[i]))
        named.append((x[best], y[best], short(engine["engine"]), kind))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.invert_yaxis()
    ticks = [0.5, 0.1, 0.01, 0.001]
    axes.set_yticks(ticks + [floor], [f"{1 - t:g}" for t in ticks] + ["1 (no miss)"])
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(1, floor / 2)
    low, high = np.log10(axes.get_xlim())
    name_above(axes, named, floor / 3, (high - low) / 34)
    axes.xaxis.set_major_formatter(FuncFormatter(milliseconds))
    axes.set_xlabel("median latency, log scale")
    axes.set_ylabel("recall@10")
    axes.set_title(
        f"recall@10 in a session of {size:,} chunks, as each engine's dial is turned", pad=150)
    axes.grid(color="#e8e8e8", linewidth=0.8)
    axes.set_axisbelow(True)
    legend(axes, loc="lower right", fontsize=8)
    caption(figure, summary, f"No miss: none in {asked:,} neighbours. ")
    save(figure, folder, "recall-against-latency")


SHOWN = ["Carrel over TCP", "Qdrant Edge, payload filter", "Chroma server, metadata filter",
         "pgvector HNSW, iterative scan, ef 100", "pgvector exact",
         "LanceDB IVF-PQ, refine 10, prefilter", "hnswlib, an index per session",
         "SVS Vamana, an index per session", "FAISS flat"]


def distribution(summary, folder):
    """Every query, as the share that took longer: a tail goes to the right."""
    size = sorted(summary["sizes"])[1]
    times = {}
    kinds = {}
    with open(f"{folder}/raw.ndjson") as raw:
        for line in map(json.loads, raw):
            if line["session"] == size and line["usual"] and line["engine"] in SHOWN:
                times.setdefault(line["engine"], []).extend(line["nanoseconds"])
                kinds[line["engine"]] = line["kind"]
    figure, axes = plt.subplots(figsize=(9.5, 5.2))
    named = []
    for name, nanoseconds in times.items():
        t = np.sort(np.array(nanoseconds)) / 1e6
        share = 1 - np.arange(len(t)) / len(t)
        colour = COLOURS[kinds[name]]
        axes.step(t, share, where="post", color=colour,
                  linewidth=3 if kinds[name] == "carrel" else 1.3)
        named.append((t[len(t) // 2], 0.5, short(name), kinds[name]))
    axes.set_xscale("log")
    axes.set_yscale("log")
    shares = [0.5, 0.1, 0.01]
    axes.set_yticks(shares, ["half", "1 in 10", "1 in 100"])
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(0.5 / max(map(len, times.values())), 1.1)
    low, high = np.log10(axes.get_xlim())
    name_above(axes, named, 1.25, (high - low) / 34)
    axes.xaxis.set_major_formatter(FuncFormatter(milliseconds))
    axes.set_xlabel("latency, log scale")
    axes.set_title(f"share of queries that took longer, session of {size:,} chunks", pad=150)
    axes.grid(color="#e8e8e8", linewidth=0.8)
    axes.set_axisbelow(True)
    caption(figure, summary)
    save(figure, folder, "latency-distribution")


if __name__ == "__main__":
    target = sys.argv[1]
    with open(f"{target}/summary.json") as file:
        run = json.load(file)
    by_size(run, target)
    lines(run, target)
    recall(run, target)
    distribution(run, target)
