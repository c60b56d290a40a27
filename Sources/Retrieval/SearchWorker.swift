// A search of a session in memory, on the thread that asks for it: no task, no hop, and one read of
// the database at most, which is on its way while the session is scanned.

import Library
package import Postgres
package import Vectors

/// Answers searches at once where that can be done, and says where it cannot.
///
/// Confined to one thread. What it cannot answer (a session that is not in memory or has moved on, a
/// text, words to rank by, a read that is late) is `Searcher.search`'s, which knows every way and every refusal; both end in
/// the same scan.
package final class SearchWorker {
    package enum Outcome: Sendable {
        case answered(SearchAnswer)
        /// Ask `Searcher.search`.
        case undecided
    }

    /// How long a scan that is done waits for the read that vouches for it. A read takes 30 µs; one that
    /// takes longer than this has met a busy server, and an event loop has other things to do.
    private static let patience = Duration.milliseconds(2)

    private let cache: SnapshotCache
    /// Asks as the service, for searches of any account: the one statement compares session, key and
    /// account itself (docs/decisions/0016).
    private let connection: ImmediateConnection
    private let scratch: SnapshotScratch

    /// Begins to open a connection of its own; until that is done strong searches are undecided.
    package init(_ cache: SnapshotCache, _ database: PostgresConfiguration) throws(VectorError) {
        self.cache = cache
        connection = ImmediateConnection(
            database, as: .service, statements: [SessionRepository.selectValidity])
        scratch = try SnapshotScratch()
    }

    /// Answers searches, each as soon as it can be.
    ///
    /// All of them arrived before this call, so one read that begins now vouches for all that are of one
    /// session and one key or login.
    package func answer(
        _ requests: [SearchRequest], _ deliver: (_ index: Int, Outcome) -> Void
    ) {
        var waiting = Array(requests.indices)
        while let first = waiting.first {
            func isAlike(_ index: Int) -> Bool {
                requests[index].session == requests[first].session
                    && requests[index].credential == requests[first].credential
            }
            answer(waiting.filter(isAlike), of: requests, deliver)
            waiting.removeAll(where: isAlike)
        }
    }

    /// The same for searches of one session with one key or login.
    private func answer(
        _ indexes: [Int], of requests: [SearchRequest], _ deliver: (Int, Outcome) -> Void
    ) {
        let first = requests[indexes[0]]
        guard let snapshot = cache.resident(first.session) else {
            return indexes.forEach { deliver($0, .undecided) }
        }
        func mustRead(_ index: Int) -> Bool {
            !cache.isTrusted(
                for: requests[index].consistency, by: first.credential, in: first.session)
        }
        var voucher = indexes.contains(where: mustRead) ? ask(first) : .unasked
        for index in indexes {
            let mustRead = mustRead(index)
            guard !mustRead || voucher.mayCome, let answer = scan(requests[index], snapshot) else {
                deliver(index, .undecided)
                continue
            }
            if mustRead, voucher == .asked { voucher = receive(snapshot, for: first) }
            deliver(index, !mustRead || voucher == .good ? .answered(answer) : .undecided)
        }
        // Asked for nothing after all: the answer is not left for the next question to find.
        if voucher == .asked { _ = receive(snapshot, for: first) }
    }

    private func scan(_ request: SearchRequest, _ snapshot: SessionSnapshot) -> SearchAnswer? {
        guard request.isPlain, case .vector(let vector) = request.query,
            (try? request.check()) != nil,
            (try? snapshot.version.check(request, QueryVector(vector: vector, model: nil))) != nil
        else { return nil }
        var watch = Stopwatch(deadline: request.deadline)
        do {
            let nearest = try SnapshotSearch.nearest(
                request, vector, in: snapshot, scratch: scratch)
            try watch.split(\.candidates)
            var answer = SnapshotSearch.answer(of: nearest, for: request, in: snapshot)
            try watch.split(\.expand)
            answer.meta.took = watch.times
            return answer
        } catch {
            // Out of time or memory: the long way says so.
            return nil
        }
    }

    // MARK: The read

    /// What is known of whether the snapshot is still the session, and the key or login good.
    private enum Voucher {
        case unasked, asked, good, bad
        var mayCome: Bool { self == .asked || self == .good }
    }

    private func ask(_ request: SearchRequest) -> Voucher {
        let isSent = try? connection.send(
            SessionRepository.selectValidity, request.session)
        return isSent == true ? .asked : .bad
    }

    private func receive(_ snapshot: SessionSnapshot, for request: SearchRequest) -> Voucher {
        guard case .rows(let rows) = connection.receive(waitingAtMost: Self.patience),
            let row = rows.first, let now = try? SessionValidity(row),
            now.version.revision == snapshot.revision,
            now.version.modelID == snapshot.version.modelID,
            cache.vouchers.holds(
                for: request.credential, in: request.session, at: now.authority)
        else { return .bad }
        return .good
    }
}

extension SearchWorker {
    /// What a search would cost, if a worker can answer it at all.
    ///
    /// Measured: 60 µs whatever the size (turning the query, the exact scores, the answer), and per row 8 ns
    /// for bits or 36 ns for bytes (docs/decisions/0013).
    package static func cost(of request: SearchRequest, in cache: SnapshotCache) -> Duration? {
        guard request.isPlain, request.visibility == .everything, case .vector = request.query,
            let snapshot = cache.resident(request.session)
        else { return nil }
        let rows = snapshot.segments.reduce(0) { sum, segment in
            request.filter.types.reduce(sum) { $0 + segment.table($1).count }
        }
        let perRow = request.exactness == .proven ? 36 : 8
        return .nanoseconds(60_000 + rows * perRow)
    }
}
