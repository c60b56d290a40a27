// docs/requirements.md names tests; here they are looked for.

import Foundation
import Testing

@Suite("The table of requirements")
struct RequirementsTests {
    private static let package = ArchitectureTests.package

    /// The text of every file of tests.
    private func tests() throws -> [String] {
        let root = Self.package.appending(path: "Tests")
        let paths = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String }
        return try (paths ?? []).filter { $0.hasSuffix("Tests.swift") }.map {
            try String(contentsOf: root.appending(path: $0), encoding: .utf8)
        }
    }

    @Test("Each test that it names is there, and each clause names one")
    func named() throws {
        let table = try String(
            contentsOf: Self.package.appending(path: "docs/requirements.md"), encoding: .utf8)
        let tests = try tests()
        var count = 0
        for row in table.split(separator: "\n") where row.hasPrefix("| ") {
            let named = row.matches(of: /`([^`]+) › ([^`]+)`/)
            guard !row.hasPrefix("| clause") else { continue }
            #expect(!named.isEmpty, "nothing shows \(row)")
            for name in named {
                count += 1
                let isThere = tests.contains {
                    $0.contains("@Suite(\"\(name.1)\"") && $0.contains("\"\(name.2)\"")
                }
                #expect(isThere, "there is no test \(name.1) › \(name.2)")
            }
        }
        #expect(count > 80)
    }
}
