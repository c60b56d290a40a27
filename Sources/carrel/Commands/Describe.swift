import ArgumentParser
import Foundation
import Server

struct Describe: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the protocol's description (OpenRPC).",
        discussion: """
            What `rpc.discover` answers, made of this program's table of methods; it needs no server.

            EXAMPLE
              carrel describe > docs/openrpc.json
            """)

    func run() throws {
        let document = try JSONSerialization.jsonObject(with: Data(ProtocolDescription.json.utf8))
        let text = try JSONSerialization.data(
            withJSONObject: document,
            options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        Terminal.say(String(decoding: text, as: UTF8.self))
    }
}
