// The drawing of the program, read from Package.swift: which targets there are, in which order, and
// what each says it needs. `swift package dump-package` would tell the same, but it wants the build
// folder that the running test holds.

import Foundation

/// One target of a manifest.
struct DrawnTarget {
    let name: String
    /// Where its sources are, relative to the package.
    let path: String
    /// Targets of the same package and modules of others, as an `import` would name them.
    let dependencies: [String]
    /// Whether it serves the tests; no rule about the program binds it.
    let isTest: Bool
}

struct PackageDrawing {
    /// From the ground up.
    let targets: [DrawnTarget]

    init(manifest: String) {
        let code = manifest.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.drop(while: \.isWhitespace).hasPrefix("//") }
            .joined(separator: "\n")
        let products = Self.products(in: code)
        let kinds = /\.(target|executableTarget|testTarget|systemLibrary)\(/
        // The word `target` also appears in a product's `targets:`; only the list itself is read.
        let list = code.firstRange(of: "\n    targets: [").map { code[$0.upperBound...] } ?? ""
        targets = list.matches(of: kinds).compactMap { match in
            let body = Self.balanced(list[match.range.upperBound...])
            guard let name = body.firstMatch(of: /name:\s*"([^"]+)"/)?.1 else { return nil }
            let kind = match.1
            let folder = kind == "testTarget" ? "Tests" : "Sources"
            let path =
                body.firstMatch(of: /path:\s*"([^"]+)"/).map { String($0.1) }
                ?? "\(folder)/\(name)"
            return DrawnTarget(
                name: String(name), path: path,
                dependencies: Self.dependencies(in: body, products),
                isTest: path.hasPrefix("Tests/"))
        }
    }

    subscript(name: String) -> DrawnTarget? { targets.first { $0.name == name } }

    /// What `let nio: Target.Dependency = .product(name: "NIOCore", …)` stands for: nio → NIOCore.
    private static func products(in code: String) -> [String: String] {
        let line = /let (\w+): Target\.Dependency = \.product\(\s*name: "(\w+)"/
        return Dictionary(
            uniqueKeysWithValues: code.matches(of: line).map { (String($0.1), String($0.2)) })
    }

    private static func dependencies(in body: Substring, _ products: [String: String]) -> [String] {
        guard let start = body.firstMatch(of: /dependencies:\s*\[/) else { return [] }
        let list = balanced(body[start.range.upperBound...])
        return list.split(separator: ",").compactMap { item in
            let word = item.trimmingCharacters(in: .whitespacesAndNewlines)
            guard !word.isEmpty else { return nil }
            return word.hasPrefix("\"") ? word.filter { $0 != "\"" } : products[word] ?? word
        }
    }

    /// The text up to the bracket that closes the one just opened.
    private static func balanced(_ text: Substring) -> Substring {
        var depth = 1
        for index in text.indices {
            if "([".contains(text[index]) { depth += 1 }
            if ")]".contains(text[index]) { depth -= 1 }
            if depth == 0 { return text[..<index] }
        }
        return text
    }
}
