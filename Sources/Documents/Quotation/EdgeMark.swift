// Punctuation that stands beside a phrase without being of it: the comma after it, the bracket it stands in.

enum EdgeMark {
    private static let sentence: Set<Character> = [",", ";", ":", ".", "…", "!", "?"]
    private static let pairs: [(open: Character, close: Character)] = [
        ("(", ")"), ("[", "]"), ("{", "}"), ("“", "”"), ("„", "“"), ("‘", "’"), ("«", "»"),
        ("»", "«"), ("\"", "\""), ("'", "'"),
    ]

    /// Whether a phrase may begin after such a mark.
    static func opens(_ mark: Character) -> Bool { pairs.contains { $0.open == mark } }

    /// Whether it stands after a sentence, or a part of one.
    static func endsSentence(_ mark: Character) -> Bool { sentence.contains(mark) }

    /// Whether a phrase may end before such a mark.
    static func closes(_ mark: Character) -> Bool {
        endsSentence(mark) || pairs.contains { $0.close == mark }
    }

    /// Whether its other half stands inside: then the mark is of the phrase.
    static func isPaired(_ mark: Character, with inside: some StringProtocol) -> Bool {
        pairs.contains { pair in
            (pair.open == mark && inside.contains(pair.close))
                || (pair.close == mark && inside.contains(pair.open))
        }
    }
}
