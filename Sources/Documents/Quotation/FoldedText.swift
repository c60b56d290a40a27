// A text as it is compared when somebody quotes it.
//
// What a reader copies out of a document differs from the stored text in ways that are not the
// author's: where lines break, how wide a gap is, whether "fi" is one glyph, whether an accent is a
// scalar of its own, where a word was divided. These are folded, and nothing else: case, quotation
// marks, dashes and digits are what was written.

/// A text as tokens, each with the stretch of the original it came from, in Unicode scalars.
package struct FoldedText: Sendable {
    enum Token: Equatable, Sendable {
        /// Compared by canonical equivalence, as Swift compares characters: é is e with an accent.
        case character(Character)
        /// Any run of white space.
        case space
        /// A hyphen between letters with a gap after it, as where a line ended: perhaps the word's own,
        /// perhaps the typesetter's. Extractors and clipboards make a space of the line's end.
        case lineHyphen
    }

    private(set) var tokens: [Token] = []
    private(set) var starts: [Int] = []
    private(set) var ends: [Int] = []

    package init(_ text: some StringProtocol) {
        tokens.reserveCapacity(text.utf8.count)
        var offset = 0
        for character in text {
            let end = offset + character.unicodeScalars.count
            if character.isWhitespace {
                addSpace(offset, end)
            } else if character == "\u{AD}" {
                // A soft hyphen is seen only where a line ends after it.
                pendingHyphen = pendingHyphen ?? offset
            } else if !Self.invisible.contains(character) {
                add(character, offset, end)
            }
            offset = end
        }
        if tokens.last == .lineHyphen { unmakeLineHyphen() }
        if tokens.last == .space { removeLast() }
    }

    /// Where a soft hyphen stands that a line may end after.
    private var pendingHyphen: Int?

    /// Zero-width: a word joiner, a place where a line may break, a byte order mark.
    private static let invisible: Set<Character> = ["\u{200B}", "\u{2060}", "\u{FEFF}"]

    /// Hyphens; the minus and the dashes are other things.
    private static let hyphens: Set<Character> = ["-", "\u{2010}", "\u{2011}"]

    /// Latin ligatures that typesetting makes of letters.
    private static let ligatures: [Character: [Character]] = [
        "\u{FB00}": ["f", "f"], "\u{FB01}": ["f", "i"], "\u{FB02}": ["f", "l"],
        "\u{FB03}": ["f", "f", "i"], "\u{FB04}": ["f", "f", "l"], "\u{FB05}": ["s", "t"],
        "\u{FB06}": ["s", "t"],
    ]

    private mutating func add(_ character: Character, _ start: Int, _ end: Int) {
        pendingHyphen = nil
        if tokens.last == .lineHyphen, !character.isLetter { unmakeLineHyphen() }
        if let letters = Self.ligatures[character] {
            for letter in letters { append(.character(letter), start, end) }
        } else {
            append(.character(Self.hyphens.contains(character) ? "-" : character), start, end)
        }
    }

    private mutating func addSpace(_ start: Int, _ end: Int) {
        let softHyphen = pendingHyphen
        pendingHyphen = nil
        switch tokens.last {
        case nil: break
        case .space, .lineHyphen: ends[ends.count - 1] = end
        case .character("-") where endsWord(tokens.count - 2):
            tokens[tokens.count - 1] = .lineHyphen
            ends[ends.count - 1] = end
        case .character:
            append(softHyphen == nil ? .space : .lineHyphen, softHyphen ?? start, end)
        }
    }

    private func endsWord(_ place: Int) -> Bool {
        guard place >= 0, case .character(let letter) = tokens[place] else { return false }
        return letter.isLetter
    }

    /// No letter follows: it was a dash after all.
    private mutating func unmakeLineHyphen() {
        let (start, end) = (starts[starts.count - 1], ends[ends.count - 1])
        removeLast()
        append(.character("-"), start, start + 1)
        append(.space, start + 1, end)
    }

    private mutating func append(_ token: Token, _ start: Int, _ end: Int) {
        tokens.append(token)
        starts.append(start)
        ends.append(end)
    }

    private mutating func removeLast() {
        tokens.removeLast()
        starts.removeLast()
        ends.removeLast()
    }
}
