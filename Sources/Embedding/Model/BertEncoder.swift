import Vectors

/// Token ids to one unit vector a sequence: the encoder of Devlin et al., "BERT" (2018), §3, with
/// mean or CLS pooling.
///
/// A batch is ragged: the tokens of all its sequences stand one after another without padding, all
/// of them go through each matrix at once, and attention is done sequence by sequence. So nothing
/// is masked, because nothing is there to mask. Dropout and the pooler head are training's.
///
/// Immutable; any number of threads may encode at once, each with its own workspace.
struct BertEncoder: Sendable {
    private struct Norm: Sendable {
        var gamma: [Float]
        var beta: [Float]
    }

    private struct Layer: Sendable {
        /// Query, key and value weights as one matrix.
        var project: MatrixProduct
        var projectBias: [Float]
        var attend: MatrixProduct
        var attendBias: [Float]
        var attendNorm: Norm
        var widen: MatrixProduct
        var widenBias: [Float]
        var narrow: MatrixProduct
        var narrowBias: [Float]
        var narrowNorm: Norm
    }

    let configuration: BertConfiguration
    private let words: MappedRows
    /// Position plus the embedding of token type 0, the only type a single text has.
    private let positions: [Float]
    private let norm: Norm
    private let layers: [Layer]
    private let kernels = TransformerKernels.current

    /// Rows of the feed-forward layer worked on at a time, so that its wide middle stays in the
    /// second-level cache (128 × 1536 floats are 786 KB). Products are no slower than with more.
    private static let tile = 128

    /// Reads and packs the layers; word embeddings stay mapped.
    init(
        configuration: BertConfiguration, weights: Safetensors, arithmetic: Arithmetic,
        library: MatrixLibrary?
    ) throws(EmbeddingError) {
        let (hidden, wide) = (configuration.hidden, configuration.intermediate)
        let prefix = weights.tensors["bert.embeddings.LayerNorm.weight"] == nil ? "" : "bert."
        func floats(_ name: String, _ shape: [Int]) throws(EmbeddingError) -> [Float] {
            try weights.floats(prefix + name, shape: shape)
        }
        func norm(_ name: String) throws(EmbeddingError) -> Norm {
            Norm(
                gamma: try floats(name + ".weight", [hidden]),
                beta: try floats(name + ".bias", [hidden]))
        }
        func matrix(
            _ weights: [Float], outputs: Int, inputs: Int
        ) throws(EmbeddingError) -> MatrixProduct {
            do {
                return try unsafe weights.withUnsafeBufferPointer {
                    buffer throws(VectorError) in
                    try unsafe MatrixProduct(
                        weights: buffer.baseAddress!, outputs: outputs, inputs: inputs,
                        arithmetic: arithmetic, library: library)
                }
            } catch {
                throw EmbeddingError(error, text: 0)
            }
        }

        self.configuration = configuration
        words = try weights.rows(
            prefix + "embeddings.word_embeddings.weight",
            shape: [configuration.vocabulary, hidden])
        var positions = try floats(
            "embeddings.position_embeddings.weight", [configuration.positions, hidden])
        let types = try floats(
            "embeddings.token_type_embeddings.weight", [configuration.tokenTypes, hidden])
        for index in positions.indices { positions[index] += types[index % hidden] }
        self.positions = positions
        self.norm = try norm("embeddings.LayerNorm")

        var layers: [Layer] = []
        for number in 0..<configuration.layers {
            let name = "encoder.layer.\(number)."
            var project: [Float] = []
            var projectBias: [Float] = []
            for part in ["query", "key", "value"] {
                let part = name + "attention.self." + part
                project += try floats(part + ".weight", [hidden, hidden])
                projectBias += try floats(part + ".bias", [hidden])
            }
            layers.append(
                Layer(
                    project: try matrix(project, outputs: 3 * hidden, inputs: hidden),
                    projectBias: projectBias,
                    attend: try matrix(
                        floats(name + "attention.output.dense.weight", [hidden, hidden]),
                        outputs: hidden, inputs: hidden),
                    attendBias: try floats(name + "attention.output.dense.bias", [hidden]),
                    attendNorm: try norm(name + "attention.output.LayerNorm"),
                    widen: try matrix(
                        floats(name + "intermediate.dense.weight", [wide, hidden]),
                        outputs: wide, inputs: hidden),
                    widenBias: try floats(name + "intermediate.dense.bias", [wide]),
                    narrow: try matrix(
                        floats(name + "output.dense.weight", [hidden, wide]),
                        outputs: hidden, inputs: wide),
                    narrowBias: try floats(name + "output.dense.bias", [hidden]),
                    narrowNorm: try norm(name + "output.LayerNorm")))
        }
        self.layers = layers
    }

    /// The library and arithmetic of the products.
    var products: (MatrixLibrary, Arithmetic) {
        (layers[0].project.library, layers[0].project.arithmetic)
    }

    /// One row per sequence, unit length (or not finite, if the weights are), `[n × hidden]`.
    ///
    /// - Precondition: every sequence has 1 to `configuration.positions` ids of the vocabulary.
    func encode(_ sequences: [[Int32]], in workspace: Workspace) -> [Float] {
        let hidden = configuration.hidden
        let rows = MatrixProduct.paddedCount(sequences.reduce(0) { $0 + $1.count })
        let longest = sequences.reduce(0) { max($0, $1.count) }
        workspace.prepare(
            rows: rows, hidden: hidden, intermediate: configuration.intermediate, tile: Self.tile,
            attention: TransformerKernels.attentionScratch(
                length: longest, width: configuration.headWidth))
        embed(sequences, rows: rows, workspace)
        for layer in layers {
            attend(layer, sequences, rows: rows, workspace)
            feedForward(layer, rows: rows, workspace)
        }
        return pool(sequences, workspace)
    }

    /// states = norm(word + position + type). Rows past the last token are zero before the norm.
    private func embed(_ sequences: [[Int32]], rows: Int, _ workspace: Workspace) {
        let hidden = configuration.hidden
        var row = unsafe workspace.states
        unsafe positions.withUnsafeBufferPointer { positions in
            for sequence in sequences {
                for (position, id) in sequence.enumerated() {
                    unsafe words.copy(Int(id), to: row)
                    unsafe kernels.addBias(
                        row, bias: positions.baseAddress! + position * hidden, rows: 1,
                        columns: hidden)
                    unsafe row += hidden
                }
            }
        }
        let end = unsafe workspace.states + rows * hidden
        unsafe row.update(repeating: 0, count: end - row)
        unsafe (workspace.context + (row - workspace.states)).update(
            repeating: 0, count: end - row)
        unsafe kernels.addNorm(
            workspace.states, adding: nil, bias: nil, gamma: norm.gamma, beta: norm.beta,
            epsilon: configuration.epsilon, rows: rows, columns: hidden)
    }

    /// states = norm(states + W·heads(states)).
    private func attend(
        _ layer: Layer, _ sequences: [[Int32]], rows: Int, _ workspace: Workspace
    ) {
        let (hidden, width) = (configuration.hidden, configuration.headWidth)
        let scale = 1 / Float(width).squareRoot()
        unsafe layer.project.multiply(workspace.states, count: rows, into: workspace.projected)
        unsafe kernels.addBias(
            workspace.projected, bias: layer.projectBias, rows: rows, columns: 3 * hidden)
        var first = 0
        for sequence in sequences {
            for head in 0..<configuration.heads {
                let q = unsafe workspace.projected + first * 3 * hidden + head * width
                unsafe kernels.attention(
                    q: q, k: q + hidden, v: q + 2 * hidden, stride: 3 * hidden,
                    length: sequence.count, width: width, scale: scale,
                    out: workspace.context + first * hidden + head * width, outStride: hidden,
                    scratch: workspace.attention)
            }
            first += sequence.count
        }
        unsafe layer.attend.multiply(workspace.context, count: rows, into: workspace.product)
        unsafe kernels.addNorm(
            workspace.states, adding: workspace.product, bias: layer.attendBias,
            gamma: layer.attendNorm.gamma, beta: layer.attendNorm.beta,
            epsilon: configuration.epsilon, rows: rows, columns: hidden)
    }

    /// states = norm(states + W₂·gelu(W₁·states)), tile by tile.
    private func feedForward(_ layer: Layer, rows: Int, _ workspace: Workspace) {
        let hidden = configuration.hidden
        for first in stride(from: 0, to: rows, by: Self.tile) {
            let count = min(Self.tile, rows - first)
            let states = unsafe workspace.states + first * hidden
            unsafe layer.widen.multiply(states, count: count, into: workspace.wide)
            unsafe kernels.biasGELU(
                workspace.wide, bias: layer.widenBias, rows: count,
                columns: configuration.intermediate)
            unsafe layer.narrow.multiply(workspace.wide, count: count, into: workspace.product)
            unsafe kernels.addNorm(
                states, adding: workspace.product, bias: layer.narrowBias,
                gamma: layer.narrowNorm.gamma, beta: layer.narrowNorm.beta,
                epsilon: configuration.epsilon, rows: count, columns: hidden)
        }
    }

    private func pool(_ sequences: [[Int32]], _ workspace: Workspace) -> [Float] {
        let hidden = configuration.hidden
        var pooled = [Float](repeating: 0, count: sequences.count * hidden)
        var first = 0
        for (index, sequence) in sequences.enumerated() {
            let start = unsafe workspace.states + first * hidden
            let read = configuration.pooling == .cls ? 1 : sequence.count
            var squares = 0.0
            for column in 0..<hidden {
                var sum: Float = 0
                for row in 0..<read { sum += unsafe start[row * hidden + column] }
                pooled[index * hidden + column] = sum
                squares += Double(sum) * Double(sum)
            }
            // The mean's divisor goes with the length.
            for column in index * hidden..<(index + 1) * hidden {
                pooled[column] = Float(Double(pooled[column]) / squares.squareRoot())
            }
            first += sequence.count
        }
        return pooled
    }
}
