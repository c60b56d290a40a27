"""One class per engine. `build` stores all rows with their sessions, `search` answers one query in
one session with row numbers. `effort` is the engine's own dial between speed and recall: its first
value stands in the tables, all of them in the plot of recall against latency.
"""


class Engine:
    name = ""
    # "carrel", "store" (keeps and filters all sessions) or "library" (in the measuring process).
    kind = "library"
    # What one call includes, for the table.
    note = ""
    efforts = [None]

    def build(self, data):
        raise NotImplementedError

    def prepare(self, effort):
        """Turns the dial, before a block of queries."""

    def form(self, session, query):
        """The query as the client takes it; not timed, but for engines that say so."""
        return query

    def search(self, session, query):
        raise NotImplementedError

    def rows(self, answer):
        """Row numbers of what `search` returned; not timed."""
        return answer

    def memory(self):
        """Bytes held by its own process or on disk; None: the growth of this process is taken."""
        return None

    def version(self):
        return ""

    def close(self):
        pass


def per_session(data):
    """(session, its rows, their numbers), for engines that keep an index a session."""
    for session in data.sizes:
        members = data.members(session)
        yield session, data.rows[members], members


def version_of(distribution):
    from importlib.metadata import version
    return f"{distribution} {version(distribution)}"
