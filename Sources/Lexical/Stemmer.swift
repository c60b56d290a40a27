// The one Swift file that calls libstemmer.

internal import CSnowball

/// Snowball's stemmer of one language (<https://snowballstem.org/algorithms/>). Not Sendable: it owns the
/// buffer of its last answer.
@safe final class Stemmer {
    private let stemmer: OpaquePointer

    /// Whether this libstemmer was built with the language.
    static func knows(_ language: Language) -> Bool {
        guard let made = unsafe sb_stemmer_new(language.rawValue, nil) else { return false }
        unsafe sb_stemmer_delete(made)
        return true
    }

    /// - Precondition: `knows(language)`.
    init(_ language: Language) {
        guard let made = unsafe sb_stemmer_new(language.rawValue, nil) else {
            preconditionFailure(
                "libstemmer has no \(language.rawValue); it is built without, or too old")
        }
        unsafe stemmer = made
    }

    deinit { unsafe sb_stemmer_delete(stemmer) }

    /// The stem of a folded word, in UTF-8.
    func stem(_ word: String) -> [UInt8] {
        let utf8 = Array(word.utf8)
        guard let stem = unsafe sb_stemmer_stem(stemmer, utf8, Int32(utf8.count)) else {
            preconditionFailure("libstemmer is out of memory")
        }
        let length = unsafe Int(sb_stemmer_length(stemmer))
        return unsafe Array(UnsafeBufferPointer(start: stem, count: length))
    }
}
