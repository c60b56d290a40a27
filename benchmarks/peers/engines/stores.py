"""Stores: all sessions in one collection, the session as a filter."""
import os
import shutil
import socket
import subprocess
import sys
import time

import numpy as np

from . import Engine, version_of

K = 10


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


class Qdrant(Engine):
    name = "Qdrant Edge, payload filter"
    kind = "store"
    note = "qdrant-edge-py, in process; session a tenant index, HNSW defaults"

    def __init__(self, home):
        self.home = home

    def build(self, data):
        import qdrant_edge as q
        self.q = q
        config = q.EdgeConfig(
            vectors=q.EdgeVectorParams(size=data.rows.shape[1], distance=q.Distance.Cosine))
        self.shard = q.EdgeShard.create(fresh(self.home + "/qdrant"), config)
        self.shard.update(q.UpdateOperation.create_field_index(
            "session", q.KeywordIndexParams(is_tenant=True)))
        for start in range(0, len(data.rows), 500):
            self.shard.update(q.UpdateOperation.upsert_points([
                q.Point(i, data.rows[i].tolist(), {"session": str(data.session[i])})
                for i in range(start, min(start + 500, len(data.rows)))]))
        self.shard.optimize()
        self.filters = {
            s: q.Filter(must=[q.FieldCondition(key="session", match=q.MatchValue(value=str(s)))])
            for s in data.sizes}

    def form(self, session, query):
        q = self.q
        return q.QueryRequest(
            query=q.Query.Nearest(query.tolist()), limit=K, filter=self.filters[session])

    def search(self, session, query):
        return self.shard.query(query)

    def rows(self, answer):
        return [point.id for point in answer]

    def version(self):
        return version_of("qdrant-edge-py")

    def close(self):
        self.shard.close()


class LanceDB(Engine):
    name = "LanceDB IVF-PQ, refine 10, prefilter"
    kind = "store"
    note = "in process, files on disk; nprobes 20"
    efforts = [10, 1, 5, 20]

    def __init__(self, home):
        self.home = home

    def build(self, data):
        import lancedb
        import pyarrow as pa
        database = lancedb.connect(fresh(self.home + "/lance"))
        width = data.rows.shape[1]
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(data.rows.ravel()), width)
        self.table = database.create_table("passages", pa.table({
            "id": pa.array(np.arange(len(data.rows))), "session": pa.array(data.session),
            "vector": vectors}))
        self.table.create_scalar_index("session")
        self.table.create_index(metric="cosine", num_sub_vectors=96)

    def prepare(self, effort):
        self.refine = effort

    def search(self, session, query):
        found = (self.table.search(query).distance_type("cosine")
                 .where(f"session = {session}", prefilter=True)
                 .nprobes(20).refine_factor(self.refine).limit(K).select(["id", "_distance"]).to_arrow())
        return found["id"].to_numpy()

    def version(self):
        return version_of("lancedb")


class Chroma(Engine):
    name = "Chroma server, metadata filter"
    kind = "store"
    note = "over HTTP on loopback, its own client; defaults, cosine"

    def __init__(self, home):
        self.home = home

    def build(self, data):
        import chromadb
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        folder = fresh(self.home + "/chroma")
        self.log = open(folder + "/server.log", "wb")
        program = os.path.join(os.path.dirname(sys.executable), "chroma")
        self.server = subprocess.Popen(
            [sys.executable, program, "run", "--path", folder, "--host", "127.0.0.1",
             "--port", str(port)],
            stdout=self.log, stderr=self.log, env={**os.environ, "ANONYMIZED_TELEMETRY": "False"})
        for attempt in range(120):
            try:
                client = chromadb.HttpClient(
                    host="127.0.0.1", port=port,
                    settings=chromadb.Settings(anonymized_telemetry=False))
                break
            except Exception:
                if self.server.poll() is not None or attempt == 119:
                    raise
                time.sleep(0.5)
        self.collection = client.create_collection(
            "passages", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None)
        for start in range(0, len(data.rows), 1000):
            end = min(start + 1000, len(data.rows))
            self.collection.add(
                ids=[str(i) for i in range(start, end)], embeddings=data.rows[start:end],
                metadatas=[{"session": int(s)} for s in data.session[start:end]])

    def search(self, session, query):
        found = self.collection.query(
            query_embeddings=[query], n_results=K, where={"session": session},
            include=["distances"])
        return [int(i) for i in found["ids"][0]]

    def memory(self):
        with open(f"/proc/{self.server.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def version(self):
        return version_of("chromadb")

    def close(self):
        if hasattr(self, "server"):
            self.server.terminate()
            self.server.wait(30)
