// Vectors and texts of a table while they come: in memory while rows are few, else in files without a
// name, so that reading a session takes no more memory than keeping it.

import Vectors

/// Where a table's rows are held.
struct RowPlacement: Sendable {
    /// Tables of more rows lie in a file.
    let heldRows: Int
    /// Where such files are made; nil: nowhere, all is held.
    let directory: String?

    static let memory = RowPlacement(heldRows: .max, directory: nil)
}

/// Rows in the order they came.
struct GatheredRows {
    private struct Spools {
        let vectors: Spool
        let text: Spool
    }

    private let placement: RowPlacement
    /// How many rows memory is reserved for.
    private let expected: Int
    /// Known to be too many from the beginning.
    private let isLarge: Bool
    private(set) var count = 0
    /// What is not in a file: all, or the last of it. Made with the first row.
    private var held: BlockBuilder?
    private var text: [UInt8] = []
    private(set) var textStarts = [0]
    private var spools: Spools?
    /// The row being read.
    private var row: [Float] = []

    private static let rowsOfPiece = 1_024

    /// `expected`: how many rows will come at most, as far as is known.
    init(_ placement: RowPlacement, expecting expected: Int) {
        self.placement = placement
        isLarge = expected > placement.heldRows && placement.directory != nil
        self.expected = isLarge ? Self.rowsOfPiece : expected
    }

    /// A row: its text and its 768 elements, each appended by a closure.
    ///
    /// - Throws: what the closures throw; `SnapshotFileError.storage`; `VectorError.allocation`.
    mutating func append(
        text appendText: (inout [UInt8]) throws -> Void,
        vector appendVector: (inout [Float]) throws -> Void
    ) throws {
        if count % Self.rowsOfPiece == 0 { try beginPiece() }
        let before = text.count
        try appendText(&text)
        textStarts.append(textStarts[count] + text.count - before)
        row.removeAll(keepingCapacity: true)
        try appendVector(&row)
        try held!.append(row)
        count += 1
    }

    private mutating func beginPiece() throws {
        if held == nil {
            held = try BlockBuilder(dimension: UnitVector.dimension, expecting: expected)
        }
        if spools == nil, isLarge || count >= placement.heldRows,
            let directory = placement.directory
        {
            spools = Spools(vectors: try Spool(in: directory), text: try Spool(in: directory))
        }
        try spill()
    }

    /// Hands what is in memory to the files, if there are any.
    private mutating func spill() throws {
        guard let spools, let held else { return }
        try unsafe held.withUnsafeBytes { unsafe try spools.vectors.append($0) }
        try unsafe text.withUnsafeBytes { unsafe try spools.text.append($0) }
        // What was held before there were files is given back, not kept as room for the next piece.
        if held.count > Self.rowsOfPiece {
            self.held = try BlockBuilder(
                dimension: UnitVector.dimension, expecting: Self.rowsOfPiece)
            text = []
        } else {
            held.removeAll()
            text.removeAll(keepingCapacity: true)
        }
    }

    /// All rows and their texts; nothing may be appended afterwards.
    mutating func finish() throws -> (rows: Block, text: ColumnText) {
        try spill()
        let dimension = UnitVector.dimension
        guard let spools else {
            let none = Block(count: 0, dimension: dimension) { _ in }
            return (held?.block() ?? none, ColumnText(exact(text)))
        }
        let rows = Block(dimension: dimension, lent: try spools.vectors.map().memory)
        let bytes = spools.text.byteCount
        return (rows, bytes == 0 ? ColumnText([]) : ColumnText(try spools.text.map()))
    }
}

/// A copy without the room to grow.
func exact<T: BitwiseCopyable>(_ grown: [T]) -> [T] {
    unsafe [T](unsafeUninitializedCapacity: grown.count) { copy, count in
        _ = unsafe copy.initialize(from: grown)
        count = grown.count
    }
}
