// The terminal: how wide it is, whether there is one.

import Foundation

enum Terminal {
    /// Columns to fill: the window's, else `COLUMNS`, else 100 (a pipe or a log).
    static let width: Int = {
        var window = winsize()
        if unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0 {
            return Int(window.ws_col)
        }
        return Home.environment("COLUMNS").flatMap(Int.init) ?? 100
    }()

    /// Whether someone watches standard error, where progress is shown.
    static let isWatched = isatty(STDERR_FILENO) == 1

    /// What is typed unseen; from `CARREL_PASSWORD`, or a line of standard input, where nobody types.
    static func password(_ prompt: String) throws(Failure) -> String {
        if prompt.hasPrefix("Password"), let given = Home.environment("CARREL_PASSWORD") {
            return given
        }
        if isatty(STDIN_FILENO) == 1 {
            guard let typed = unsafe getpass(prompt) else { throw Failure("nothing was typed") }
            return unsafe String(cString: typed)
        }
        guard let line = readLine(), !line.isEmpty else {
            throw Failure("expected a password on standard input, or in CARREL_PASSWORD")
        }
        return line
    }

    static func say(_ line: String) { write(line + "\n", to: .standardOutput) }

    static func note(_ line: String) { write(line + "\n", to: .standardError) }

    /// Unbuffered: a log shows a line when it was said, also when the process is killed after it.
    static func write(_ text: String, to handle: FileHandle) {
        try? handle.write(contentsOf: Data(text.utf8))
    }
}

extension Encodable {
    /// Prints the value as one JSON document.
    func printJSON() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        Terminal.say(String(decoding: try encoder.encode(self), as: UTF8.self))
    }
}
