"""Carrel: a server process of its own, asked over TCP by a plain socket client."""
import base64
import json
import os
import re
import socket
import subprocess
import threading
import uuid

import numpy as np
import orjson

from . import Engine

K = 10
WORDS = ("iteration theorem session passage vector memory process scheduler proof lemma network "
         "message enzyme membrane voltage current market price supply demand").split()


def passage(number):
    """About 860 bytes, as long as a real passage."""
    random = np.random.default_rng(number)
    text = f"Passage {number}."
    while len(text) < 850:
        text += " The " + " ".join(random.choice(WORDS, 9)) + "."
    return text


class Server:
    """`carrel serve` with a folder of its own, and with PostgreSQL inside unless one is given."""

    def __init__(self, program, home):
        self.home = home
        environment = {**os.environ, "CARREL_HOME": home}
        usual = os.environ.get("CARREL_HOME", "data/var")
        environment.setdefault("CARREL_POSTGRES_DIR", f"{usual}/runtime/postgres")
        environment.setdefault("CARREL_MODEL_DIR", f"{usual}/models/all-MiniLM-L6-v2")
        self.process = subprocess.Popen(
            [program, "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.said = []
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()
        for line in self.process.stdout:
            if match := re.search(r"listening on ([\d.]+):(\d+)", line):
                self.address = match[1], int(match[2])
                return
        self.process.wait()
        raise RuntimeError("carrel serve ended: " + "".join(self.said))

    def postgres(self):
        """How to connect to its PostgreSQL, as libpq is told."""
        if url := os.environ.get("CARREL_DATABASE_URL"):
            return url
        # Where the server's user cannot reach the folder, the server says where it went instead.
        moved = re.search(r"the database is in (\S+)", "".join(self.said))
        folder = moved[1] if moved else f"{self.home}/postgres"
        with open(f"{folder}/data/postmaster.pid") as file:
            return f"host={file.read().splitlines()[4]} user=carrel"

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


class Client:
    """One connection: a line out, a line back."""

    def __init__(self, server):
        self.socket = socket.create_connection(server.address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.last = 0
        with open(f"{server.home}/client.json") as file:
            key = json.load(file)["apiKey"]
        profile = self.call(
            "initialize", protocolVersions=["2026-11-01"], auth={"apiKey": key})["profile"]
        # What is stored here counts for the account like anybody's.
        self.call("quota.set", account=profile["id"], limitBytes=1 << 40)

    def exchange(self, line):
        self.socket.sendall(line)
        answer = bytearray()
        while not answer.endswith(b"\n"):
            piece = self.socket.recv(1 << 18)
            if not piece:
                raise RuntimeError("the server closed the connection")
            answer += piece
        return answer

    def call(self, method, **params):
        self.last += 1
        answer = orjson.loads(self.exchange(orjson.dumps(
            {"jsonrpc": "2.0", "id": self.last, "method": method, "params": params}) + b"\n"))
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]


class Carrel(Engine):
    name = "Carrel over TCP"
    kind = "carrel"
    note = "JSON vector in, 10 hits with text out; request and answer as bytes"
    # The dial: what the answer vouches for. Strong consistency, the default, throughout.
    efforts = [""]

    def __init__(self, server, options=None):
        self.server = server
        self.options = options or {}

    def build(self, data):
        self.client = Client(self.server)
        self.handles, self.numbers = {}, {}
        listed, cursor = [], {}
        while cursor is not None:
            page = self.client.call("session.list", limit=500, **cursor)
            listed += page["sessions"]
            cursor = {"cursor": page["next"]} if page.get("next") else None
        present = {session["title"]: session for session in listed}
        for session in np.unique(data.session):
            members = data.members(session)
            title = f"peers {data.name}, session {session}"
            found = present.get(title)
            if found and found["chunkCount"] < len(members):
                self.client.call("session.delete", session=found["id"])
                found = None
            found = found or self.client.call("session.create", title=title)["session"]
            handle = self.client.call("session.open", session=found["id"])["handle"]
            names = {str(uuid.UUID(int=(1 << 127) + (int(session) << 64) + int(i))): i
                     for i in members}
            if title not in present or present[title]["id"] != found["id"]:
                self.fill(data, handle, names)
            if session in data.sizes:
                self.handles[session], self.numbers[session] = handle, names

    def fill(self, data, handle, names):
        rows = list(names.items())
        for start in range(0, len(rows), 256):
            self.client.call("chunk.import", session=handle, document=f"rows from {start}", chunks=[
                {"id": name, "text": passage(i),
                 "vectorB64": base64.b64encode(data.rows[i].tobytes()).decode()}
                for name, i in rows[start:start + 256]])

    def request(self, session, query):
        self.client.last += 1
        return orjson.dumps(
            {"jsonrpc": "2.0", "id": self.client.last, "method": "search",
             "params": {"session": self.handles[session], "k": K, "vector": query,
                        **self.options}},
            option=orjson.OPT_SERIALIZE_NUMPY) + b"\n"

    def form(self, session, query):
        return self.request(session, query)

    def search(self, session, line):
        return session, self.client.exchange(line)

    def rows(self, answer):
        session, line = answer
        answer = orjson.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"]["message"])
        result = answer["result"]
        self.plan = result["meta"]["plan"], (result["meta"].get("certificate") or {}).get("kind")
        return [self.numbers[session][hit["chunk"]] for hit in result["hits"]]

    def memory(self):
        return self.client.call("server.status")["residentBytes"]

    def version(self):
        return "carrel " + str(self.client.call("server.status")["version"])

    def close(self):
        self.client.socket.close()


class Proven(Carrel):
    name = "Carrel over TCP, proven"
    note = "the same with exactness proven"

    def __init__(self, server):
        super().__init__(server, {"exactness": "proven"})


class WholeClient(Carrel):
    name = "Carrel over TCP, with the client's JSON"
    note = "the same with writing the request and reading the answer (orjson)"

    def form(self, session, query):
        return query

    def search(self, session, query):
        return super().rows((session, self.client.exchange(self.request(session, query))))

    def rows(self, answer):
        return answer
