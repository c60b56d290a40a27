// A search of a block of many rows: its stretches, by as many cores as there are.

import Dispatch
import Synchronization
internal import class Foundation.ProcessInfo

extension Cascade {
    /// `nearest` for a block that has stretches.
    ///
    /// Each of them is a search of its own for what is no farther than the k-th found so far. An answer lies
    /// in one stretch and is lost there or not at all, so the chances do not add up. A million rows of
    /// 768 bits take one core of an AMD EPYC (Zen 3) 9.8 ms and two 5.9 (docs/decisions/0011).
    static func nearestInStretches(
        _ k: Int, to query: PreparedQuery, in block: SessionBlock, exactness: Exactness,
        first: FirstStep?, filter: RowSet?, limit: Float, scratch: SearchScratch,
        tieBreak: (Int, Int) -> Bool
    ) throws(VectorError) -> Answer {
        // Rotated here, so that the cores only read it.
        if exactness == .probable, let codes = block.codes { _ = query.bits(for: codes) }
        let isShort = (filter?.count ?? block.count) < 2 * block.rowsOfStretch
        let cores =
            isShort ? 1 : min(ProcessInfo.processInfo.activeProcessorCount, block.stretches.count)
        let scratches = try scratch.lanes(cores)
        let found = withoutActuallyEscaping(tieBreak) { tieBreak in
            let search = StretchSearch(
                k: k, query: query, stretches: block.stretches, exactness: exactness,
                first: first, filter: filter, limit: limit, scratches: scratches,
                tieBreak: tieBreak)
            if cores == 1 {
                search.work(0)
            } else {
                DispatchQueue.concurrentPerform(iterations: cores) { search.work($0) }
            }
            return search.findings
        }
        if let failure = found.failure { throw failure }
        return Answer(
            ranked: found.best, certificate: found.certificate,
            examined: Examined(bytes: found.bytes, exactly: found.exactly))
    }
}

/// What is known so far of a search, to all who work on it.
private struct Findings {
    var next = 0
    var best: [Ranked] = []
    var certificate = Certificate.proven
    var bytes = 0
    var exactly = 0
    var failure: VectorError?
}

/// One search that several threads work on.
///
/// `@unchecked Sendable`: all of it is only read meanwhile, but for what is behind the lock and the
/// scratches, of which each thread has its own.
private final class StretchSearch: @unchecked Sendable {
    private let k: Int
    private let query: PreparedQuery
    private let stretches: [SessionBlock.Stretch]
    private let exactness: Exactness
    private let first: FirstStep?
    private let filter: RowSet?
    private let limit: Float
    private let scratches: [SearchScratch]
    private let tieBreak: (Int, Int) -> Bool
    private let shared = Mutex(Findings())

    init(
        k: Int, query: PreparedQuery, stretches: [SessionBlock.Stretch], exactness: Exactness,
        first: FirstStep?, filter: RowSet?, limit: Float, scratches: [SearchScratch],
        tieBreak: @escaping (Int, Int) -> Bool
    ) {
        self.k = k
        self.query = query
        self.stretches = stretches
        self.exactness = exactness
        self.first = first
        self.filter = filter
        self.limit = limit
        self.scratches = scratches
        self.tieBreak = tieBreak
    }

    var findings: Findings { shared.withLock { $0 } }

    /// Searches stretches until none is left.
    func work(_ lane: Int) {
        while let (stretch, limit) = next() {
            let start = stretch.start
            do throws(VectorError) {
                let answer = try Cascade.nearest(
                    k, to: query, in: stretch.block, exactness: exactness, first: first,
                    filter: filter?.stretch(start..<start + stretch.block.count), limit: limit,
                    scratch: scratches[lane], tieBreak: { self.tieBreak(start + $0, start + $1) })
                keep(answer, from: start)
            } catch {
                shared.withLock { $0.failure = error }
            }
        }
    }

    private func next() -> (stretch: SessionBlock.Stretch, limit: Float)? {
        shared.withLock { found in
            guard found.failure == nil, found.next < stretches.count else { return nil }
            defer { found.next += 1 }
            let kth = found.best.count == k ? found.best[k - 1].distance : .infinity
            return (stretches[found.next], min(limit, kth))
        }
    }

    private func keep(_ answer: Cascade.Answer, from start: Int) {
        shared.withLock { found in
            found.bytes += answer.examined.bytes
            found.exactly += answer.examined.exactly
            if answer.certificate != .proven { found.certificate = answer.certificate }
            guard !answer.ranked.isEmpty else { return }
            found.best += answer.ranked.map {
                Ranked(index: start + $0.index, distance: $0.distance)
            }
            found.best.sort {
                $0.distance == $1.distance
                    ? tieBreak($0.index, $1.index) : $0.distance < $1.distance
            }
            found.best.removeLast(max(0, found.best.count - k))
        }
    }
}
