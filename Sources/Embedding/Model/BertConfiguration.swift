/// The shape of a BERT encoder, from the model directory's JSON files, checked.
struct BertConfiguration: Sendable, Equatable {
    enum Pooling: String, Sendable {
        case mean
        case cls
    }

    var hidden: Int
    var layers: Int
    var heads: Int
    var intermediate: Int
    var vocabulary: Int
    var positions: Int
    var tokenTypes: Int
    var epsilon: Float
    var pooling: Pooling
    /// Tokens a text is cut to, special ones included.
    var maxTokens: Int

    var headWidth: Int { hidden / heads }

    init(files: ModelFiles) throws(EmbeddingError) {
        let config = try files.json("config.json", as: ConfigFile.self)
        func refuse(_ reason: String) throws(EmbeddingError) {
            throw .modelDamaged(reason: "config.json: \(reason)")
        }
        if config.modelType != "bert" {
            try refuse("expected model_type bert, got \(config.modelType)")
        }
        if config.hiddenAct ?? "gelu" != "gelu" {
            try refuse("expected the activation gelu, got \(config.hiddenAct!)")
        }
        if config.positionEmbeddingType ?? "absolute" != "absolute" {
            try refuse("expected absolute positions, got \(config.positionEmbeddingType!)")
        }
        for size in [
            config.hiddenSize, config.numHiddenLayers, config.numAttentionHeads,
            config.intermediateSize, config.vocabSize, config.maxPositionEmbeddings,
        ] where size < 1 || size > 1 << 20 {
            try refuse("\(size) is no size")
        }
        if config.hiddenSize > 768 {
            throw .wrongDimension(expected: 768, got: config.hiddenSize)
        }
        if config.hiddenSize % config.numAttentionHeads != 0 {
            try refuse("\(config.numAttentionHeads) heads do not share \(config.hiddenSize)")
        }
        hidden = config.hiddenSize
        layers = config.numHiddenLayers
        heads = config.numAttentionHeads
        intermediate = config.intermediateSize
        vocabulary = config.vocabSize
        positions = config.maxPositionEmbeddings
        tokenTypes = config.typeVocabSize ?? 2
        epsilon = config.layerNormEps ?? 1e-12

        pooling = .mean
        if files.has("1_Pooling/config.json") {
            let file = try files.json("1_Pooling/config.json", as: PoolingFile.self)
            let modes = [
                file.poolingModeClsToken, file.poolingModeMeanTokens,
                file.poolingModeMaxTokens, file.poolingModeMeanSqrtLenTokens,
            ].map { $0 ?? false }
            switch modes {
            case [true, false, false, false]: pooling = .cls
            case [false, true, false, false]: pooling = .mean
            default: throw .modelDamaged(reason: "the pooling is neither mean nor CLS alone")
            }
        }
        maxTokens = positions
        if files.has("sentence_bert_config.json") {
            let file = try files.json("sentence_bert_config.json", as: SentenceFile.self)
            if let limit = file.maxSeqLength {
                guard limit >= 3 else {
                    throw .modelDamaged(reason: "max_seq_length \(limit) leaves no room for text")
                }
                maxTokens = min(limit, positions)
            }
        }
    }
}

// What we read of the files; the names are theirs, in camel case.

private struct ConfigFile: Decodable {
    var modelType: String
    var hiddenSize: Int
    var numHiddenLayers: Int
    var numAttentionHeads: Int
    var intermediateSize: Int
    var vocabSize: Int
    var maxPositionEmbeddings: Int
    var typeVocabSize: Int?
    var hiddenAct: String?
    var layerNormEps: Float?
    var positionEmbeddingType: String?
}

private struct PoolingFile: Decodable {
    var poolingModeClsToken: Bool?
    var poolingModeMeanTokens: Bool?
    var poolingModeMaxTokens: Bool?
    var poolingModeMeanSqrtLenTokens: Bool?
}

private struct SentenceFile: Decodable {
    var maxSeqLength: Int?
}
