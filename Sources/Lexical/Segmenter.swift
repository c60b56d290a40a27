// The one Swift file that calls ICU.

internal import CICU

/// Cuts text into folded words: NFKC with case folding, then the word boundaries of UAX #29
/// (<https://www.unicode.org/reports/tr29/>), which ICU extends by dictionaries for scripts written
/// without blanks. Not Sendable: a breaker walks one text at a time.
@safe final class Segmenter {
    private let breaker: OpaquePointer
    private var folded: [UInt16] = Array(repeating: 0, count: 256)

    /// Whether ICU is here whole: it finds its data.
    static let isAvailable: Bool = {
        guard let breaker = unsafe icu_words_open() else { return false }
        unsafe icu_words_close(breaker)
        return true
    }()

    /// - Precondition: `isAvailable`.
    init() {
        guard let opened = unsafe icu_words_open() else {
            preconditionFailure("ICU has no word breaker: its data are missing")
        }
        unsafe breaker = opened
    }

    deinit { unsafe icu_words_close(breaker) }

    /// Every word of the text in order, without blanks and signs.
    ///
    /// UAX #29 leaves `don't` and `l'eau` whole; they are cut at the apostrophe, because the lists of
    /// stop words are written for that and an elided article must not hide its noun.
    func forEachWord(in text: String, _ body: (String) -> Void) {
        let length = fold(Array(text.utf16))
        unsafe folded.withUnsafeBufferPointer { units in
            guard unsafe icu_words_in(breaker, units.baseAddress, Int32(length)) != 0 else {
                preconditionFailure("ICU does not take a text of \(length) units")
            }
            var start = 0
            while true {
                let end = Int(unsafe icu_words_next(breaker))
                if end < 0 { return }
                if unsafe icu_words_is_word(breaker) != 0 {
                    for word in folded[start..<end].split(whereSeparator: Self.isApostrophe) {
                        body(String(decoding: word, as: UTF16.self))
                    }
                }
                start = end
            }
        }
    }

    /// Every word as it is written, and whether only blanks or a hyphen part it from the one before.
    func forEachSurface(in text: String, _ body: (_ word: String, _ isJoined: Bool) -> Void) {
        let units = Array(text.utf16)
        if units.isEmpty { return }
        unsafe units.withUnsafeBufferPointer { buffer in
            guard unsafe icu_words_in(breaker, buffer.baseAddress, Int32(units.count)) != 0 else {
                preconditionFailure("ICU does not take a text of \(units.count) units")
            }
            var start = 0
            var isJoined = false
            while true {
                let end = Int(unsafe icu_words_next(breaker))
                if end < 0 { return }
                if unsafe icu_words_is_word(breaker) != 0 {
                    for word in units[start..<end].split(whereSeparator: Self.isApostrophe) {
                        body(String(decoding: word, as: UTF16.self), isJoined)
                        isJoined = false
                    }
                    isJoined = true
                } else {
                    isJoined = isJoined && units[start..<end].allSatisfy(Self.isJoint)
                }
                start = end
            }
        }
    }

    /// One word, folded.
    func folded(_ word: String) -> String {
        let length = fold(Array(word.utf16))
        return String(decoding: folded[..<length], as: UTF16.self)
    }

    private static func isJoint(_ unit: UInt16) -> Bool {
        unit == 0x20 || unit == 0x0A || unit == 0x0D || unit == 0xA0 || unit == 0x2D
    }

    private static func isApostrophe(_ unit: UInt16) -> Bool { unit == 0x27 || unit == 0x2019 }

    /// Folds into the buffer and returns how much of it is used.
    private func fold(_ units: [UInt16]) -> Int {
        while true {
            let capacity = folded.count
            let needed = unsafe units.withUnsafeBufferPointer { from in
                unsafe folded.withUnsafeMutableBufferPointer { to in
                    unsafe Int(
                        icu_fold(
                            from.baseAddress, Int32(from.count), to.baseAddress, Int32(to.count)))
                }
            }
            precondition(needed >= 0, "ICU cannot fold a text of \(units.count) units")
            if needed <= capacity { return needed }
            folded = Array(repeating: 0, count: needed)
        }
    }
}
