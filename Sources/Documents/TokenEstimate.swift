/// About how many tokens a text is, for whoever has no tokenizer at hand.
///
/// Cuts as BERT's pre-tokenizer does (white space separates; each punctuation mark and ideograph
/// stands alone) and then takes one token for a word of up to six characters and one more for every
/// four beyond. Against MiniLM's WordPiece: 1.07 on English prose, 1.11 to 1.22 on programming texts,
/// 0.80 on German with formulas.
package enum TokenEstimate {
    /// - Complexity: O(length of the text).
    package static func count(_ text: String) -> Int {
        var total = 0
        var word = 0
        func close() {
            if word > 0 { total += word <= 6 ? 1 : 1 + (word - 3) / 4 }
            word = 0
        }
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 48...57, 65...90, 97...122:
                word += 1
            case 9...13, 32, 0xa0, 0x2000...0x200a, 0x2028, 0x2029, 0x3000:
                close()
            case 33...126, 0x2010...0x205e, 0x2e80...0x9fff, 0xac00...0xd7a3, 0xff00...0xffef,
                0x20000...0x3ffff:
                close()
                total += 1
            default:
                word += 1
            }
        }
        close()
        return total
    }
}
