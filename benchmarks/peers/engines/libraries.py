"""Libraries in the measuring process: no server, no storage, no text; a NumPy row goes in and row
numbers come out. Each keeps one index a session, and answers a query with one thread."""
import numpy as np

from . import Engine, per_session, version_of

K = 10


def one_thread():
    """A query is too little work to divide: FAISS's threads would wait for each other."""
    import faiss
    faiss.omp_set_num_threads(1)


class Hnswlib(Engine):
    name = "hnswlib, an index per session"
    # PyPI has hnswlib as source only; Chroma publishes its fork of 0.7 as a wheel.
    note = "Chroma's build of hnswlib 0.7 (SSE/AVX); M 16, efConstruction 200"
    efforts = [100, 20, 50, 200, 400]

    def build(self, data):
        import hnswlib
        self.indexes = {}
        for session, rows, numbers in per_session(data):
            index = hnswlib.Index(space="ip", dim=rows.shape[1])
            index.init_index(max_elements=len(rows), M=16, ef_construction=200)
            index.add_items(rows, numbers)
            self.indexes[session] = index

    def prepare(self, effort):
        for index in self.indexes.values():
            index.set_ef(effort)

    def search(self, session, query):
        return self.indexes[session].knn_query(query, k=K, num_threads=1)[0][0]

    def version(self):
        return version_of("chroma-hnswlib")


class FaissHNSW(Engine):
    name = "FAISS HNSW, an index per session"
    note = "M 16, efConstruction 40, the default; AVX-512 where there is"
    efforts = [100, 20, 50, 200, 400]

    def build(self, data):
        import faiss
        self.indexes, self.numbers = {}, {}
        faiss.omp_set_num_threads(2)
        for session, rows, numbers in per_session(data):
            index = faiss.IndexHNSWFlat(rows.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
            index.add(rows)
            self.indexes[session], self.numbers[session] = index, numbers

    def prepare(self, effort):
        one_thread()
        for index in self.indexes.values():
            index.hnsw.efSearch = effort

    def search(self, session, query):
        return self.numbers[session][self.indexes[session].search(query[None], K)[1][0]]

    def version(self):
        return version_of("faiss-cpu")


class FaissFlat(Engine):
    name = "FAISS flat"
    note = "compares every row"

    def build(self, data):
        import faiss
        self.indexes, self.numbers = {}, {}
        for session, rows, numbers in per_session(data):
            index = faiss.IndexFlatIP(rows.shape[1])
            index.add(rows)
            self.indexes[session], self.numbers[session] = index, numbers

    def prepare(self, effort):
        one_thread()

    def search(self, session, query):
        return self.numbers[session][self.indexes[session].search(query[None], K)[1][0]]

    def version(self):
        return version_of("faiss-cpu")


class FaissRaBitQ(Engine):
    name = "FAISS RaBitQ + refine"
    note = "1-bit codes, 8-bit query, exact scores of the best"
    efforts = [20, 2, 5, 10, 40]  # k_factor: 20 x 10 candidates are scored exactly

    def build(self, data):
        import faiss
        self.faiss = faiss
        self.indexes, self.numbers = {}, {}
        for session, rows, numbers in per_session(data):
            codes = faiss.IndexRaBitQ(rows.shape[1], faiss.METRIC_INNER_PRODUCT)
            codes.qb = 8
            index = faiss.IndexRefineFlat(codes)
            index.train(rows)
            index.add(rows)
            # The refining index refers to the other; Python must keep it alive.
            self.indexes[session], self.numbers[session] = (index, codes), numbers

    def prepare(self, effort):
        one_thread()
        for index, _ in self.indexes.values():
            index.k_factor = effort

    def search(self, session, query):
        return self.numbers[session][self.indexes[session][0].search(query[None], K)[1][0]]

    def version(self):
        return version_of("faiss-cpu")


class Usearch(Engine):
    name = "usearch, an index per session"
    note = "fp32, connectivity 16, expansion 128 at building"
    efforts = [100, 20, 50, 200, 400]

    def build(self, data):
        from usearch.index import Index
        self.indexes = {}
        for session, rows, numbers in per_session(data):
            index = Index(
                ndim=rows.shape[1], metric="ip", dtype="f32", connectivity=16, expansion_add=128)
            index.add(numbers.astype(np.uint64), rows)
            self.indexes[session] = index

    def prepare(self, effort):
        for index in self.indexes.values():
            index.expansion_search = effort

    def search(self, session, query):
        return self.indexes[session].search(query, K).keys.astype(np.int64)

    def version(self):
        return version_of("usearch")


class SVS(Engine):
    name = "SVS Vamana, an index per session"
    note = "scalable-vs, fp32, degree 32, window 64 at building"
    efforts = [40, 10, 20, 80, 160]

    def build(self, data):
        import svs
        self.indexes, self.numbers = {}, {}
        for session, rows, numbers in per_session(data):
            parameters = svs.VamanaBuildParameters(
                alpha=0.95, graph_max_degree=32, window_size=64)
            self.indexes[session] = svs.Vamana.build(
                parameters, rows, svs.DistanceType.MIP, num_threads=2)
            self.indexes[session].num_threads = 1
            self.numbers[session] = numbers

    def prepare(self, effort):
        for index in self.indexes.values():
            index.search_window_size = effort

    def search(self, session, query):
        found, _ = self.indexes[session].search(query[None], K)
        return self.numbers[session][found[0].astype(np.int64)]

    def version(self):
        return version_of("scalable-vs")


class ScaNN(Engine):
    name = "ScaNN, anisotropic codes + reorder"
    note = "every code compared, no tree"
    efforts = [100, 20, 50, 200, 400]  # how many are scored exactly

    def build(self, data):
        import scann
        self.searchers, self.numbers = {}, {}
        for session, rows, numbers in per_session(data):
            self.searchers[session] = (
                scann.scann_ops_pybind.builder(rows, K, "dot_product")
                .score_ah(2, anisotropic_quantization_threshold=0.2)
                .reorder(100).build())
            self.numbers[session] = numbers

    def prepare(self, effort):
        self.effort = effort

    def search(self, session, query):
        found, _ = self.searchers[session].search(query, pre_reorder_num_neighbors=self.effort)
        return self.numbers[session][found.astype(np.int64)]

    def version(self):
        return version_of("scann")
