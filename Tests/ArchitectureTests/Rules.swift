// What holds the shape of the program (ARCHITECTURE.md). Each rule answers with its
// violations, one sentence each, so that it can be run on the real sources and on fixtures that break it.

struct Rules {
    let tree: SourceTree

    /// An import is declared by its target: SwiftPM would let a target reach through another.
    func undeclaredImports() -> [String] {
        let ours = Set(tree.drawing.targets.map(\.name))
        let foreign = Set(tree.drawing.targets.flatMap(\.dependencies)).subtracting(ours)
        return tree.files.flatMap { file in
            let declared = tree.drawing[file.target]?.dependencies ?? []
            return file.imports
                .filter { ours.contains($0) || foreign.contains($0) }
                .filter { !declared.contains($0) && $0 != file.target }
                .map { "\(file.path) imports \($0), which \(file.target) does not declare" }
        }
    }

    /// A target needs only what stands above it in the list, so the list can be read from the ground up
    /// and no arrow points back.
    func arrowsPointingUp() -> [String] {
        let position = Dictionary(
            uniqueKeysWithValues: tree.drawing.targets.enumerated().map { ($1.name, $0) })
        return tree.drawing.targets.flatMap { target in
            target.dependencies
                .filter { position[$0] ?? -1 >= position[target.name] ?? 0 }
                .map { "\(target.name) needs \($0), which stands below it in Package.swift" }
        }
    }

    /// A foreign C library enters through one Swift file. (Our own kernels may serve several.)
    func sharedLibraries() -> [String] {
        tree.drawing.targets
            .filter { isC($0.name) && $0.name != "CKernels" }
            .compactMap { library in
                let users = tree.files.filter { $0.imports.contains(library.name) }.map(\.path)
                return users.count > 1
                    ? "\(library.name) is called from \(users.joined(separator: " and "))" : nil
            }
    }

    /// Modules that a target may import and no other: who knows that there is a network, and so on.
    func strayImports(_ homes: [String: Set<String>]) -> [String] {
        tree.files.filter { !(tree.drawing[$0.target]?.isTest ?? false) }.flatMap { file in
            file.imports
                .filter { !(homes[$0]?.contains(file.target) ?? true) }
                .map { "\(file.path) imports \($0); only \(homes[$0]!.sorted()) may" }
        }
    }

    /// SQL names a table only in `Indexes` and `Library`.
    func strayTableNames() -> [String] {
        guard !tree.tables.isEmpty else { return [] }
        let names = tree.tables.joined(separator: "|")
        guard
            let statement = try? Regex(
                #"\b(FROM|JOIN|INTO|UPDATE|TABLE|COPY)\s+(carrel\.)?(\#(names))\b|\bcarrel\.(\#(names))\b"#
            )
        else { return ["the table names make no regular expression"] }
        return tree.files
            .filter { !["Indexes", "Library"].contains($0.target) }
            .filter { !(tree.drawing[$0.target]?.isTest ?? false) }
            .compactMap { file in
                file.code.firstMatch(of: statement).map {
                    "\(file.path) names a table: \(file.code[$0.range])"
                }
            }
    }

    /// The other modules' errors become wire errors in `Server/Translation.swift` alone, so no other
    /// file of the server so much as names their types.
    func strayTranslations() -> [String] {
        let declared = /\b(?:enum|struct)\s+(\w+Error)\b[^{\n]*\bError\b/
        let errors = tree.files
            .filter { !["Server", "Wire", "CarrelClient", "carrel"].contains($0.target) }
            .filter { !(tree.drawing[$0.target]?.isTest ?? false) }
            .flatMap { $0.code.matches(of: declared).map { String($0.1) } }
        guard !errors.isEmpty,
            let named = try? Regex(#"\b(\#(Set(errors).sorted().joined(separator: "|")))\b"#)
        else { return ["no error types were found to look for"] }
        return tree.files(of: "Server")
            .filter { !$0.path.hasSuffix("/Translation.swift") }
            .compactMap { file in
                file.code.firstMatch(of: named).map {
                    "\(file.path) handles \(file.code[$0.range]), which belongs to Translation.swift"
                }
            }
    }

    private func isC(_ name: String) -> Bool {
        let second = name.dropFirst().first
        return name.hasPrefix("C") && second?.isUppercase == true
    }
}
