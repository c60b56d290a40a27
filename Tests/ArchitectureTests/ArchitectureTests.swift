// The arrows of the program, held by a test: SwiftPM alone would let a target import anything it
// reaches through another.

import Foundation
import Testing

@Suite("The shape of the program")
struct ArchitectureTests {
    /// Who may know of the network, of the command line, of the log.
    static let homes: [String: Set<String>] = [
        "NIOCore": ["Wire", "Server", "CarrelClient"],
        "NIOPosix": ["Server", "CarrelClient"],
        "ArgumentParser": ["carrel"],
    ]

    static let package = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The program's own sources, read once for all tests.
    private static let tree = Result { try SourceTree(root: package) }

    private func rules() throws -> Rules { Rules(tree: try Self.tree.get()) }

    private func none(
        _ violations: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let list = Comment(rawValue: violations.joined(separator: "\n"))
        #expect(violations.isEmpty, list, sourceLocation: sourceLocation)
    }

    /// A small package in which every rule is broken once, on purpose.
    private func brokenRules() throws -> Rules {
        let fixture = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/Broken")
        return Rules(tree: try SourceTree(root: fixture))
    }

    @Test("The manifest is read whole: every folder of sources belongs to a target")
    func everyFolderIsATarget() throws {
        let targets = PackageDrawing(
            manifest: try String(
                contentsOf: Self.package.appending(path: "Package.swift"), encoding: .utf8)
        ).targets
        for parent in ["Sources", "Tests"] {
            let folders = try FileManager.default.contentsOfDirectory(
                atPath: Self.package.appending(path: parent).path)
            for folder in folders where !folder.hasPrefix(".") {
                #expect(
                    targets.contains { $0.path == "\(parent)/\(folder)" }, "\(parent)/\(folder)")
            }
        }
        #expect(targets.first { $0.name == "Server" }?.dependencies.contains("NIOPosix") == true)
    }

    @Test("A target imports only what it declares")
    func importsAreDeclared() throws {
        none(try rules().undeclaredImports())
    }

    @Test("A target declares only what stands above it in Package.swift")
    func arrowsPointDown() throws {
        none(try rules().arrowsPointingUp())
    }

    @Test("A foreign C library is called from one Swift file")
    func librariesEnterOnce() throws {
        none(try rules().sharedLibraries())
    }

    @Test("Only the edge knows the network, only the command its arguments")
    func foreignModulesStayHome() throws {
        none(try rules().strayImports(Self.homes))
    }

    @Test("Only Indexes and Library name a table")
    func tablesAreNamedBelow() throws {
        let rules = try rules()
        #expect(rules.tree.tables.count > 10, "schema.sql was not read")
        none(rules.strayTableNames())
    }

    @Test("Only Translation.swift turns other modules' errors into wire errors")
    func errorsAreTranslatedOnce() throws {
        none(try rules().strayTranslations())
    }

    @Test("Each rule catches its deliberate violation, and only that")
    func violationsAreCaught() throws {
        let broken = try brokenRules()
        #expect(
            broken.undeclaredImports()
                == [
                    "Sources/Vectors/Reaching.swift imports Library, which Vectors does not declare"
                ])
        #expect(
            broken.arrowsPointingUp()
                == ["Library needs Server, which stands below it in Package.swift"])
        #expect(
            broken.sharedLibraries()
                == [
                    "CBLAS is called from Sources/Vectors/Again.swift and Sources/Vectors/BLAS.swift"
                ])
        #expect(
            broken.strayImports(Self.homes)
                == [
                    "Sources/Vectors/BLAS.swift imports NIOCore; "
                        + "only [\"CarrelClient\", \"Server\", \"Wire\"] may"
                ])
        #expect(
            broken.strayTableNames()
                == ["Sources/Server/Handler.swift names a table: FROM documents"])
        #expect(
            broken.strayTranslations()
                == [
                    "Sources/Server/Handler.swift handles LibraryError, "
                        + "which belongs to Translation.swift"
                ])
    }
}
