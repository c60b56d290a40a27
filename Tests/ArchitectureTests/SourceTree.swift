// What the rules look at: the source files of a package, target by target.

import Foundation

struct SourceFile {
    let target: String
    /// Relative to the package, as it is shown in a violation.
    let path: String
    /// Without line comments, so that prose may say `FROM documents`.
    let code: String

    /// The modules it imports, whatever the access level or kind.
    ///
    /// Read word by word: a regular expression over every line of the program takes seconds.
    let imports: [String]

    init(target: String, path: String, text: String) {
        let lines = text.split(separator: "\n").filter {
            !$0.drop(while: \.isWhitespace).hasPrefix("//")
        }
        self.target = target
        self.path = path
        code = lines.joined(separator: "\n")
        imports = lines.compactMap(Self.imported)
    }

    private static let before: Set<Substring> = [
        "public", "package", "internal", "fileprivate", "private",
    ]
    private static let kinds: Set<Substring> = [
        "struct", "class", "enum", "protocol", "func", "let", "var", "typealias",
    ]

    /// `@preconcurrency package import struct Foundation.Date` → Foundation.
    private static func imported(_ line: Substring) -> String? {
        guard line.contains("import ") else { return nil }
        var words = line.split(separator: " ")[...]
        while let word = words.first, word.hasPrefix("@") || before.contains(word) {
            words.removeFirst()
        }
        guard words.popFirst() == "import" else { return nil }
        if let kind = words.first, kinds.contains(kind) { words.removeFirst() }
        return words.first.map { String($0.prefix { $0 != "." }) }
    }
}

struct SourceTree {
    let drawing: PackageDrawing
    let files: [SourceFile]
    /// Where the tables are created: every table the database has.
    let tables: [String]

    init(root: URL) throws {
        drawing = PackageDrawing(
            manifest: try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)
        )
        files = try drawing.targets.flatMap { target in
            try Self.swiftFiles(in: target.path, of: root).map { path in
                let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
                return SourceFile(target: target.name, path: path, text: text)
            }
        }
        let schema = try? String(
            contentsOf: root.appending(path: "Indexes/schema.sql"), encoding: .utf8)
        let created = /CREATE TABLE (?:IF NOT EXISTS )?(?:carrel\.)?(\w+)/
        tables = (schema ?? "").matches(of: created).map { String($0.1) }
    }

    func files(of target: String) -> [SourceFile] { files.filter { $0.target == target } }

    private static func swiftFiles(in folder: String, of root: URL) throws -> [String] {
        let start = root.appending(path: folder)
        guard let walk = FileManager.default.enumerator(atPath: start.path) else { return [] }
        return walk.compactMap { $0 as? String }
            .filter { $0.hasSuffix(".swift") && !$0.hasPrefix("Fixtures/") }
            .sorted()
            .map { "\(folder)/\($0)" }
    }
}
