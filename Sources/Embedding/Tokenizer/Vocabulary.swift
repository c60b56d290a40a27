/// The pieces of a WordPiece vocabulary, as a trie over UTF-8 bytes with two roots: pieces that begin
/// a word, and pieces (`##…`) that continue one.
///
/// A trie finds the longest piece in one walk, and compares bytes: `String` would take canonically
/// equivalent pieces for one.
struct Vocabulary: Sendable {
    let unknown: Int32
    /// In scalars; longer words are unknown as a whole.
    let longestWord: Int
    private var children: [UInt64: Int32] = [:]
    /// The id of the piece that ends at a node, or -1.
    private var pieces: [Int32] = [-1, -1]

    private static let beginning: Int32 = 0
    private static let continuing: Int32 = 1

    /// Pieces with their ids; `##` (by default) begins one that continues a word.
    init(
        _ vocabulary: some Sequence<(piece: String, id: Int32)>, unknown: Int32,
        continuation: String = "##", longestWord: Int = 100
    ) {
        self.unknown = unknown
        self.longestWord = longestWord
        let mark = Array(continuation.utf8)
        for (piece, id) in vocabulary {
            let bytes = Array(piece.utf8)
            // The mark alone, or in front of nothing, can only be text.
            if bytes.count > mark.count && bytes.starts(with: mark) {
                insert(bytes.dropFirst(mark.count), at: Self.continuing, id: id)
            }
            insert(bytes[...], at: Self.beginning, id: id)
        }
    }

    /// The longest piece that lies at `start` of the word, and where it ends.
    func longestPiece(of word: [UInt8], from start: Int) -> (id: Int32, end: Int)? {
        var node = start == 0 ? Self.beginning : Self.continuing
        var found: (id: Int32, end: Int)?
        var index = start
        while index < word.count, let child = children[Self.edge(node, word[index])] {
            node = child
            index += 1
            if pieces[Int(node)] >= 0 { found = (pieces[Int(node)], index) }
        }
        return found
    }

    private mutating func insert(_ bytes: ArraySlice<UInt8>, at root: Int32, id: Int32) {
        var node = root
        for byte in bytes {
            let edge = Self.edge(node, byte)
            if let child = children[edge] {
                node = child
            } else {
                node = Int32(pieces.count)
                pieces.append(-1)
                children[edge] = node
            }
        }
        pieces[Int(node)] = id
    }

    private static func edge(_ node: Int32, _ byte: UInt8) -> UInt64 {
        UInt64(node) << 8 | UInt64(byte)
    }
}
