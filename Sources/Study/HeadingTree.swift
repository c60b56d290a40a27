// The headings of all documents with the parents below each: where documents divide, and which
// heading fits a group of parents.

internal import Foundation
internal import Library

struct HeadingTree {
    /// A document (an empty path) or a heading in it.
    struct Node: Hashable {
        let document: UUID
        let path: [String]

        func isAbove(_ other: Node) -> Bool {
            document == other.document && path.count < other.path.count
                && other.path.starts(with: path)
        }
    }

    /// In reading order. Under each node, which parents have how many tokens there.
    let nodes: [Node]
    let amounts: [Node: [Int: Double]]
    /// For each parent the division of its document that it stands in, by number.
    let divisions: [Int?]
    private let names: [UUID: String]
    /// How many headings differ from this one in number and case only.
    private let kinds: [String: Int]

    init(_ parents: [PlanParent]) {
        var nodes: [Node] = []
        var tokens: [Node: [Int: Double]] = [:]
        var names: [UUID: String] = [:]
        func count(_ node: Node, _ parent: Int, _ amount: Double) {
            if tokens[node] == nil { nodes.append(node) }
            tokens[node, default: [:]][parent, default: 0] += amount
        }
        for (index, parent) in parents.enumerated() {
            names[parent.documentID] = parent.fileName
            count(Node(document: parent.documentID, path: []), index, Double(parent.tokens))
            // Children overlap; together they count as much as their parent.
            let sum = Double(max(1, parent.headings.reduce(0) { $0 + $1.tokens }))
            for heading in parent.headings {
                let amount = Double(parent.tokens) * Double(heading.tokens) / sum
                for depth in heading.path.indices {
                    let path = Array(heading.path[...depth])
                    count(Node(document: parent.documentID, path: path), index, amount)
                }
            }
        }
        self.nodes = nodes
        amounts = tokens
        self.names = names
        kinds = nodes.reduce(into: [:]) { kinds, node in
            if let heading = node.path.last { kinds[HeadingText.kind(heading), default: 0] += 1 }
        }
        divisions = Self.divisions(parents, nodes, tokens)
    }

    /// What a topic of this node is called; nil when the heading names no subject: it is a part that
    /// every document has, or one of many of its kind (*Definition 5*, *Exercises*).
    func title(_ node: Node) -> String? {
        guard let heading = node.path.last else {
            let name = names[node.document] ?? ""
            let stem = name.split(separator: ".").dropLast().joined(separator: ".")
            return HeadingText.title(
                (stem.isEmpty ? name : stem).replacing("_", with: " ").replacing("-", with: " "))
        }
        let kind = HeadingText.kind(heading)
        guard kind.count > 2, kinds[kind, default: 0] < 3,
            !HeadingText.partsOfDocuments.contains(kind)
        else { return nil }
        let title = HeadingText.title(heading)
        return title.isEmpty ? nil : title
    }

    /// Tokens under a node in these parents.
    func tokens(_ node: Node, in parents: Set<Int>) -> Double {
        amounts[node, default: [:]].reduce(0) { parents.contains($1.key) ? $0 + $1.value : $0 }
    }

    func tokens(_ node: Node) -> Double { amounts[node, default: [:]].values.reduce(0, +) }

    /// A document divides at the first depth where no single heading holds four fifths of it: below
    /// its title, usually. One without headings is a division by itself, unless it is more than a
    /// quarter of the session, whose own divisions then have to be found by likeness.
    private static func divisions(
        _ parents: [PlanParent], _ nodes: [Node], _ tokens: [Node: [Int: Double]]
    ) -> [Int?] {
        var children: [Node: [Node]] = [:]
        for node in nodes where !node.path.isEmpty {
            children[Node(document: node.document, path: node.path.dropLast()), default: []]
                .append(node)
        }
        func total(_ node: Node) -> Double { tokens[node, default: [:]].values.reduce(0, +) }
        var numbers: [Node: Int] = [:]
        var divisions = [Int?](repeating: nil, count: parents.count)
        for document in nodes where document.path.isEmpty {
            var top = document
            while let only = children[top, default: []].max(by: { total($0) < total($1) }),
                total(only) >= 0.8 * total(document)
            {
                top = only
            }
            for parent in tokens[document, default: [:]].keys.sorted() {
                let homes = children[top, default: []].filter { tokens[$0]?[parent] != nil }
                let home = homes.max { tokens[$0]![parent]! < tokens[$1]![parent]! }
                let isSmall = tokens[document, default: [:]].count * 4 <= parents.count
                guard let division = home ?? (isSmall ? document : nil) else { continue }
                let number = numbers[division] ?? numbers.count
                numbers[division] = number
                divisions[parent] = number
            }
        }
        return divisions
    }
}
