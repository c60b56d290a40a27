/// Makes a `LexicalIndex`, row by row.
///
/// Few words make most of a text, so what stands between two blanks is analysed once and its terms are
/// remembered: ICU and the stemmer see each distinct piece, punctuation included, once. UAX #29 has a
/// boundary on both sides of a blank, so cutting there first changes no word.
struct LexicalIndexBuilder {
    /// Longer pieces (a script without blanks, an encoded image) hardly come again.
    private static let longestRemembered = 64

    private let analyzer: Analyzer
    private var terms = ByteStrings()
    /// Pieces seen, and where their terms end in `pieceTerms`.
    private var pieces = ByteStrings()
    private var pieceEnds: [Int] = []
    private var pieceTerms: [UInt32] = []

    /// For every row its distinct terms and how often each stands there.
    private var rowTerms: [UInt32] = []
    private var rowFrequencies: [UInt16] = []
    private var rowEnds: [Int] = []
    private var lengths: [UInt32] = []
    /// By term: where its entry of the row at hand is, if that is not before the row's start.
    private var entries: [Int] = []

    init(_ language: Language) { analyzer = Analyzer(language) }

    mutating func append(_ text: Span<UInt8>) {
        let first = rowTerms.count
        var length = 0
        var start = 0
        while start < text.count {
            while start < text.count, text[start] <= 0x20 { start += 1 }
            var end = start
            while end < text.count, text[end] > 0x20 { end += 1 }
            if end > start {
                length += add(piece: text.extracting(start..<end), rowStart: first)
            }
            start = end
        }
        lengths.append(UInt32(length))
        rowEnds.append(rowTerms.count)
    }

    /// Counts the terms of a piece for the row and returns how many there are.
    private mutating func add(piece: Span<UInt8>, rowStart: Int) -> Int {
        guard piece.count <= Self.longestRemembered else {
            let found = analyse(piece)
            for term in found { count(term, rowStart: rowStart) }
            return found.count
        }
        let number = pieces.insert(piece)
        if number == pieceEnds.count {
            pieceTerms += analyse(piece)
            pieceEnds.append(pieceTerms.count)
        }
        let start = number == 0 ? 0 : pieceEnds[number - 1]
        for index in start..<pieceEnds[number] { count(pieceTerms[index], rowStart: rowStart) }
        return pieceEnds[number] - start
    }

    private mutating func analyse(_ piece: Span<UInt8>) -> [UInt32] {
        var found: [UInt32] = []
        let text = unsafe piece.withUnsafeBufferPointer {
            unsafe String(decoding: $0, as: UTF8.self)
        }
        analyzer.forEachTerm(of: text) { term in found.append(UInt32(terms.insert(term.span))) }
        return found
    }

    private mutating func count(_ term: UInt32, rowStart: Int) {
        while entries.count <= Int(term) { entries.append(-1) }
        let entry = entries[Int(term)]
        if entry >= rowStart {
            if rowFrequencies[entry] < .max { rowFrequencies[entry] += 1 }
        } else {
            entries[Int(term)] = rowTerms.count
            rowTerms.append(term)
            rowFrequencies.append(1)
        }
    }

    /// From terms by row to rows by term, by counting.
    consuming func finish() -> LexicalIndex {
        var starts = Array(repeating: 0, count: terms.count + 1)
        for term in rowTerms { starts[Int(term) + 1] += 1 }
        for term in 0..<terms.count { starts[term + 1] += starts[term] }
        var next = starts
        var rows = Array(repeating: UInt32(0), count: rowTerms.count)
        var frequencies = Array(repeating: UInt16(0), count: rowTerms.count)
        var entry = 0
        for row in rowEnds.indices {
            while entry < rowEnds[row] {
                let term = Int(rowTerms[entry])
                rows[next[term]] = UInt32(row)
                frequencies[next[term]] = rowFrequencies[entry]
                next[term] += 1
                entry += 1
            }
        }
        terms.compact()
        return LexicalIndex(
            language: analyzer.language, terms: terms, starts: starts, rows: rows,
            frequencies: frequencies, lengths: lengths,
            totalLength: lengths.reduce(0) { $0 + Int($1) })
    }
}
