// What a quotation that does not stand in a text most resembles there.
//
// First the stretch of as many words that shares most with it, in one pass with a sliding count;
// then, around that stretch, the alignment that changes the fewest words.

extension FoldedText {
    /// A stretch of the text that a quotation may have become.
    package struct Likeness: Sendable, Equatable {
        /// `start..<end` of the text, in Unicode scalars.
        package let span: Range<Int>
        /// How much of both is the same, from 0 to 1: twice the common words by all words, the short ones
        /// counted less. Punctuation around a word does not make it another.
        package let similarity: Double
        /// What became of the quotation, in order.
        package let difference: [Change]
    }

    /// The stretch most like the quotation; nil when no word of it stands in the text.
    ///
    /// - Complexity: O(length of the text + (words of the quotation)²).
    package func nearest(to quotation: FoldedText) -> Likeness? {
        let (wanted, own) = (quotation.words(), words())
        guard !wanted.isEmpty, let best = Self.window(of: wanted, in: own) else { return nil }
        let lower = max(0, best - wanted.count)
        let upper = min(own.count, best + 2 * wanted.count)
        let alignment = WordAlignment(
            wanted.map(\.text), in: own[lower..<upper].map(\.text))
        guard let range = alignment.range else { return nil }
        let stretch = own[lower + range.lowerBound..<lower + range.upperBound]
        let found = Self.trimmed(stretch, like: wanted)
        let all = (wanted + found).reduce(0) { $0 + $1.weight }
        var left = Dictionary(found.map { ($0.key, 1) }, uniquingKeysWith: +)
        let common = wanted.reduce(0) { sum, word in
            guard let count = left[word.key], count > 0 else { return sum }
            left[word.key] = count - 1
            return sum + word.weight
        }
        return Likeness(
            span: found[found.startIndex].span
                .lowerBound..<found[found.endIndex - 1].span.upperBound,
            similarity: Double(2 * common) / Double(all),
            difference: WordAlignment(wanted.map(\.text), in: found.map(\.text)).changes)
    }

    /// The stretch without the marks that stand beside it, unless the quotation has one at that edge too.
    private static func trimmed(_ stretch: ArraySlice<Word>, like quotation: [Word]) -> [Word] {
        var words = Array(stretch)
        let last = words.count - 1
        func isLoose(_ mark: Character) -> Bool {
            let inside = words.map(\.text).joined().dropFirst().dropLast()
            return !EdgeMark.isPaired(mark, with: inside)
        }
        if let edge = quotation.last?.text.last, !EdgeMark.endsSentence(edge) {
            while words[last].text.count > 1, let mark = words[last].text.last, mark != edge,
                EdgeMark.closes(mark), isLoose(mark)
            {
                words[last].dropLast()
            }
        }
        if let edge = quotation.first?.text.first {
            while words[0].text.count > 1, let mark = words[0].text.first, mark != edge,
                EdgeMark.opens(mark), isLoose(mark)
            {
                words[0].dropFirst()
            }
        }
        return words
    }

    private struct Word {
        var text: String
        var span: Range<Int>

        mutating func dropFirst() {
            let count = text.removeFirst().unicodeScalars.count
            span = span.lowerBound + count..<span.upperBound
        }

        mutating func dropLast() {
            let count = text.removeLast().unicodeScalars.count
            span = span.lowerBound..<span.upperBound - count
        }

        /// The word without punctuation around it; all of it when it is nothing else.
        var key: String {
            let bare = text.drop(while: \.isPunctuation)
            guard let last = bare.lastIndex(where: { !$0.isPunctuation }) else { return text }
            return String(bare[...last])
        }

        /// Words of one to three letters are in every sentence; beyond four, one is as good as another.
        var weight: Int { min(key.count, 4) }
    }

    /// The words between spaces; one that was divided is whole again, without its hyphen.
    private func words() -> [Word] {
        var words: [Word] = []
        var isInside = false
        for (place, token) in tokens.enumerated() {
            switch token {
            case .space: isInside = false
            case .lineHyphen: continue
            case .character(let character):
                if isInside {
                    words[words.count - 1].text.append(character)
                    words[words.count - 1].span =
                        words[words.count - 1].span.lowerBound..<ends[place]
                } else {
                    words.append(Word(text: String(character), span: starts[place]..<ends[place]))
                    isInside = true
                }
            }
        }
        return words
    }

    /// Where the stretch of `wanted.count` words begins that has most of the wanted ones; the first of
    /// several. Nil when none has any.
    private static func window(of wanted: [Word], in own: [Word]) -> Int? {
        var missing: [String: Int] = [:]
        for word in wanted { missing[word.key, default: 0] += 1 }
        let own = own.map { (key: $0.key, weight: $0.weight) }
        var (shared, most) = (0, 0)
        var best: Int?
        for (place, word) in own.enumerated() {
            if let count = missing[word.key] {
                if count > 0 { shared += word.weight }
                missing[word.key] = count - 1
            }
            if place >= wanted.count {
                let left = own[place - wanted.count]
                if let count = missing[left.key] {
                    if count >= 0 { shared -= left.weight }
                    missing[left.key] = count + 1
                }
            }
            if shared > most {
                most = shared
                best = max(0, place - wanted.count + 1)
            }
        }
        return best
    }
}
