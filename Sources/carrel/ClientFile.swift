// How the commands find the server: `client.json`, written by `carrel serve` for its owner alone.

import Foundation

struct ClientFile: Codable, Sendable, Equatable {
    var host: String
    var port: Int
    var apiKey: String

    static func read(_ path: String) throws(Failure) -> ClientFile? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        do {
            return try JSONDecoder().decode(ClientFile.self, from: data)
        } catch {
            throw Failure("\(path) is not a key file; delete it and start `carrel serve` again")
        }
    }

    /// Writes the file so that nobody else could read it at any moment.
    ///
    /// It is created with mode 0600 under another name and moved into place.
    func write(_ path: String) throws(Failure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let aside = "\(path).\(getpid())"
        let descriptor = unsafe open(aside, O_CREAT | O_WRONLY | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw Failure("cannot write \(aside)") }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: try encoder.encode(self))
            try file.synchronize()
        } catch {
            throw Failure("cannot write \(aside): \(error)")
        }
        guard unsafe rename(aside, path) == 0 else { throw Failure("cannot write \(path)") }
    }
}
