/// Token ids of the words read so far, by WordPiece: the longest piece that begins the word, then
/// the longest that continues it, and so on; `[UNK]` for a word that cannot be put together or has
/// more than 100 scalars (Devlin et al., "BERT", 2018; the greedy search is the reference's).
struct WordPieces: WordSink {
    private let vocabulary: Vocabulary
    private let limit: Int
    private var word: [UInt8] = []
    private var scalars = 0
    private(set) var ids: [Int32] = []

    /// Stops looking after `limit` ids.
    init(vocabulary: Vocabulary, limit: Int) {
        self.vocabulary = vocabulary
        self.limit = limit
    }

    var isFull: Bool { ids.count >= limit }

    mutating func append(_ ascii: UInt8) {
        word.append(ascii)
        scalars += 1
    }

    mutating func append(_ scalar: Unicode.Scalar) {
        word.append(contentsOf: UTF8.encode(scalar)!)
        scalars += 1
    }

    mutating func append(id: Int32) {
        if !isFull { ids.append(id) }
    }

    mutating func endWord() {
        guard !word.isEmpty else { return }
        let before = ids.count
        var next = scalars > vocabulary.longestWord ? nil : Optional(word.startIndex)
        while let start = next, start < word.endIndex, !isFull {
            if let piece = vocabulary.longestPiece(of: word, from: start) {
                ids.append(piece.id)
                next = piece.end
            } else {
                next = nil
            }
        }
        if next == nil {
            ids.removeSubrange(before...)
            append(id: vocabulary.unknown)
        }
        word.removeAll(keepingCapacity: true)
        scalars = 0
    }
}
