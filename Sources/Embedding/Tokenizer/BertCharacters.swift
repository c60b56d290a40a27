/// How the reference tokenizer (Hugging Face `tokenizers`, `BertNormalizer` and `BertPreTokenizer`)
/// sees a scalar.
///
/// Its categories are those of Unicode 8, the tables of the Rust crate it uses, while the standard
/// library's are newer: what Unicode 8 had not assigned yet is an ordinary part of a word, and
/// seven scalars have changed their category since. Tests/EmbeddingTests compares every scalar with
/// the reference.
enum BertCharacters {
    /// Removed from the text. Tab, line feed and carriage return are white space instead.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\t", "\n", "\r": return false
        case "\0", "\u{FFFD}": return true
        default: break
        }
        switch category(scalar) {
        case .control, .format, .privateUse: return true
        default: return false
        }
    }

    /// Separates words.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }

    /// A word of its own. Every ASCII symbol counts, as do `$`, `+` and `~`.
    static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
        default: break
        }
        switch category(scalar) {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
            .initialPunctuation, .finalPunctuation, .otherPunctuation:
            return true
        default: return false
        }
    }

    /// An accent: removed after decomposition.
    static func isNonspacingMark(_ scalar: Unicode.Scalar) -> Bool {
        category(scalar) == .nonspacingMark
    }

    /// A word of its own, although it is a letter. The ranges are the reference's, gap included
    /// (2B820 to 2B91F is missing there).
    static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F,
            0x2B740...0x2B81F, 0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            return true
        default: return false
        }
    }

    /// Whether Unicode 8 had assigned it.
    static func isKnown(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.age.map { $0.major <= 8 } ?? false
    }

    /// The general category in Unicode 8.
    private static func category(_ scalar: Unicode.Scalar) -> Unicode.GeneralCategory {
        switch scalar.value {
        case 0x166D, 0x111C9: .otherPunctuation
        case 0x1734, 0x1171E: .nonspacingMark
        case 0x1885, 0x1886: .otherLetter
        case 0xA9BD: .spacingMark
        default: isKnown(scalar) ? scalar.properties.generalCategory : .unassigned
        }
    }
}
