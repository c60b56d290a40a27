import Foundation

/// Text to token ids, exactly as the Hugging Face fast tokenizer of a BERT model does.
package struct BertTokenizer: Sendable {
    private let normalizer: BertNormalizer
    private let vocabulary: Vocabulary
    private let first: Int32
    private let last: Int32
    /// Tokens such as `[MASK]` that are recognised in raw text, letter by letter.
    private let special: [(text: [UInt8], id: Int32)]

    /// Reads `tokenizer.json` of the model directory or, without one, `vocab.txt` with the options
    /// of `tokenizer_config.json`.
    package init(directory: String) throws(EmbeddingError) {
        let files = ModelFiles(directory: directory)
        if files.has("tokenizer.json") {
            let file = try files.json("tokenizer.json", as: TokenizerFile.self)
            try self.init(file)
        } else {
            let text = try files.text("vocab.txt")
            let options =
                files.has("tokenizer_config.json")
                ? try files.json("tokenizer_config.json", as: TokenizerOptions.self)
                : TokenizerOptions()
            try self.init(lines: text, options)
        }
    }

    private init(_ file: TokenizerFile) throws(EmbeddingError) {
        guard file.model.type ?? "WordPiece" == "WordPiece" else {
            throw .modelDamaged(
                reason: "tokenizer.json holds a \(file.model.type!) model, expected WordPiece")
        }
        guard file.normalizer.type == "BertNormalizer",
            file.preTokenizer.type == "BertPreTokenizer"
        else {
            throw .modelDamaged(reason: "tokenizer.json does not normalise and split as BERT does")
        }
        try self.init(
            vocabulary: file.model.vocab,
            unknown: file.model.unkToken ?? "[UNK]",
            continuation: file.model.continuingSubwordPrefix ?? "##",
            longestWord: file.model.maxInputCharsPerWord ?? 100,
            special: file.addedTokens?.map(\.content) ?? [],
            normalizer: BertNormalizer(
                cleansText: file.normalizer.cleanText ?? true,
                separatesIdeographs: file.normalizer.handleChineseChars ?? true,
                stripsAccents: file.normalizer.stripAccents ?? file.normalizer.lowercase ?? true,
                lowercases: file.normalizer.lowercase ?? true))
    }

    private init(lines: String, _ options: TokenizerOptions) throws(EmbeddingError) {
        var vocabulary: [String: Int32] = [:]
        for (id, line) in lines.split(
            separator: "\n", omittingEmptySubsequences: false
        ).enumerated() where !line.isEmpty {
            vocabulary[String(line)] = Int32(id)
        }
        let lowercases = options.doLowerCase ?? true
        try self.init(
            vocabulary: vocabulary, unknown: "[UNK]", continuation: "##", longestWord: 100,
            special: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
            normalizer: BertNormalizer(
                separatesIdeographs: options.tokenizeChineseChars ?? true,
                stripsAccents: options.stripAccents ?? lowercases, lowercases: lowercases))
    }

    private init(
        vocabulary: [String: Int32], unknown: String, continuation: String, longestWord: Int,
        special: [String], normalizer: BertNormalizer
    ) throws(EmbeddingError) {
        func id(_ token: String) throws(EmbeddingError) -> Int32 {
            guard let id = vocabulary[token] else {
                throw .modelDamaged(reason: "the vocabulary has no \(token)")
            }
            return id
        }
        first = try id("[CLS]")
        last = try id("[SEP]")
        self.vocabulary = Vocabulary(
            vocabulary.lazy.map { (piece: $0.key, id: $0.value) }, unknown: try id(unknown),
            continuation: continuation, longestWord: longestWord)
        self.special = special.compactMap { text in
            vocabulary[text].map { (Array(text.utf8), $0) }
        }
        self.normalizer = normalizer
        size = Int(vocabulary.values.max() ?? 0) + 1
    }

    /// One more than the largest id: how many embeddings the model must have.
    let size: Int

    /// `[CLS]`, the text's tokens, `[SEP]`; cut so that there are at most `limit` in all.
    ///
    /// - Precondition: `limit >= 2`.
    package func encode(_ text: String, limit: Int) -> [Int32] {
        [first] + tokens(of: text, limit: limit - 2) + [last]
    }

    /// How many tokens the text has, without the two special ones and without truncation.
    package func count(_ text: String) -> Int { tokens(of: text, limit: .max).count }

    /// The words a text is split into before each is cut to pieces: cleaned, stripped, lower-cased.
    package func words(of text: String) -> [String] {
        var list = WordList()
        normalizer.split(text, into: &list)
        return list.words
    }

    private func tokens(of text: String, limit: Int) -> [Int32] {
        var pieces = WordPieces(vocabulary: vocabulary, limit: limit)
        var rest = text[...]
        // Frequent: no special token at all, told by its first byte.
        while !pieces.isFull, let (range, id) = firstSpecial(in: rest) {
            normalizer.split(rest[..<range.lowerBound], into: &pieces)
            pieces.append(id: id)
            rest = rest[range.upperBound...]
        }
        normalizer.split(rest, into: &pieces)
        return pieces.ids
    }

    private func firstSpecial(in text: Substring) -> (Range<String.Index>, Int32)? {
        let utf8 = text.utf8
        for index in utf8.indices {
            for (token, id) in special
            where utf8[index] == token[0] && utf8[index...].starts(with: token) {
                return (index..<utf8.index(index, offsetBy: token.count), id)
            }
        }
        return nil
    }
}

/// What we read of a Hugging Face `tokenizer.json`; the names are the file's, in camel case.
private struct TokenizerFile: Decodable {
    struct Model: Decodable {
        var type: String?
        var unkToken: String?
        var continuingSubwordPrefix: String?
        var maxInputCharsPerWord: Int?
        var vocab: [String: Int32]
    }
    struct Normalizer: Decodable {
        var type: String
        var cleanText: Bool?
        var handleChineseChars: Bool?
        var stripAccents: Bool?
        var lowercase: Bool?
    }
    struct Splitter: Decodable { var type: String }
    struct AddedToken: Decodable { var content: String }
    var model: Model
    var normalizer: Normalizer
    var preTokenizer: Splitter
    var addedTokens: [AddedToken]?
}

/// What we read of a `tokenizer_config.json`; the names are the file's, in camel case.
private struct TokenizerOptions: Decodable {
    var doLowerCase: Bool?
    var stripAccents: Bool?
    var tokenizeChineseChars: Bool?
}
