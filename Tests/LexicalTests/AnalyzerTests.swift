import Lexical
import Testing

@Suite("From text to terms")
struct AnalyzerTests {
    private func terms(_ text: String, _ language: Language = .english) -> [String] {
        Analyzer(language).terms(of: text)
    }

    @Test("Signs and blanks separate words, digits belong to them, stop words go")
    func english() {
        #expect(
            terms("The Runner (was) running—through 3.14 fields!") == [
                "runner", "run", "3.14", "field",
            ])
        #expect(terms("") == [])
        #expect(terms("the of and") == [])
    }

    @Test("An elided or shortened word is cut at its apostrophe, straight or curled")
    func apostrophes() {
        #expect(terms("Tesla's don't Tesla’s") == ["tesla", "tesla"])
        #expect(terms("l'eau de l’Étang", .french) == terms("eau étang", .french))
    }

    @Test("Ligatures, full width, soft hyphens and capital sharp s are folded away")
    func folding() {
        #expect(terms("eﬃciency ＡＢＣ co\u{AD}operate") == terms("efficiency abc cooperate"))
        #expect(terms("STRASSE", .german) == terms("Straße", .german))
        #expect(terms("cafe\u{301}", .french) == terms("café", .french))
    }

    @Test("A script without blanks is cut by dictionary")
    func chinese() {
        #expect(terms("机器学习").count > 1)
        #expect(terms("机器学习").joined() == "机器学习")
    }

    @Test("Every language stems, and drops its own stop words", arguments: Language.allCases)
    func languages(_ language: Language) {
        #expect(language.isAvailable)
        #expect(terms("Zwölf 12345", language).contains("12345"))
        if language == .german { #expect(terms("und die Häuser", .german) == ["haus"]) }
        if language == .russian { #expect(terms("и книгами", .russian) == ["книг"]) }
    }

    @Test("The lists of stop words were read")
    func stopWords() {
        for (language, words) in [
            (Language.danish, "og"), (.dutch, "het"), (.finnish, "ja"), (.hungarian, "hogy"),
            (.italian, "della"), (.nepali, "छ"), (.norwegian, "ikke"), (.portuguese, "não"),
            (.spanish, "pero"),
            (.swedish, "och"), (.turkish, "ve"),
        ] { #expect(terms(words, language) == [], "\(language)") }
    }
}
