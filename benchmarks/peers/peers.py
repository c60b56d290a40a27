#!/usr/bin/env python3
"""Carrel and its peers: the same vectors, the same queries, one run.

    benchmarks/peers/run --out benchmarks/runs/DATE-MACHINE/peers \\
        --vectors pool.f16.npy --queries queries.f16.npy

Engines take turns in blocks of queries, so that whatever else the machine does meets all of them;
a few queries before each block are not timed. Writes raw.ndjson (every time of every query),
summary.json, table.md and the plots (plots.py).
"""
import argparse
import contextlib
import fcntl
import gc
import json
import multiprocessing
import os
import platform
import subprocess
import sys
import time
import traceback

import numpy as np

import data as vectors
from engines import carrel, libraries, pgvector, stores

WARM_UP = 5


def fill(server, tables, data):
    """Stores what goes to other processes, from a process of its own: it takes as long as building
    all the libraries' indexes, and beside them it does not count as their memory."""
    def work():
        carrel.Carrel(server).build(data)
        for table in pgvector.TABLES:
            tables.fill(table, data)
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    return child


def engines(server, tables, home):
    return [
        carrel.Carrel(server), carrel.Proven(server), carrel.WholeClient(server),
        pgvector.PostFilter(tables), pgvector.Iterative(tables), pgvector.Exact(tables),
        pgvector.Partial(tables),
        stores.Qdrant(home), stores.Chroma(home), stores.LanceDB(home),
        libraries.SVS(), libraries.ScaNN(), libraries.Hnswlib(), libraries.FaissHNSW(),
        libraries.Usearch(), libraries.FaissFlat(), libraries.FaissRaBitQ(),
    ]


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def build(candidates, data):
    """The engines that could be built; the others with their reason."""
    built, missing = [], {}
    for engine in candidates:
        before, started = resident(), time.perf_counter()
        try:
            engine.build(data)
            engine.prepare(engine.efforts[0])
            first = next(iter(data.sizes))
            engine.rows(engine.search(first, engine.form(first, data.queries[0])))
            grown = max(0, resident() - before)
            engine.seconds = time.perf_counter() - started
            engine.bytes = engine.memory() or grown
            engine.says = engine.version()
            built.append(engine)
            print(f"built {engine.name} in {engine.seconds:.1f} s", file=sys.stderr, flush=True)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            missing[engine.name] = reason
            print(f"not measured: {engine.name}: {reason}", file=sys.stderr, flush=True)
            if not isinstance(error, (ImportError, RuntimeError)):
                traceback.print_exc()
            with contextlib.suppress(Exception):
                engine.close()
    return built, missing


def block(engine, data, session, queries):
    """Nanoseconds and answers of some queries, one after the other."""
    forms = [engine.form(session, data.queries[q]) for q in queries[:WARM_UP]]
    for form in forms:
        engine.search(session, form)
    times, answers = [], []
    for q in queries:
        form = engine.form(session, data.queries[q])
        started = time.perf_counter_ns()
        answer = engine.search(session, form)
        times.append(time.perf_counter_ns() - started)
        answers.append(engine.rows(answer))
    return times, answers


def measure(built, data, judge, options, raw):
    """Turn after turn, every engine asks the same block of queries in every session."""
    random = np.random.default_rng(3)
    count = len(data.queries)
    for turn, start in enumerate(range(0, count, options.block)):
        queries = range(start, min(start + options.block, count))
        for place in random.permutation(len(built)):
            engine = built[place]
            for session, size in data.sizes.items():
                # The dial is turned in the middle session only, and in the first turns.
                efforts = engine.efforts if session == 1 and turn < options.sweep else (
                    engine.efforts[:1])
                for effort in efforts:
                    engine.prepare(effort)
                    times, answers = block(engine, data, session, queries)
                    right = sum(
                        judge.right(session, q, found) for q, found in zip(queries, answers))
                    raw.write(json.dumps({
                        "engine": engine.name, "kind": engine.kind, "effort": effort,
                        "usual": effort == engine.efforts[0], "session": size, "turn": turn,
                        "right": right, "of": len(times) * vectors.K, "nanoseconds": times,
                    }) + "\n")
                engine.prepare(engine.efforts[0])
        print(f"asked {queries.stop} of {count} queries", file=sys.stderr, flush=True)


def summarise(path, built, missing, data):
    """Percentiles and recall by engine, session and effort."""
    groups = {}
    with open(path) as lines:
        for line in map(json.loads, lines):
            key = line["engine"], line["session"], line["effort"]
            group = groups.setdefault(key, {**line, "nanoseconds": [], "right": 0, "of": 0})
            group["nanoseconds"] += line["nanoseconds"]
            group["right"] += line["right"]
            group["of"] += line["of"]
    results = []
    for (engine, session, effort), group in groups.items():
        times = np.sort(np.array(group["nanoseconds"])) / 1e6
        results.append({
            "engine": engine, "kind": group["kind"], "session": session, "effort": effort,
            "usual": group["usual"], "queries": len(times),
            "p50": times[int(np.ceil(0.5 * len(times))) - 1],
            "p99": times[int(np.ceil(0.99 * len(times))) - 1],
            "recall": group["right"] / group["of"]})
    return {
        "vectors": data.name, "rows": len(data.rows), "sizes": list(data.sizes.values()),
        "engines": [{
            "engine": e.name, "kind": e.kind, "note": e.note, "version": e.says,
            "bytes": int(e.bytes), "buildSeconds": round(e.seconds, 1),
            **({"plan": e.plan} if hasattr(e, "plan") else {}),
        } for e in built],
        "missing": missing, "results": results, "machine": machine(),
    }


def machine():
    def first(command):
        try:
            return subprocess.run(
                command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
        except (OSError, subprocess.CalledProcessError, IndexError):
            return ""
    with open("/proc/cpuinfo") as file:
        models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1])
    return {
        "commit": first(["git", "rev-parse", "HEAD"]),
        "changed": bool(first(["git", "status", "--porcelain", "--untracked-files=no"])),
        "processor": models[0] if models else platform.machine(), "cores": os.cpu_count(),
        "memoryGiB": round(memory / 2**20), "system": platform.platform(),
        "python": platform.python_version(), "numpy": np.__version__,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "load": os.getloadavg()[0],
    }


def table(summary):
    """Markdown: p50, p99 and recall of each engine at each session size."""
    found = {(r["engine"], r["session"]): r for r in summary["results"] if r["usual"]}
    sizes = summary["sizes"]
    lines = [
        "| engine | " + " | ".join(f"session of {size:,}" for size in sizes) + " | memory |",
        "|---|" + "---|" * (len(sizes) + 1)]
    for engine in summary["engines"]:
        cells = []
        for size in sizes:
            r = found[engine["engine"], size]
            cells.append(f"{r['p50']:.3g} ms (p99 {r['p99']:.3g}), {recall(r['recall'])}")
        lines.append(
            f"| {engine['engine']} | " + " | ".join(cells) + f" | {engine['bytes'] / 2**20:.0f} MiB |")
    for name, reason in summary["missing"].items():
        lines.append(f"| {name} | not measured: {reason} |" + " |" * len(sizes))
    lines += ["", "p50 (p99), recall@10. What each line includes:", ""]
    lines += [f"- **{e['engine']}** ({e['version']}): {e['note']}." for e in summary["engines"]]
    return "\n".join(lines) + "\n"


def recall(value):
    return "1.0" if value == 1 else f"**{value:.2f}**" if value < 0.95 else f"{value:.4f}"


@contextlib.contextmanager
def turn_of(path):
    """Holds the lock while measuring, so that two measurements on a machine take turns."""
    if not path:
        yield
        return
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    home = os.environ.get("CARREL_HOME", "data/var") + "/bench"
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", required=True, help="folder for the results")
    arguments.add_argument("--vectors", help="NumPy file of rows (f2 or f4); without: seeded")
    arguments.add_argument("--queries", help="NumPy file of queries")
    arguments.add_argument("--rows", type=int, default=60_000)
    arguments.add_argument("--count", type=int, default=500, help="queries for each session")
    arguments.add_argument("--block", type=int, default=50)
    arguments.add_argument("--sweep", type=int, default=2, help="turns in which dials are turned")
    arguments.add_argument("--only", default="", help="part of the names of the engines wanted")
    arguments.add_argument("--carrel", default=".build/release/carrel")
    arguments.add_argument("--home", default=f"{home}/peers", help="where the engines keep things")
    arguments.add_argument("--lock", help="a file; measure only while holding its lock")
    options = arguments.parse_args()
    if bool(options.vectors) != bool(options.queries):
        arguments.error("--vectors and --queries go together")

    data = vectors.load(options.vectors, options.queries, options.rows, options.count)
    judge = vectors.Judge(data)
    os.makedirs(options.out, exist_ok=True)
    os.makedirs(options.home, exist_ok=True)
    server = carrel.Server(options.carrel, options.home)
    built = []
    try:
        tables = pgvector.Tables(server.postgres())
        filling = fill(server, tables, data)
        wanted = [e for e in engines(server, tables, options.home)
                  if any(part in e.name for part in options.only.split(","))]
        there = [e for e in wanted if not isinstance(e, (carrel.Carrel, pgvector.PGVector))]
        built, missing = build(there, data)
        filling.join()
        if filling.exitcode == 0:
            tables.filled.update(pgvector.TABLES)
        more, lacking = build([e for e in wanted if e not in there], data)
        built += more
        missing.update(lacking)
        # In the order in which they are listed, whichever was built first.
        built.sort(key=wanted.index)
        gc.collect()
        gc.disable()
        raw = f"{options.out}/raw.ndjson"
        with turn_of(options.lock), open(raw, "w") as file:
            measure(built, data, judge, options, file)
        gc.enable()
        summary = summarise(raw, built, missing, data)
        summary["command"] = "benchmarks/peers/run " + " ".join(sys.argv[1:])
        with open(f"{options.out}/summary.json", "w") as file:
            json.dump(summary, file, indent=1)
        with open(f"{options.out}/table.md", "w") as file:
            file.write(table(summary))
        print(table(summary))
    finally:
        for engine in built:
            with contextlib.suppress(Exception):
                engine.close()
        server.stop()
    subprocess.run(
        [sys.executable, os.path.join(os.path.dirname(__file__), "plots.py"), options.out],
        check=True)
