// Headings as titles: without their numbers, and told from those that name no subject.

package enum HeadingText {
    /// The heading without numbering and signs around it: *CHAPTER IV. The Rabbit Sends in a Little
    /// Bill* is *The Rabbit Sends in a Little Bill*.
    package static func title(_ heading: String) -> String {
        var text = heading.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        // A word for the part with its number, a number, or a Roman one with a sign behind it.
        let named =
            /(?i:chapter|part|section|appendix|kapitel|teil|abschnitt|anhang)\s+(?:\d+(?:\.\d+)*|[IVXLC]+|[ivxlc]+)[.:)]?\s+/
        let numbered = /(?:\d+(?:\.\d+)*[.:)]?|[IVXLC]+[.:)])\s+/
        if let match = text.prefixMatch(of: named) ?? text.prefixMatch(of: numbered),
            match.range.upperBound < text.endIndex
        {
            text.removeSubrange(match.range)
        }
        while let last = text.last, " .:;¶#".contains(last) { text.removeLast() }
        let letters = text.filter(\.isLetter)
        if letters.count > 4, letters.allSatisfy(\.isUppercase) {
            text = text.lowercased().split(separator: " ").map(\.withCapital)
                .joined(separator: " ")
        }
        return text.withCapital.fitted
    }

    /// What two headings share that differ in number and case only: *Definition 5*, *Definition 76*.
    package static func kind(_ heading: String) -> String {
        title(heading).lowercased()
            .split { !$0.isLetter }
            .joined(separator: " ")
    }

    /// Names of parts that every document may have; they say nothing of what it is about.
    static let partsOfDocuments: Set<String> = [
        "abstract", "acknowledgements", "acknowledgments", "appendix", "bibliography",
        "conclusion", "conclusions", "contents", "dedication", "external links", "footnotes",
        "further reading", "index", "introduction", "notes", "overview", "preface", "references",
        "see also", "summary", "table of contents", "thanks", "inhaltsverzeichnis",
        "stichwortverzeichnis", "abkürzungsverzeichnis", "abbildungsverzeichnis", "danksagungen",
        "einleitung", "literaturverzeichnis", "vorwort", "zusammenfassung",
    ]
}

extension StringProtocol {
    /// With its first letter in upper case.
    var withCapital: String { prefix(1).uppercased() + dropFirst() }

    /// As much of it as a topic may hold, cut between words.
    var fitted: String {
        var text = String(self)
        while text.utf8.count > 120 {
            guard let blank = text.lastIndex(of: " ") else { return String(text.prefix(30)) }
            text = String(text[..<blank])
        }
        return text
    }
}
