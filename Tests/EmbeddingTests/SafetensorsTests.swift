import Embedding
import Foundation
import Testing
import Vectors

/// Models small enough to write here: what a weights file may be, and what is refused.
@Suite struct SafetensorsTests {
    @Test("F16 and BF16 weights give what F32 weights give, but for rounding")
    func elementTypes() async throws {
        let texts = ["a b c", "b", "c a"]
        let full = try await vectors(of: TinyModel(), texts)
        for (element, limit) in [("F16", 0.99999), ("BF16", 0.995)] {
            var model = TinyModel()
            model.element = element
            let half = try await vectors(of: model, texts)
            for row in 0..<texts.count {
                #expect(cosine(half.row(row), full.row(row)) > limit, "\(element)")
            }
        }
    }

    @Test("Mean and CLS pooling follow 1_Pooling/config.json, and mean is the default")
    func pooling() async throws {
        var (plain, mean, cls) = (TinyModel(), TinyModel(), TinyModel())
        plain.pooling = nil
        mean.pooling = #"{"pooling_mode_mean_tokens": true}"#
        cls.pooling = #"{"pooling_mode_cls_token": true}"#
        let texts = ["a b", "c"]
        let (one, two, three) = (
            try await vectors(of: plain, texts), try await vectors(of: mean, texts),
            try await vectors(of: cls, texts)
        )
        #expect(one.row(0) == two.row(0))
        #expect(cosine(one.row(0), three.row(0)) < 0.9999)
    }

    @Test("Names may begin with bert., as in whole checkpoints")
    func prefix() async throws {
        var prefixed = TinyModel()
        prefixed.prefix = "bert."
        let one = try await vectors(of: TinyModel(), ["a"])
        let two = try await vectors(of: prefixed, ["a"])
        #expect(one.row(0) == two.row(0))
    }

    @Test(
        "A damaged weights file is refused with a reason",
        arguments: [
            "empty", "short", "header past the end", "not JSON", "offsets past the end",
            "offsets backwards", "bytes against shape", "shape overflows", "tensor missing",
            "other shape", "NaN",
        ])
    func damage(kind: String) async throws {
        await #expect(throws: EmbeddingError.self) {
            var model = TinyModel()
            model.damage = kind
            _ = try await vectors(of: model, ["a"])
        }
    }

    @Test(
        "A model this encoder cannot run is refused",
        arguments: [
            #""model_type": "bert""#: #""model_type": "roberta""#,
            #""hidden_act": "gelu""#: #""hidden_act": "relu""#,
            #""num_attention_heads": 2"#: #""num_attention_heads": 3"#,
            #""hidden_size": 16"#: #""hidden_size": 1024"#,
            #""vocab_size": 8"#: #""vocab_size": 4"#,
        ])
    func configuration(change: (key: String, value: String)) async throws {
        await #expect(throws: EmbeddingError.self) {
            var model = TinyModel()
            model.config = model.config.replacingOccurrences(of: change.key, with: change.value)
            _ = try await vectors(of: model, ["a"])
        }
    }

    @Test("A directory without a model says which file is missing")
    func missing() throws {
        #expect(throws: EmbeddingError.modelMissing(path: "/nowhere/config.json")) {
            try BertEmbedder(directory: "/nowhere")
        }
    }

    private func vectors(of model: TinyModel, _ texts: [String]) async throws -> Block {
        try await withTemporaryDirectory { directory in
            try model.write(to: directory)
            var options = BertEmbedder.Options()
            options.threads = 1
            options.queryThreads = 1
            return try await BertEmbedder(directory: directory, options: options)
                .embed(texts, as: .passage)
        }
    }
}

/// One layer of two heads, 16 wide, random weights; and the ways to spoil it.
private struct TinyModel {
    var element = "F32"
    var prefix = ""
    var pooling: String? = #"{"pooling_mode_mean_tokens": true}"#
    var damage = ""
    var config = """
        {"model_type": "bert", "hidden_size": 16, "num_hidden_layers": 1,
         "num_attention_heads": 2, "intermediate_size": 20, "vocab_size": 8,
         "max_position_embeddings": 12, "type_vocab_size": 2, "hidden_act": "gelu",
         "layer_norm_eps": 1e-12}
        """

    func write(to directory: String) throws {
        func put(_ name: String, _ data: Data) throws {
            try data.write(to: URL(fileURLWithPath: directory + "/" + name))
        }
        try put("config.json", Data(config.utf8))
        try put("vocab.txt", Data("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\n".utf8))
        try put("model.safetensors", file())
        if let pooling {
            try FileManager.default.createDirectory(
                atPath: directory + "/1_Pooling", withIntermediateDirectories: true)
            try put("1_Pooling/config.json", Data(pooling.utf8))
        }
    }

    private var shapes: [(String, [Int])] {
        let layer = "encoder.layer.0."
        var shapes = [
            ("embeddings.word_embeddings.weight", [8, 16]),
            ("embeddings.position_embeddings.weight", [12, 16]),
            ("embeddings.token_type_embeddings.weight", [2, 16]),
            (layer + "intermediate.dense.weight", [20, 16]),
            (layer + "intermediate.dense.bias", [20]),
            (layer + "output.dense.weight", [16, 20]),
            (layer + "output.dense.bias", [16]),
        ]
        for part in ["self.query", "self.key", "self.value", "output.dense"] {
            shapes.append((layer + "attention.\(part).weight", [16, 16]))
            shapes.append((layer + "attention.\(part).bias", [16]))
        }
        for norm in ["embeddings", layer + "attention.output", layer + "output"] {
            shapes.append((norm + ".LayerNorm.weight", [16]))
            shapes.append((norm + ".LayerNorm.bias", [16]))
        }
        return shapes
    }

    private func file() -> Data {
        var random = Random(seed: 3)
        var entries: [String] = []
        var body: [UInt8] = []
        for (index, (name, shape)) in shapes.enumerated() {
            var shape = shape
            if damage == "tensor missing" && index == 5 { continue }
            let start = body.count
            for value in random.floats(shape.reduce(1, *)) {
                append(damage == "NaN" ? .nan : value, to: &body)
            }
            var offsets = [start, body.count]
            if index == 1 {
                switch damage {
                case "offsets past the end": offsets[1] += 1 << 40
                case "offsets backwards": offsets.swapAt(0, 1)
                case "bytes against shape": offsets[1] -= 4
                case "shape overflows": shape = [1 << 62, 1 << 62]
                case "other shape": shape = [6, 32]
                default: break
                }
            }
            entries.append(
                #""\#(prefix)\#(name)":{"dtype":"\#(element)","shape":\#(shape),"data_offsets":\#(offsets)}"#
            )
        }
        var header = #"{"__metadata__":{"format":"pt"},\#(entries.joined(separator: ","))}"#
        if damage == "not JSON" { header = "{" + header }
        var length = UInt64(header.utf8.count)
        if damage == "header past the end" { length = 1 << 63 }
        let bytes =
            (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header.utf8 + body
        switch damage {
        case "empty": return Data()
        case "short": return Data(bytes.prefix(7))
        default: return Data(bytes)
        }
    }

    private func append(_ value: Float, to bytes: inout [UInt8]) {
        let bits = value.bitPattern
        switch element {
        case "F16":
            let half = Kernels.current.narrowed(floats: [value])[0]
            bytes += [UInt8(half & 255), UInt8(half >> 8)]
        case "BF16": bytes += [UInt8(bits >> 16 & 255), UInt8(bits >> 24)]
        default: bytes += (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
        }
    }
}
