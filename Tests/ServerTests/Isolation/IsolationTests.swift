// The wall between accounts, tried at every place where something may be named: behind both fences (the
// predicates of our statements and row-level security), and behind the first alone. Then with faults in the
// statements, each of which must be noticed.

import Foundation
import Ingestion
import Postgres
import Server
import TestSupport
import Testing
import Wire

@Suite("Isolation")
struct IsolationTests {
    private static let everybody: Set = ["ben", "ada", "bob", "bound", "stranger"]

    /// A server with a worker and everybody on it.
    private func withHousehold(
        _ callers: Set<String>, rewriting: Rewriting? = nil,
        _ body: (Household) async throws -> Void
    ) async throws {
        let web = try Household.emptyWeb()
        try await withServer(registration: true, rewriting: rewriting) {
            $0.limits.unauthenticated = .seconds(3600)
            $0.limits.idle = .seconds(3600)
        } _: { test in
            let worker = Task { await test.ingestor.run() }
            let result: Result<Void, any Error>
            do {
                result = .success(
                    try await body(try await Household.move(into: test, callers: callers, web: web))
                )
            } catch { result = .failure(error) }
            worker.cancel()
            await worker.value
            try result.get()
        }
    }

    /// Takes the second fence away.
    private func dropFence(_ test: TestServer) async throws {
        try await withOwner(of: test.pool) { db in
            for table in try await OwnedTable.all(on: db) {
                try await db.script("ALTER TABLE carrel.\(table.name) DISABLE ROW LEVEL SECURITY")
            }
        }
    }

    @Test("The methods tried are those that the running server tells of")
    func registry() async throws {
        try await withServer { test in
            let told = try await test.client().call(1, "rpc.discover")
            let names = told.at("result", "methods")?.array?.compactMap { $0.at("name")?.string }
            #expect(names == ProtocolDescription.methods.map(\.name))
        }
    }

    @Test("Of every table there is something to try, and every table is somebody's or nobody's")
    func tables() async throws {
        try await withHousehold(["bound"]) { house in
            let tables = try await house.test.pool.withConnection(as: .service) {
                try await OwnedTable.all(on: $0)
            }
            let vera = Domain.account(house.vera.profile)
            for table in tables where table.condition(vera) == nil {
                #expect(Domain.nobodys.contains(table.name), "whose is \(table.name)?")
            }
            for table in tables where table.hasID && table.condition(vera) != nil {
                let count = house.vera.belongings.ids[table.name]?.count ?? 0
                #expect(count >= (table.name == "profiles" ? 1 : 2), "\(table.name) has \(count)")
            }
        }
    }

    @Test(
        "What another account owns answers as what does not exist, wherever it is named",
        arguments: [true, false])
    func isolated(behindBothFences: Bool) async throws {
        try await withHousehold(Self.everybody) { house in
            if !behindBothFences { try await dropFence(house.test) }
            var probe = IsolationProbe(house)
            try await probe.run()
            #expect(probe.violations.isEmpty, "\(probe.violations.joined(separator: "\n"))")
            #expect(probe.cases > 5_000)
            print("isolation: \(probe.cases) cases, \(behindBothFences ? "both fences" : "one")")
        }
    }

    @Test(
        "Who something is shared to sees exactly that, whatever is asked", arguments: [true, false])
    func shared(behindBothFences: Bool) async throws {
        try await withHousehold([]) { house in
            if !behindBothFences { try await dropFence(house.test) }
            var probe = try await ReaderProbe(house)
            try await probe.run()
            #expect(probe.violations.isEmpty, "\(probe.violations.joined(separator: "\n"))")
            #expect(probe.cases > 1_000)
            print("sharing: \(probe.cases) cases, \(behindBothFences ? "both fences" : "one")")
        }
    }

    @Test("A fault in a statement is noticed, and hidden by the second fence", arguments: Fault.all)
    func faultIsNoticed(fault: Fault) async throws {
        try await withHousehold([fault.caller], rewriting: fault.rewriting) { house in
            let methods = ProtocolDescription.methods.filter { fault.methods.contains($0.name) }
            let others = ProtocolDescription.methods.filter { !fault.methods.contains($0.name) }
            #expect(methods.count == fault.methods.count)
            if case .holds = fault.fence {
                var fenced = IsolationProbe(house)
                try await fenced.run(methods)
                #expect(fenced.violations.isEmpty, "\(fenced.violations.joined(separator: "\n"))")
            }
            try await dropFence(house.test)
            var probe = IsolationProbe(house)
            try await probe.run(methods + others, stopsAtFirst: true)
            #expect((house.test.proxy?.changes ?? 0) > 0, "no statement has this predicate")
            #expect(!probe.violations.isEmpty)
            #expect(probe.faulty.isSubset(of: fault.methods), "\(probe.violations)")
        }
    }

    @Test("A fault in sharing is noticed", arguments: Fault.sharing)
    func faultInSharingIsNoticed(fault: Fault) async throws {
        try await withHousehold([], rewriting: fault.rewriting) { house in
            let probe = try await ReaderProbe(house)
            var (fenced, bare) = (probe, probe)
            try await fenced.run(onlyReadings: true)
            try await dropFence(house.test)
            try await bare.run(onlyReadings: true)
            #expect((house.test.proxy?.changes ?? 0) > 0, "no statement has this predicate")
            #expect(bare.faulty == fault.methods, "\(bare.violations.joined(separator: "\n"))")
            if case .holds = fault.fence {
                // What is in memory has no second fence.
                #expect(
                    fenced.faulty == fault.methods.intersection(Fault.searches),
                    "\(fenced.violations.joined(separator: "\n"))")
            }
        }
    }
}
