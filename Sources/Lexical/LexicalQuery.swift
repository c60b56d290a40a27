/// What is asked for: distinct terms in the order they came, and how often each was asked.
package struct LexicalQuery: Sendable, Equatable {
    package struct Term: Sendable, Equatable {
        package let text: String
        package var count: Int
    }

    package let language: Language
    package private(set) var terms: [Term] = []

    /// May be left without terms: a query of stop words alone finds nothing.
    package init(_ text: String, language: Language = .english) {
        self.language = language
        for term in Analyzer.with(language, { $0.terms(of: text) }) {
            if let known = terms.firstIndex(where: { $0.text == term }) {
                terms[known].count += 1
            } else {
                terms.append(Term(text: term, count: 1))
            }
        }
    }
}
