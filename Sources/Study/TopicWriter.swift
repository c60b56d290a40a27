// Titles and subtopics for clusters of parents.

internal import Foundation
internal import Library

struct TopicWriter {
    let parents: [PlanParent]
    let tree: HeadingTree
    let clusters: TopicClusters
    let terms: DistinctiveTerms

    /// How well a heading must fit to name a topic: the harmonic mean of how much of the topic is
    /// under it and how much of it is in the topic.
    private static let fit = 0.5
    /// A file's name is worth less than a heading.
    private static let fitOfFileName = 0.75
    /// The part of a heading's text that must be in the topic to be a subtopic of it.
    private static let inside = 0.6
    private static let subtopics = 8
    /// Fewer headings than this are filled up with distinctive terms.
    private static let fewSubtopics = 5
    private static let evidence = 3

    func plan() -> StudyPlan {
        let names = names()
        let all = parents.reduce(0) { $0 + $1.tokens }
        var topics: [StudyPlan.Topic] = []
        for (cluster, rows) in clusters.groups.enumerated() {
            let headings = headings(of: cluster, under: names[cluster]?.node)
            let phrases = terms.phrases[cluster]
            let words = phrases.prefix(3).joined(separator: ", ")
            var title = names[cluster]?.title ?? words.withCapital.fitted
            if title.isEmpty { title = "Part \(cluster + 1)" }
            title = unique(title, phrases, among: topics)
            let share = rows.reduce(0) { $0 + parents[$1].tokens }
            topics.append(
                StudyPlan.Topic(
                    title: title,
                    subtopics: subtopics(
                        headings.compactMap(tree.title),
                        phrases.dropFirst(
                            names[cluster] == nil ? 3 : 0), title: title),
                    order: cluster,
                    evidence: StudyPlan.Evidence(
                        chunks: clusters.central[cluster].prefix(Self.evidence).map {
                            parents[$0].id
                        },
                        headings: headings.compactMap(\.path.last),
                        share: (1000 * Double(share) / Double(max(1, all))).rounded() / 1000)))
        }
        return StudyPlan(topics: topics)
    }

    /// The title, or when another topic has it already, with a term that tells the two apart.
    private func unique(
        _ title: String, _ phrases: [String], among topics: [StudyPlan.Topic]
    ) -> String {
        let taken = Set(topics.map { $0.title.lowercased() })
        let titles = [title] + phrases.map { "\(title): \($0)".fitted }
        return titles.first { !taken.contains($0.lowercased()) } ?? "\(title) (\(topics.count + 1))"
    }

    /// The heading that fits each cluster best, each heading once.
    private func names() -> [Int: (node: HeadingTree.Node, title: String)] {
        struct Candidate {
            let fit: Double
            let cluster: Int
            let place: Int
        }
        let sets = clusters.groups.map { Set($0) }
        let sizes = clusters.groups.map { rows in
            rows.reduce(0.0) { $0 + Double(parents[$1].tokens) }
        }
        var candidates: [Candidate] = []
        for (place, node) in tree.nodes.enumerated() {
            let total = tree.tokens(node)
            for (cluster, rows) in sets.enumerated() {
                let common = tree.tokens(node, in: rows)
                let fit = 2 * common / (total + sizes[cluster])
                let least = node.path.isEmpty ? Self.fitOfFileName : Self.fit
                // A heading that holds the whole document is a better name than the file's.
                let rank = fit + (node.path.isEmpty ? 0 : 0.05)
                if fit >= least {
                    candidates.append(Candidate(fit: rank, cluster: cluster, place: place))
                }
            }
        }
        var names: [Int: (node: HeadingTree.Node, title: String)] = [:]
        var used: Set<Int> = []
        // Of nested headings that fit alike the inner one comes later in reading order, and says more.
        for candidate in candidates.sorted(by: { ($1.fit, $1.place) < ($0.fit, $0.place) }) {
            guard names[candidate.cluster] == nil,
                let title = tree.title(tree.nodes[candidate.place]),
                used.insert(candidate.place).inserted
            else { continue }
            names[candidate.cluster] = (tree.nodes[candidate.place], title)
        }
        return names
    }

    /// Headings that lie in a cluster and are large enough to be a subtopic: the outermost, or the
    /// next ones down when there are fewer than three. In reading order.
    private func headings(of cluster: Int, under name: HeadingTree.Node?) -> [HeadingTree.Node] {
        let rows = Set(clusters.groups[cluster])
        let size = clusters.groups[cluster].reduce(0.0) { $0 + Double(parents[$1].tokens) }
        var amounts: [HeadingTree.Node: Double] = [:]
        for node in tree.nodes where !node.path.isEmpty && node != name {
            if let name, node.isAbove(name) { continue }
            let common = tree.tokens(node, in: rows)
            guard common >= 0.03 * size, common <= 0.8 * size,
                common >= Self.inside * tree.tokens(node), tree.title(node) != nil
            else { continue }
            amounts[node] = common
        }
        let candidates = tree.nodes.filter { amounts[$0] != nil }
        var chosen = candidates.filter { node in !candidates.contains { $0.isAbove(node) } }
        if chosen.count < 3 {
            chosen = candidates.filter { node in !candidates.contains { node.isAbove($0) } }
        }
        let largest = Set(
            chosen.sorted { amounts[$0]! > amounts[$1]! }.prefix(Self.subtopics))
        return chosen.filter(largest.contains)
    }

    /// Headings, and distinctive terms while they are few; nothing that the title says already.
    private func subtopics(
        _ headings: [String], _ phrases: some Sequence<String>, title: String
    ) -> [String] {
        var subtopics: [String] = []
        func isNew(_ text: String) -> Bool {
            text.lowercased() != title.lowercased()
                && !subtopics.contains { $0.lowercased() == text.lowercased() }
        }
        for heading in headings where isNew(heading) { subtopics.append(heading) }
        for phrase in phrases where subtopics.count < Self.fewSubtopics {
            let said = ([title] + subtopics).contains {
                $0.lowercased().contains(phrase.lowercased())
            }
            if !said, isNew(phrase) { subtopics.append(phrase) }
        }
        return subtopics
    }
}
