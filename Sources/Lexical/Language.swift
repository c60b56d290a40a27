/// A language of which Snowball knows how words change. The raw value is Snowball's name.
///
/// The default everywhere is English. A text in another language is found all the same, by the forms that
/// stand in it: only other forms of its words are missed, and its stop words weigh what their
/// frequency leaves them.
package enum Language: String, Sendable, CaseIterable {
    case arabic, armenian, basque, catalan, danish, dutch, english, finnish, french, german, greek
    case hindi, hungarian, indonesian, irish, italian, lithuanian, nepali, norwegian, portuguese
    case romanian, russian, serbian, spanish, swedish, tamil, turkish, yiddish
}

extension Language {
    /// Whether the libraries of this machine can work in it: Snowball's releases differ in what they
    /// know, and ICU may lack its data.
    package var isAvailable: Bool { Self.available.contains(self) }

    /// Those that can be worked in here.
    package static let available = Segmenter.isAvailable ? allCases.filter(Stemmer.knows) : []

    /// Words that say nothing about what a text is about, folded; empty where we have no list.
    var stopWords: Set<String> { StopWords.lists[self] ?? [] }
}

/// Snowball's lists as PostgreSQL ships them: origin and licence are in README.md beside this file.
private enum StopWords {
    static let lists: [Language: Set<String>] = [
        .danish: words(PackageResources.danish_stop),
        .dutch: words(PackageResources.dutch_stop),
        .english: words(PackageResources.english_stop),
        .finnish: words(PackageResources.finnish_stop),
        .french: words(PackageResources.french_stop),
        .german: words(PackageResources.german_stop),
        .hungarian: words(PackageResources.hungarian_stop),
        .italian: words(PackageResources.italian_stop),
        .nepali: words(PackageResources.nepali_stop),
        .norwegian: words(PackageResources.norwegian_stop),
        .portuguese: words(PackageResources.portuguese_stop),
        .russian: words(PackageResources.russian_stop),
        .spanish: words(PackageResources.spanish_stop),
        .swedish: words(PackageResources.swedish_stop),
        .turkish: words(PackageResources.turkish_stop),
    ]

    private static func words(_ bytes: [UInt8]) -> Set<String> {
        Set(
            bytes.split(separator: UInt8(ascii: "\n"))
                .map { String(decoding: $0, as: UTF8.self).trimmed })
    }
}

extension String {
    fileprivate var trimmed: String { String(filter { !$0.isWhitespace }) }
}
