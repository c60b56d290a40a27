// A name somebody gave a file, made safe to show. It is never used to find one.

import Foundation

package enum FileName {
    /// Long names say nothing more; 255 bytes is what file systems accept, too.
    static let maximumBytes = 255

    /// The last path component without control and format characters, at most 255 bytes.
    ///
    /// Format characters go because they can turn what is shown round (U+202E), so that `exe.pdf`
    /// and `fdp.exe` look alike.
    package static func display(_ name: String) -> String {
        let last = name.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last ?? ""
        var shown = ""
        for character in last {
            let hidden = character.unicodeScalars.contains { scalar in
                switch scalar.properties.generalCategory {
                case .control, .surrogate, .lineSeparator, .paragraphSeparator: true
                case .format: !isJoiner(scalar)
                default: false
                }
            }
            if hidden { continue }
            guard shown.utf8.count + character.utf8.count <= maximumBytes else { break }
            shown.append(character)
        }
        shown = shown.trimmingCharacters(in: .whitespaces)
        return ["", ".", ".."].contains(shown) ? "untitled" : shown
    }

    /// Zero-width joiner and non-joiner: emoji and several scripts are written with them.
    private static func isJoiner(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value == 0x200C || scalar.value == 0x200D
    }
}
