import Retrieval
import Testing

@Suite("The planner")
struct PlannerTests {
    private let planner = Planner()

    private func plan(_ matching: Int, of table: Int, k: Int = 10) -> Plan {
        planner.plan(PlanInput(k: k, matching: matching, tableRows: table))
    }

    @Test("A small session is compared row by row, however large the table")
    func smallSession() {
        for table in [1_000, 100_000, 100_000_000] {
            #expect(plan(1_000, of: table).kind == .exact)
        }
    }

    @Test("A large session that owns much of the table is walked")
    func largeSession() {
        #expect(plan(50_000, of: 60_000) == .hnsw(depth: 26, efSearch: 400))
        #expect(plan(1_000_000, of: 4_000_000).kind == .hnsw)
    }

    @Test("A large session that owns little of the table is compared: the walk would pass it by")
    func smallShare() {
        #expect(plan(50_000, of: 100_000_000).kind == .exact)
    }

    @Test("Once comparing is cheaper it stays cheaper for every smaller session of one table")
    func monotonic() {
        for table in [20_000, 60_000, 1_000_000] {
            let kinds = stride(from: 100, through: table, by: 100).map { plan($0, of: table).kind }
            let firstWalk = kinds.firstIndex(of: .hnsw) ?? kinds.endIndex
            #expect(kinds[firstWalk...].allSatisfy { $0 == .hnsw }, "table of \(table)")
        }
    }

    @Test("Candidates are always more than k, and the list of the walk is pgvector's at most")
    func bounds() {
        for k in [1, 10, 100, 1_000] {
            for matching in [0, 1, 5_000, 500_000] {
                switch plan(matching, of: 600_000, k: k) {
                case .exact(let depth): #expect(depth > k)
                case .hnsw(let depth, let efSearch):
                    #expect(depth > k)
                    #expect((1...1_000).contains(efSearch))
                }
            }
        }
    }

    @Test("A graph that lacks too many of the rows is not walked")
    func pendingRows() {
        let kinds = [0, 10_000, 49_000].map { pending in
            planner.plan(
                PlanInput(k: 10, matching: 50_000, tableRows: 60_000, pending: pending)
            ).kind
        }
        #expect(kinds == [.hnsw, .hnsw, .exact])
    }

    @Test("Statistics that know of fewer rows than match are not believed")
    func staleStatistics() {
        #expect(plan(50_000, of: 0) == plan(50_000, of: 50_000))
    }
}
