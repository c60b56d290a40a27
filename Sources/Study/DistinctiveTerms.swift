// The words and pairs of words by which each group of texts differs from the others.

internal import Foundation
internal import Lexical

struct DistinctiveTerms {
    /// For each group its terms as they are written, the most distinctive first.
    let phrases: [[String]]

    /// Terms of a group; a topic shows fewer.
    private static let most = 10
    /// How much more frequent a term must be in its group than in the others.
    private static let lift = 1.5
    /// A pair says more than a word: *heat transfer* before *heat*.
    private static let pairWeight = 2.0
    /// Words whose language is looked at.
    private static let sample = 20_000

    /// Class-based tf-idf: a term's frequency in its group times the logarithm of how much more
    /// frequent it is there than in the other groups, which takes the place of the inverse document
    /// frequency. (c-TF-IDF divides by the mean over the classes; with a handful of classes that
    /// leaves *said* and *one* on top.)
    ///
    /// `groups` are rows of `texts`. Texts in no group are not looked at.
    init(texts: [String], groups: [[Int]], language: Language?) {
        let language = language ?? Self.language(of: texts)
        let analyzer = Analyzer(language)
        var counts = groups.map { _ in TermCounts() }
        for (group, rows) in groups.enumerated() {
            for row in rows { counts[group].add(analyzer.surfaces(of: texts[row])) }
        }
        var all: [String: Int] = [:]
        for group in counts { all.merge(group.count) { $0 + $1 } }
        let total = counts.reduce(0) { $0 + $1.total }
        phrases = zip(counts, groups).map { counts, rows in
            counts.best(Self.most, texts: rows.count) { term, count in
                // Half an occurrence more for either side, so that no side is empty.
                let here = (Double(count) + 0.5) / Double(counts.total + 1)
                let rest = Double(all[term, default: 0] - count) + 0.5
                let there = rest / Double(total - counts.total + 1)
                guard groups.count > 1 else { return here }
                guard here >= Self.lift * there else { return nil }
                let weight = term.contains(" ") ? Self.pairWeight : 1
                return weight * here * log(here / there)
            }
        }
    }

    /// The language of most stop words in the first texts.
    private static func language(of texts: [String]) -> Language {
        let analyzer = Analyzer(.english)
        var words: [String] = []
        for text in texts where words.count < sample {
            words += analyzer.surfaces(of: text).map(\.folded)
        }
        return Language.detected(in: words)
    }
}

/// Terms of one group: stems, and pairs of them joined by a blank.
private struct TermCounts {
    private(set) var count: [String: Int] = [:]
    private(set) var total = 0
    /// In how many texts each stands.
    private var support: [String: Int] = [:]
    private var written: [String: [String: Int]] = [:]

    mutating func add(_ words: [Surface]) {
        var seen: Set<String> = []
        var before: Surface?
        for word in words {
            guard word.isTerm else {
                before = nil
                continue
            }
            note(word.stem, word.text, &seen)
            if let before, word.isJoined, before.stem != word.stem {
                note("\(before.stem) \(word.stem)", "\(before.text) \(word.text)", &seen)
            }
            before = word
        }
        for term in seen { support[term, default: 0] += 1 }
    }

    private mutating func note(_ term: String, _ text: String, _ seen: inout Set<String>) {
        count[term, default: 0] += 1
        total += 1
        written[term, default: [:]][text, default: 0] += 1
        seen.insert(term)
    }

    /// The terms with the highest scores, as they are written, no stem twice.
    func best(
        _ most: Int, texts: Int, score: (_ term: String, _ count: Int) -> Double?
    ) -> [String] {
        // A term of one text is about that text, and one that stands there twice may be chance.
        let scored = count.compactMap { term, count -> (term: String, score: Double)? in
            guard count >= 3, support[term, default: 0] >= min(2, texts) else { return nil }
            return score(term, count).map { (term: term, score: $0) }
        }.sorted { ($1.score, $0.term) < ($0.score, $1.term) }
        var taken: Set<Substring> = []
        var best: [String] = []
        for (term, _) in scored where best.count < most {
            let stems = term.split(separator: " ")
            guard taken.isDisjoint(with: stems) else { continue }
            // A word that mostly stands in one pair is shown as that pair.
            let pair =
                stems.count > 1
                ? nil
                : scored.first {
                    let parts = $0.term.split(separator: " ")
                    return parts.count > 1 && parts.contains(stems[0])
                        && taken.isDisjoint(with: parts)
                        && 5 * count[$0.term]! >= 2 * count[term]!
                }
            let shown = pair?.term ?? term
            taken.formUnion(stems)
            taken.formUnion(shown.split(separator: " "))
            best.append(text(of: shown))
        }
        return best
    }

    /// As it is mostly written; in lower case if it often is, for a capital may be a sentence's.
    private func text(of term: String) -> String {
        let forms = written[term, default: [:]].sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let lower = forms.filter { $0.key == $0.key.lowercased() }
        let isLower = 3 * lower.reduce(0) { $0 + $1.value } >= forms.reduce(0) { $0 + $1.value }
        return (isLower ? lower.first?.key : nil) ?? forms.first?.key ?? term
    }
}

extension Surface {
    /// Whether it may be a term: a word of three letters or more that carries meaning.
    fileprivate var isTerm: Bool {
        !isStopWord && folded.count > 2 && folded.contains(where: \.isLetter)
            && folded.first?.isNumber != true
    }
}
