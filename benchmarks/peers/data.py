"""The vectors, the sessions they are divided into, and the right answers."""
from dataclasses import dataclass

import numpy as np

DIMENSION = 768
K = 10
# Two scores nearer than this are a tie, and either row is a right answer: the step of fp32 near 0.5
# is a quarter of it.
TIE = 2.0**-22


@dataclass
class Data:
    name: str
    rows: np.ndarray      # [n, 768] float32, unit length
    session: np.ndarray   # [n] the session of each row
    queries: np.ndarray   # [q, 768] float32, unit length
    sizes: dict           # session -> how many rows, for the sessions that are asked

    def members(self, session):
        """The rows of a session, in order."""
        return np.flatnonzero(self.session == session)


def unit(rows):
    rows = np.asarray(rows, np.float64)
    return np.ascontiguousarray(
        (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32))


def lift(rows):
    """To 768 dimensions by zeros and one fixed random rotation, which keeps every inner product."""
    narrow = rows.shape[1]
    if narrow == DIMENSION:
        return unit(rows)
    gaussian = np.random.default_rng(768).standard_normal((DIMENSION, narrow))
    columns, _ = np.linalg.qr(gaussian)
    return unit(rows.astype(np.float64) @ columns.T)


def clustered(count, seed, part):
    """Seeded rows about 128 subjects: centre plus as much noise."""
    centres = np.random.default_rng(seed).standard_normal((128, DIMENSION))
    random = np.random.default_rng([seed, part])
    chosen = centres[random.integers(0, len(centres), count)]
    return unit(chosen + random.standard_normal((count, DIMENSION)))


def load(vectors, queries, count, asked):
    """`count` rows, of which sessions hold two thirds, a sixth and a sixtieth: 40,000, 10,000 and
    1,000 of 60,000. The rest is divided into sessions as small as the third. Which row belongs to
    which session is drawn by a seed, as if sessions had nothing to do with subjects."""
    if vectors:
        stored = np.load(vectors, mmap_mode="r")
        count = min(count, len(stored))
        rows = lift(np.asarray(stored[:count], np.float32))
        questions = lift(np.load(queries)[:asked].astype(np.float32))
        name = f"{vectors.rsplit('/', 1)[-1]} {stored.shape[0]}x{stored.shape[1]}, first {count}"
    else:
        rows, questions = clustered(count, 1, 0), clustered(asked, 1, 1)
        name = f"seeded clusters, {count}"
    sizes = [count * 40 // 60, count * 10 // 60, count // 60]
    session = np.repeat(np.arange(3), sizes)
    rest = np.arange(count - len(session)) // max(1, count // 60) + 3
    session = np.random.default_rng(2).permutation(np.concatenate([session, rest]))
    return Data(name, rows, session, questions, {i: int(size) for i, size in enumerate(sizes)})


class Judge:
    """Brute force in double precision."""

    def __init__(self, data):
        self.data = data
        self.last = {}
        for session in data.sizes:
            members = data.rows[data.members(session)].astype(np.float64)
            worst = np.empty(len(data.queries))
            for start in range(0, len(data.queries), 64):
                scores = data.queries[start:start + 64].astype(np.float64) @ members.T
                worst[start:start + 64] = -np.partition(-scores, K - 1, axis=1)[:, K - 1]
            self.last[session] = worst

    def right(self, session, query, found):
        """How many of the found rows are among the ten nearest of the session."""
        found = np.unique(np.asarray(found, np.int64))
        found = found[self.data.session[found] == session]
        scores = self.data.rows[found].astype(np.float64) @ self.data.queries[query].astype(np.float64)
        return min(K, int((scores >= self.last[session][query] - TIE).sum()))
