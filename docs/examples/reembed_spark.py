#!/usr/bin/env python3
"""Embeds the texts that `carrel reembed export` wrote, on Spark, for `carrel reembed load` to read back.

    carrel reembed start --model all-MiniLM-L6-v2 -s Analysis --paused
    carrel reembed export --job JOB --out shards
    spark-submit docs/examples/reembed_spark.py shards --weights data/var/models/all-MiniLM-L6-v2
    carrel reembed load --job JOB shards
    carrel reembed resume -s Analysis

Needs pyspark and, for the model, what benchmarks/embedding/requirements.txt pins; no package of Carrel's. All
workers see the folder under the same path. A partition embeds its texts a batch at a time and writes a shard
beside them; `vectors.json`, written last, says what there is to be. A task that is tried again writes its shard
again, whole.

Another engine takes the place of this file by writing the same two things; another model that of the function
below: `--embed module:function` names one that takes the manifest's `model` and `--weights`, and returns a function
from a list of texts to a list of vectors. It is called once a partition.
"""
import argparse
import glob
import hashlib
import importlib
import itertools
import json
import os
import uuid

from pyspark.sql import SparkSession


def sentence_transformers(model, weights):
    """Passages embedded by sentence-transformers, if the weights are those that the server has."""
    import torch
    from sentence_transformers import SentenceTransformer

    # Spark gives each partition a core.
    torch.set_num_threads(1)
    if model.get("weightsSha256"):
        with open(os.path.join(weights, "model.safetensors"), "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != model["weightsSha256"]:
            raise ValueError(f"{weights} holds other weights than the server's: SHA-256 {found}")
    encoder = SentenceTransformer(weights, device="cpu")
    return lambda texts: encoder.encode(
        [model["passagePrefix"] + text for text in texts], show_progress_bar=False).tolist()


def named(function):
    """`module:function`, or the name of a function in this file."""
    module, _, name = function.rpartition(":")
    return getattr(importlib.import_module(module), name) if module else globals()[name]


def writer(folder, model, prepare, options):
    """What a partition does: embeds its rows, writes them as a shard, and says what it wrote."""
    def write(index, rows):
        first = next(rows, None)
        if first is None:
            return
        embed = prepare(model, options.weights)
        rows = itertools.chain([first], rows)
        name, digest, count = f"vectors-{index:05d}.ndjson", hashlib.sha256(), 0
        aside = os.path.join(folder, f".{name}.{uuid.uuid4().hex}")
        with open(aside, "wb") as file:
            while batch := list(itertools.islice(rows, options.batch)):
                for row, vector in zip(batch, embed([row.text for row in batch]), strict=True):
                    if hashlib.md5(row.text.encode()).hexdigest() != row.md5:
                        raise ValueError(f"the text of chunk {row.chunk} was changed on its way")
                    if len(vector) != model["dimension"]:
                        raise ValueError(f"{len(vector)} numbers; expected {model['dimension']}")
                    line = json.dumps({"chunk": row.chunk, "md5": row.md5, "vector": vector}) + "\n"
                    file.write(line.encode())
                    digest.update(line.encode())
                    count += 1
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, os.path.join(folder, name))
        yield {"file": name, "rows": count, "sha256": digest.hexdigest()}
    return write


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("shards", help="the folder that `carrel reembed export` wrote")
    arguments.add_argument("--weights", help="the model's folder, on every worker")
    arguments.add_argument("--embed", default="sentence_transformers")
    arguments.add_argument("--batch", type=int, default=256, help="texts embedded at once")
    arguments.add_argument("--partitions", type=int, help="shards to write (default: as Spark thinks)")
    options = arguments.parse_args()
    folder = os.path.abspath(options.shards)
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
        manifest = json.load(file)
    # What an earlier run left would be refused as one too many.
    for name in glob.glob(os.path.join(folder, "vectors*")) + glob.glob(os.path.join(folder, ".vectors*")):
        os.remove(name)

    spark = SparkSession.builder.appName("carrel-reembed").getOrCreate()
    rows = spark.read.schema("chunk string, md5 string, text string").option("mode", "FAILFAST").json(
        [os.path.join(folder, shard["file"]) for shard in manifest["shards"]])
    rows = rows.repartition(options.partitions or spark.sparkContext.defaultParallelism)
    write = writer(folder, manifest["model"], named(options.embed), options)
    shards = rows.rdd.mapPartitionsWithIndex(write).collect()
    spark.stop()

    count = sum(shard["rows"] for shard in shards)
    if count != manifest["count"]:
        raise SystemExit(f"{count} vectors of {manifest['count']} texts: the shards are not whole")
    written = {"job": manifest["job"], "dimension": manifest["model"]["dimension"], "count": count,
               "shards": shards}
    aside = os.path.join(folder, ".vectors.json")
    with open(aside, "w", encoding="utf-8") as file:
        json.dump(written, file, indent=2)
    os.replace(aside, os.path.join(folder, "vectors.json"))
    print(f"{count} vectors in {len(shards)} shards: {folder}")


if __name__ == "__main__":
    main()
