// Headings that say their own level: "CHAPTER IV.", "3.1.2 Locks", "B.2 Tables", "IV. Results".

enum Numbering {
    /// The level of "Part 2", "CHAPTER I. Down the Rabbit-Hole", "Anhang A"; `nil` for other lines.
    static func namedLevel(_ text: String) -> Int? {
        let words = text.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, let level = named[words[0].lowercased()],
            words[0].first?.isUppercase == true, isCount(words[1])
        else { return nil }
        // "Part 1 of the agreement ends here." is a sentence.
        let isSentence =
            words.count > 2 && words[2].last == "." && words[2].first?.isLowercase == true
        return isSentence ? nil : level
    }

    /// How deep the number is that a line begins with: 1 for `3 Locks` and `3. Locks`, 3 for `3.1.2`.
    static func depth(_ text: String) -> Int? {
        guard let space = text.firstIndex(of: " ") else { return nil }
        let title = text[space...].drop { $0 == " " }
        guard title.first?.isLetter == true, title.first?.isLowercase == false else { return nil }
        var number = text[..<space]
        let isDotted = number.last == "."
        if isDotted { number.removeLast() }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 6 else { return nil }
        let rest = parts.dropFirst()
        guard rest.allSatisfy({ (1...3).contains($0.count) && $0.allSatisfy(\.isASCIIDigit) })
        else {
            return nil
        }
        if (1...3).contains(first.count), first.allSatisfy(\.isASCIIDigit) { return parts.count }
        let isLetter =
            first.count == 1 && first.first?.isASCII == true
            && first.first?.isUppercase == true
        if isLetter, !rest.isEmpty { return parts.count }
        return isDotted && rest.isEmpty && first.count <= 6 && isRoman(first) ? 1 : nil
    }

    private static func isCount(_ word: Substring) -> Bool {
        let core = word.prefix { !".:,)".contains($0) }
        guard !core.isEmpty, core.count <= 7 else { return false }
        return core.allSatisfy(\.isASCIIDigit) || isRoman(core)
            || (core.count == 1 && core.first?.isUppercase == true)
            || numerals.contains(core.lowercased())
    }

    private static func isRoman(_ text: Substring) -> Bool {
        text.allSatisfy { "IVXLCDM".contains($0) }
    }

    private static let named: [String: Int] = [
        "part": 1, "book": 1, "volume": 1, "teil": 1, "buch": 1, "band": 1, "chapter": 2,
        "kapitel": 2, "act": 2, "akt": 2, "appendix": 2, "anhang": 2, "section": 3, "scene": 3,
        "abschnitt": 3, "szene": 3, "article": 3, "artikel": 3,
    ]

    private static let numerals: Set<String> = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve", "eins", "zwei", "drei", "vier",
    ]
}

extension Character {
    var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
