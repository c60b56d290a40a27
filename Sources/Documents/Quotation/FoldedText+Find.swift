// Where a quotation stands in a text.
//
// A hyphen where a line ended may or may not be there in the quotation, so the two are not compared
// token by token but in two steps: their letters, without gaps and hyphens, are searched for in
// linear time (Knuth, Morris, Pratt, SIAM J. Comput. 6, 1977); at each place found the tokens are
// walked side by side. The first step nearly always finds one place, and the second confirms it.

extension FoldedText {
    /// Where the quotation stands, as `start..<end` of this text in Unicode scalars, from the front.
    /// Places that overlap an earlier one are left out. None when the quotation has nothing but
    /// space and hyphens in it.
    ///
    /// A quotation that begins or ends with a digit does not cut a number: `500` does not stand in
    /// `1,500`, `500.25` or `-500`.
    ///
    /// - Complexity: O(length of both).
    package func occurrences(of quotation: FoldedText) -> [Range<Int>] {
        let wanted = quotation.letters()
        guard let first = wanted.places.first else { return [] }
        let own = letters()
        var found: [Range<Int>] = []
        var end = 0
        for hit in Self.hits(of: wanted.letters, in: own.letters) {
            let start = own.places[hit] - first
            guard start >= end, let next = walk(quotation, from: start),
                !cutsNumber(start..<next)
            else { continue }
            found.append(starts[start]..<ends[next - 1])
            end = next
        }
        return found
    }

    /// The characters that count in the first step, and which tokens they are.
    private func letters() -> (letters: [Character], places: [Int]) {
        var letters: [Character] = []
        var places: [Int] = []
        for (place, token) in tokens.enumerated() {
            guard case .character(let character) = token, character != "-" else { continue }
            letters.append(character)
            places.append(place)
        }
        return (letters, places)
    }

    /// Where a pattern that is not empty begins in a text.
    private static func hits(of pattern: [Character], in text: [Character]) -> [Int] {
        // border[i]: how long the longest proper prefix of pattern[...i] is that also ends it.
        var border = [0]
        var length = 0
        for index in pattern.indices.dropFirst() {
            while length > 0, pattern[index] != pattern[length] { length = border[length - 1] }
            if pattern[index] == pattern[length] { length += 1 }
            border.append(length)
        }
        var hits: [Int] = []
        length = 0
        for (index, character) in text.enumerated() {
            while length > 0, character != pattern[length] { length = border[length - 1] }
            if character == pattern[length] { length += 1 }
            if length == pattern.count {
                hits.append(index + 1 - length)
                length = border[length - 1]
            }
        }
        return hits
    }

    /// The token after the quotation when it stands at `start`, else nil.
    private func walk(_ quotation: FoldedText, from start: Int) -> Int? {
        guard start >= 0 else { return nil }
        var (place, wanted) = (start, 0)
        while wanted < quotation.tokens.count {
            guard place < tokens.count else { return nil }
            switch (tokens[place], quotation.tokens[wanted]) {
            case (let mine, let theirs) where mine == theirs:
                place += 1
                wanted += 1
            case (.lineHyphen, .character("-")):
                place += 1
                wanted += 1
            case (.lineHyphen, _): place += 1
            case (.character("-"), .lineHyphen):
                place += 1
                wanted += 1
            case (_, .lineHyphen): wanted += 1
            default: return nil
            }
        }
        return place
    }

    private subscript(place: Int) -> Token? {
        tokens.indices.contains(place) ? tokens[place] : nil
    }

    private func cutsNumber(_ range: Range<Int>) -> Bool {
        func isDigit(_ place: Int) -> Bool {
            if case .character(let character)? = self[place] { character.isNumber } else { false }
        }
        func isPoint(_ place: Int) -> Bool {
            self[place] == .character(".") || self[place] == .character(",")
        }
        func isSign(_ place: Int) -> Bool {
            guard self[place] == .character("-") || self[place] == .character("\u{2212}") else {
                return false
            }
            if case .character(let before)? = self[place - 1] {
                return !before.isLetter && !before.isNumber
            }
            return true
        }
        let (first, last) = (range.lowerBound, range.upperBound - 1)
        if isDigit(first) {
            if isDigit(first - 1) || isSign(first - 1) { return true }
            if isPoint(first - 1), isDigit(first - 2) { return true }
        }
        if isDigit(last) {
            if isDigit(last + 1) { return true }
            if isPoint(last + 1), isDigit(last + 2) { return true }
        }
        return false
    }
}
