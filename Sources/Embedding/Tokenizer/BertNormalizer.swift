import Foundation

/// Text to words as BERT sees them: cleaned, ideographs apart, accents stripped, lower-cased, split
/// at white space and punctuation.
///
/// The reference does this in passes over the text; here each scalar goes through all of them at
/// once, and words leave as they end, so that a long text can be left when there are
/// enough tokens.
struct BertNormalizer: Sendable, Equatable {
    var cleansText = true
    var separatesIdeographs = true
    var stripsAccents = true
    var lowercases = true

    /// Hands the words of `text` to `sink` in order, until it is full.
    func split(_ text: some StringProtocol, into sink: inout some WordSink) {
        // Accents compose only outside ASCII, so a run of other scalars is decomposed together.
        var run = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                if !run.isEmpty {
                    append(run, to: &sink)
                    run = String.UnicodeScalarView()
                }
                appendASCII(UInt8(scalar.value), to: &sink)
                if sink.isFull { return }
            } else {
                run.append(scalar)
            }
        }
        append(run, to: &sink)
        sink.endWord()
    }

    private func appendASCII(_ byte: UInt8, to sink: inout some WordSink) {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            sink.append(byte)
        case UInt8(ascii: "A")...UInt8(ascii: "Z"):
            sink.append(lowercases ? byte | 0x20 : byte)
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            sink.endWord()
        case 0...0x1F, 0x7F:
            if !cleansText { append(Unicode.Scalar(byte), to: &sink) }
        default:  // Every other ASCII character is punctuation.
            sink.endWord()
            sink.append(byte)
            sink.endWord()
        }
    }

    /// Scalars outside ASCII.
    private func append(_ run: String.UnicodeScalarView, to sink: inout some WordSink) {
        guard !run.isEmpty else { return }
        var known = String.UnicodeScalarView()
        for scalar in run where !(cleansText && BertCharacters.isControl(scalar)) {
            // What Unicode 8 did not know has no decomposition either.
            if stripsAccents && BertCharacters.isKnown(scalar) {
                known.append(scalar)
            } else {
                appendDecomposed(known, to: &sink)
                known = String.UnicodeScalarView()
                appendLowercased(scalar, to: &sink)
            }
        }
        appendDecomposed(known, to: &sink)
    }

    private func appendDecomposed(_ run: String.UnicodeScalarView, to sink: inout some WordSink) {
        guard !run.isEmpty else { return }
        for scalar in String(run).decomposedStringWithCanonicalMapping.unicodeScalars
        where !BertCharacters.isNonspacingMark(scalar) {
            appendLowercased(scalar, to: &sink)
        }
    }

    private func appendLowercased(_ scalar: Unicode.Scalar, to sink: inout some WordSink) {
        guard lowercases else { return append(scalar, to: &sink) }
        for lowered in scalar.properties.lowercaseMapping.unicodeScalars {
            append(lowered, to: &sink)
        }
    }

    /// A scalar in its final form.
    private func append(_ scalar: Unicode.Scalar, to sink: inout some WordSink) {
        if BertCharacters.isSpace(scalar) {
            sink.endWord()
        } else if BertCharacters.isPunctuation(scalar)
            || separatesIdeographs && BertCharacters.isIdeograph(scalar)
        {
            sink.endWord()
            sink.append(scalar)
            sink.endWord()
        } else {
            sink.append(scalar)
        }
    }
}

/// What the words go into, scalar by scalar.
protocol WordSink {
    /// No more is wanted.
    var isFull: Bool { get }
    mutating func append(_ ascii: UInt8)
    mutating func append(_ scalar: Unicode.Scalar)
    /// The word is whole. Often there was none.
    mutating func endWord()
}

/// The words themselves.
struct WordList: WordSink {
    private(set) var words: [String] = []
    private var word = String.UnicodeScalarView()
    let isFull = false

    mutating func append(_ ascii: UInt8) { word.append(Unicode.Scalar(ascii)) }
    mutating func append(_ scalar: Unicode.Scalar) { word.append(scalar) }

    mutating func endWord() {
        guard !word.isEmpty else { return }
        words.append(String(word))
        word = String.UnicodeScalarView()
    }
}
