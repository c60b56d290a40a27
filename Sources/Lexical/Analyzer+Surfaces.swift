// Words as they are written beside what they are searched by: for what is shown to people.

/// A word in its text.
package struct Surface: Sendable, Equatable {
    /// As it is written.
    package let text: String
    package let folded: String
    package let stem: String
    package let isStopWord: Bool
    /// Whether it follows the word before it within a phrase: only blanks or a hyphen between them.
    package let isJoined: Bool
}

extension Analyzer {
    /// The words of a text, in order, stop words included.
    package func surfaces(of text: String) -> [Surface] {
        var surfaces: [Surface] = []
        segmenter.forEachSurface(in: text) { word, isJoined in
            surfaces.append(
                Surface(text: word, folded: "", stem: "", isStopWord: false, isJoined: isJoined))
        }
        return surfaces.map { surface in
            let folded = segmenter.folded(surface.text)
            return Surface(
                text: surface.text, folded: folded,
                stem: String(decoding: stemmer.stem(folded), as: UTF8.self),
                isStopWord: stopWords.contains(folded), isJoined: surface.isJoined)
        }
    }
}

extension Language {
    /// The language whose stop words are the most frequent among these folded words; English when
    /// none are.
    ///
    /// In running text 40 to 60 words of a hundred are stop words of its language. Languages without
    /// a list are not told.
    package static func detected(in words: some Sequence<String>) -> Language {
        var counts: [String: Int] = [:]
        for word in words { counts[word, default: 0] += 1 }
        var best = (language: Language.english, count: 0)
        for language in [.english] + allCases {
            let count = language.stopWords.reduce(0) { $0 + (counts[$1] ?? 0) }
            if count > best.count { best = (language, count) }
        }
        return best.language
    }
}
