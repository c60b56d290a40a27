// A text on its way into an answer.

/// The text of a hit: a string, or the row of a session's columns where it stands.
///
/// A search of a session in memory copies no text before the answer is written; the columns are kept
/// alive meanwhile.
package struct HitText: Sendable {
    private enum Place {
        case string(String)
        case row(RowColumns, Int)
    }

    private let place: Place

    package init(_ string: String) { place = .string(string) }

    init(row: Int, of columns: RowColumns) { place = .row(columns, row) }

    package var string: String {
        switch place {
        case .string(let string): string
        case .row(let columns, let row): columns.text(row)
        }
    }

    /// How many bytes of UTF-8 it has.
    package var byteCount: Int {
        switch place {
        case .string(let string): string.utf8.count
        case .row(let columns, let row): columns.textByteCount(row)
        }
    }

    /// The text as UTF-8, where it lies.
    package func withUnsafeUTF8<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        switch place {
        case .string(var string): string.withUTF8 { unsafe body($0) }
        case .row(let columns, let row): unsafe columns.withUnsafeText(row) { unsafe body($0) }
        }
    }
}

extension HitText: Equatable {
    package static func == (a: HitText, b: HitText) -> Bool { a.string == b.string }
}

extension HitText: ExpressibleByStringInterpolation, CustomStringConvertible {
    package init(stringLiteral string: String) { self.init(string) }
    package var description: String { string }
}
