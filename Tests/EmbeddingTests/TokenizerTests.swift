import Embedding
import Foundation
import Testing

@Suite(.needsModel) struct TokenizerTests {
    private let tokenizer: BertTokenizer

    init() throws { tokenizer = try BertTokenizer(directory: Model.directory) }

    @Test("Token ids of 1,000 texts are the reference's")
    func ids() throws {
        let texts = try Fixtures.texts()
        let expected = try Fixtures.tokens()
        #expect(texts.count == 1000 && expected.count == 1000)
        for (text, ids) in zip(texts, expected) {
            #expect(tokenizer.encode(text, limit: 256) == ids, "\(text.debugDescription)")
        }
    }

    @Test("Every Unicode scalar is dropped, split at, mapped or kept as the reference does")
    func characters() throws {
        let lines = String(decoding: try Fixtures.data("characters.txt"), as: UTF8.self)
        var seen = 0
        var wrong: [String] = []
        for line in lines.split(separator: "\n") {
            let fields = line.split(separator: " ")
            func scalar(_ hex: Substring) -> Unicode.Scalar {
                Unicode.Scalar(UInt32(hex, radix: 16)!)!
            }
            let changes = fields[1] == "map" || fields[1] == "pair"
            let last = changes ? fields[0] : fields[1]
            for value in scalar(fields[0]).value...scalar(last).value {
                guard let scalar = Unicode.Scalar(value) else { continue }
                let own = String(scalar)
                let expected: [String]
                switch changes ? fields[1] : fields[2] {
                case "drop": expected = ["aa"]
                case "space": expected = ["a", "a"]
                case "punct": expected = ["a", own, "a"]
                case "word": expected = ["a" + own + "a"]
                case "jamo": expected = ["a" + own.decomposedStringWithCanonicalMapping + "a"]
                default:
                    var mapped = String.UnicodeScalarView()
                    for field in fields[2...] {
                        mapped.append(Unicode.Scalar(UInt32(field, radix: 16)!)!)
                    }
                    let text = String(mapped)
                    expected = fields[1] == "map" ? ["a" + text + "a"] : ["a", text, "a"]
                }
                let words = tokenizer.words(of: "a" + own + "a")
                // By scalars: `String` would call composed and decomposed letters equal.
                if words.map({ Array($0.unicodeScalars) })
                    != expected.map({ Array($0.unicodeScalars) })
                {
                    wrong.append("\(String(value, radix: 16)): \(words), expected \(expected)")
                }
                seen += 1
            }
        }
        #expect(seen == 0x110000 - 0x800)
        #expect(wrong.isEmpty, "\(wrong.count) scalars: \(wrong.prefix(10))")
    }

    @Test("A long text is cut, and counted whole")
    func truncation() {
        let text = String(repeating: "word ", count: 1000)
        let ids = tokenizer.encode(text, limit: 256)
        #expect(ids.count == 256 && ids.first == 101 && ids.last == 102)
        #expect(tokenizer.count(text) == 1000)
        #expect(tokenizer.count("") == 0)
        #expect(tokenizer.encode("", limit: 256) == [101, 102])
    }

    @Test("vocab.txt alone gives the same ids as tokenizer.json")
    func plainVocabulary() async throws {
        try await withTemporaryDirectory { directory in
            for file in ["vocab.txt", "tokenizer_config.json"] {
                try FileManager.default.copyItem(
                    atPath: Model.directory + "/" + file, toPath: directory + "/" + file)
            }
            let plain = try BertTokenizer(directory: directory)
            for text in try Fixtures.texts() {
                #expect(plain.encode(text, limit: 256) == tokenizer.encode(text, limit: 256))
            }
        }
    }
}

/// A directory that is gone when `body` returns.
func withTemporaryDirectory<R>(_ body: (String) async throws -> R) async throws -> R {
    let directory = FileManager.default.temporaryDirectory
        .appendingPathComponent("carrel-embedding-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    return try await body(directory)
}
