// Where one sentence ends and the next begins.
//
// The rules are those of Unicode Annex 29 §5 (sentence terminators, closing marks, then space) with
// what it leaves to tailoring: a full stop after an abbreviation, an initial or an ordinal does not
// end a sentence, and neither does one that a lower-case word follows. Frequent case: a letter or a
// space, one comparison. Rare: a terminator, then a look at the word before and the character after.

/// Sentence starts within `range` of `scalars`, the first included.
///
/// A line that begins with a bullet or a number starts a sentence as well, so that a list is not
/// one endless sentence.
///
/// - Complexity: O(length of the range).
func sentenceStarts(in scalars: [Unicode.Scalar], _ range: Range<Int>) -> [Int] {
    var starts = [range.lowerBound]
    var position = range.lowerBound
    while position < range.upperBound {
        let scalar = scalars[position]
        position += 1
        if isIdeographicStop(scalar) {
            position = skip(isCloser, in: scalars, from: position, to: range.upperBound)
        } else if isStop(scalar) {
            let stop = position - 1
            position = skip(isStop, in: scalars, from: position, to: range.upperBound)
            position = skip(isCloser, in: scalars, from: position, to: range.upperBound)
            guard position < range.upperBound, isSpace(scalars[position]) else { continue }
            let next = skip(isSpace, in: scalars, from: position, to: range.upperBound)
            guard next < range.upperBound, mayBegin(scalars[next]),
                scalar != "." || position - stop > 1
                    || !isAbbreviated(scalars, before: stop, from: range.lowerBound)
            else { continue }
            position = next
        } else if scalar == "\n" {
            position = skip(isSpace, in: scalars, from: position, to: range.upperBound)
            guard isListMarker(scalars, at: position, to: range.upperBound) else { continue }
        } else {
            continue
        }
        position = skip(isSpace, in: scalars, from: position, to: range.upperBound)
        if position < range.upperBound { starts.append(position) }
    }
    return starts
}

private func skip(
    _ matches: (Unicode.Scalar) -> Bool, in scalars: [Unicode.Scalar], from: Int, to end: Int
) -> Int {
    var position = from
    while position < end, matches(scalars[position]) { position += 1 }
    return position
}

private func isStop(_ s: Unicode.Scalar) -> Bool {
    s == "." || s == "!" || s == "?" || s == "\u{2026}" || s == "\u{203d}" || s == "\u{061f}"
        || s == "\u{06d4}" || s == "\u{0964}"
}

/// Terminators of scripts that put no space after a sentence.
private func isIdeographicStop(_ s: Unicode.Scalar) -> Bool {
    s == "\u{3002}" || s == "\u{ff01}" || s == "\u{ff1f}" || s == "\u{ff61}"
}

private func isCloser(_ s: Unicode.Scalar) -> Bool {
    switch s {
    case "\"", "'", ")", "]", "}", "\u{2019}", "\u{201d}", "\u{201c}", "\u{2018}", "\u{00bb}",
        "\u{00ab}", "\u{203a}", "\u{300d}", "\u{300f}", "\u{ff09}":
        true
    default: false
    }
}

/// Anything but a lower-case letter or a mark that continues what was said.
private func mayBegin(_ s: Unicode.Scalar) -> Bool {
    if s.isASCII {
        switch s {
        case "a"..."z", ",", ";", ":", ".", "!", "?", ")", "]", "}": return false
        default: return true
        }
    }
    return !s.properties.isLowercase
}

/// Whether the full stop at `stop` belongs to the word before it.
private func isAbbreviated(_ scalars: [Unicode.Scalar], before stop: Int, from start: Int) -> Bool {
    var begin = stop
    while begin > start, stop - begin < 12, isWordOrDot(scalars[begin - 1]) { begin -= 1 }
    let count = stop - begin
    guard count > 0, count < 12 else { return false }
    // An ordinal (`3. Oktober`, `12. On the list`); a year ends a sentence.
    if scalars[begin..<stop].allSatisfy({ ("0"..."9").contains($0) }) { return count <= 2 }
    // An initial (`J. R. R. Tolkien`) is one capital; `I.` ends a sentence more often than not.
    if count == 1 { return scalars[begin] != "I" && scalars[begin].properties.isUppercase }
    var word = String.UnicodeScalarView()
    word.append(contentsOf: scalars[begin..<stop])
    return abbreviations.contains(String(word).lowercased())
}

private func isWordOrDot(_ s: Unicode.Scalar) -> Bool {
    s == "." || (s.isASCII ? isASCIIAlphanumeric(s) : s.properties.isAlphabetic)
}

private func isASCIIAlphanumeric(_ s: Unicode.Scalar) -> Bool {
    switch s {
    case "a"..."z", "A"..."Z", "0"..."9": true
    default: false
    }
}

/// `• `, `– `, `- `, `* `, `1. `, `12) `, `(a) ` at the beginning of a line.
private func isListMarker(_ scalars: [Unicode.Scalar], at position: Int, to end: Int) -> Bool {
    guard position + 1 < end else { return false }
    switch scalars[position] {
    case "\u{2022}", "\u{25e6}", "\u{25aa}", "\u{2023}":
        return true
    case "-", "*", "\u{2013}", "+":
        return scalars[position + 1] == " "
    case "0"..."9", "(":
        var next = position + 1
        while next < end, next < position + 4, isASCIIAlphanumeric(scalars[next]) { next += 1 }
        guard next + 1 < end, scalars[next] == "." || scalars[next] == ")" else { return false }
        return isSpace(scalars[next + 1])
    default:
        return false
    }
}

/// White space, including what `Character.isWhitespace` knows, without its cost for ASCII.
func isSpace(_ s: Unicode.Scalar) -> Bool {
    s.isASCII
        ? s == " " || s == "\n" || s == "\t" || (s.value >= 11 && s.value <= 13)
        : s.properties.isWhitespace
}

/// English and German, as they stand in papers, manuals and letters; compared in lower case.
private let abbreviations: Set<String> = [
    "mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "rev", "hon", "gen", "col", "capt", "lt",
    "sgt", "gov", "sen", "rep", "pres", "messrs", "mt", "ft", "inc", "ltd", "co", "corp", "dept",
    "univ", "assn", "bros", "est", "e.g", "i.e", "eg", "ie", "cf", "vs", "viz", "al", "etc", "ca",
    "approx", "resp", "fig", "figs", "eq", "eqs", "no", "nos", "vol", "vols", "pp", "ch", "sec",
    "sect", "ed", "eds", "ref", "refs", "tab", "app", "jan", "feb", "mar", "apr", "jun", "jul",
    "aug", "sep", "sept", "oct", "nov", "dec", "mon", "tue", "wed", "thu", "fri", "sat", "sun",
    "a.m", "p.m", "u.s", "u.k", "u.n", "ph.d", "m.d", "b.a", "m.a", "z.b", "d.h", "u.a", "o.b.d.a",
    "v.a", "s.o", "s.u", "i.d.r", "i.a", "bzw", "vgl", "usw", "abb", "nr", "kap", "bd", "hrsg",
    "evtl", "ggf", "sog", "str", "tel", "zzgl", "inkl", "min", "max", "def", "thm", "lem", "prop",
]
