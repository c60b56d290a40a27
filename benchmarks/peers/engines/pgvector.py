"""pgvector four ways, over a unix socket with psycopg, statements prepared. The first two share a
table with one HNSW index, the others a table with none but partial ones."""
import numpy as np
import psycopg

from . import Engine

K = 10
DATABASE = "peers"
TABLES = ["together", "apart"]


def text(vector):
    return "[" + ",".join(map(str, vector.tolist())) + "]"


class Tables:
    """Both tables, filled once for the four ways."""

    def __init__(self, where):
        with psycopg.connect(f"{where} dbname=postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {DATABASE}")
        self.where = f"{where} dbname={DATABASE}"
        self.filled = set()

    def connect(self, *settings):
        connection = psycopg.connect(self.where, autocommit=True)
        for setting in settings:
            connection.execute(setting)
        return connection

    def fill(self, table, data):
        if table in self.filled:
            return
        with self.connect() as db:
            db.execute("CREATE EXTENSION IF NOT EXISTS vector")
            db.execute(
                f"CREATE TABLE {table} "
                "(session int, id int, embedding vector(768), PRIMARY KEY (session, id))")
            with db.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for i, row in enumerate(data.rows):
                    copy.write_row((int(data.session[i]), i, text(row)))
            db.execute("SET maintenance_work_mem = '1GB'")
            if table == "together":
                db.execute(
                    f"CREATE INDEX ON {table} USING hnsw (embedding vector_cosine_ops)")
            else:
                for session in data.sizes:
                    db.execute(
                        f"CREATE INDEX ON {table} USING hnsw (embedding vector_cosine_ops) "
                        f"WHERE session = {session}")
            db.execute(f"VACUUM ANALYZE {table}")
        self.filled.add(table)


class PGVector(Engine):
    kind = "store"
    table = "together"
    settings = ["SET hnsw.ef_search = 40"]

    def __init__(self, tables):
        self.tables = tables

    def build(self, data):
        self.tables.fill(self.table, data)
        self.db = self.tables.connect(*self.settings)
        self.db.prepare_threshold = 0

    def form(self, session, query):
        return text(query)

    def search(self, session, query):
        # The session is written out, so that the planner may use a partial index.
        rows = self.db.execute(
            f"SELECT id FROM {self.table} WHERE session = {session} "
            f"ORDER BY embedding <=> %s::vector LIMIT {K}", (query,)).fetchall()
        return np.array([row[0] for row in rows], np.int64)

    def memory(self):
        return self.db.execute("SELECT pg_total_relation_size(%s)", (self.table,)).fetchone()[0]

    def version(self):
        return "pgvector " + self.db.execute(
            "SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()[0]

    def close(self):
        self.db.close()


class PostFilter(PGVector):
    name = "pgvector HNSW + WHERE, ef 40"
    note = "unix socket; the default"
    efforts = [40, 100, 200]

    def prepare(self, effort):
        self.db.execute(f"SET hnsw.ef_search = {effort}")


class Iterative(PostFilter):
    name = "pgvector HNSW, iterative scan, ef 100"
    note = "unix socket; strict order"
    settings = ["SET hnsw.iterative_scan = strict_order"]
    efforts = [100, 40, 200]


class Partial(PostFilter):
    name = "pgvector, partial HNSW per session"
    note = "unix socket; ef 40"
    table = "apart"
    settings = []
    efforts = [40, 20, 100, 200]


class Exact(PGVector):
    name = "pgvector exact"
    note = "unix socket; compares every row of the session"
    table = "apart"
    settings = ["SET enable_indexscan = off"]
