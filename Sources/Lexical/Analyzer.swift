import Synchronization

/// From text to terms: words of UAX #29, folded, without stop words, stemmed. The same for what is
/// searched and for what is asked. Not Sendable; `withAnalyzer` lends one.
package final class Analyzer {
    package let language: Language
    let segmenter = Segmenter()
    let stemmer: Stemmer
    let stopWords: Set<String>

    package init(_ language: Language) {
        self.language = language
        stemmer = Stemmer(language)
        stopWords = language.stopWords
    }

    /// The terms of a text, in order and with repetition.
    package func terms(of text: String) -> [String] {
        var terms: [String] = []
        forEachTerm(of: text) { terms.append(String(decoding: $0, as: UTF8.self)) }
        return terms
    }

    func forEachTerm(of text: String, _ body: ([UInt8]) -> Void) {
        segmenter.forEachWord(in: text) { word in
            if !stopWords.contains(word) { body(stemmer.stem(word)) }
        }
    }
}

extension Analyzer {
    /// Analyzers at rest: as many as ever worked at once. Making one opens ICU's rules and fills a set
    /// of stop words, which a query of a few words need not wait for.
    private static let idle = Mutex<[Language: [Held]]>([:])

    /// Owned by the pool or by one borrower, never by both.
    private struct Held: @unchecked Sendable {
        let analyzer: Analyzer
    }

    /// Lends an analyzer of the language for as long as `body` runs.
    package static func with<Value>(_ language: Language, _ body: (Analyzer) -> Value) -> Value {
        let held =
            idle.withLock { $0[language]?.popLast() } ?? Held(analyzer: Analyzer(language))
        defer { idle.withLock { $0[language, default: []].append(held) } }
        return body(held.analyzer)
    }
}
