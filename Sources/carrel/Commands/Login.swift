import ArgumentParser
import CarrelClient
import Foundation

struct Login: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Log in and keep a key for the other commands.",
        discussion: """
            Asks for the password (or takes it from CARREL_PASSWORD), makes an API key \
            named after this machine, writes it to client.json, and logs out again. \
            `carrel key list` shows the key; revoking it ends what it opened.

            EXAMPLE
              carrel login ada --host carrel.example.org
            """)

    @Argument(help: "A handle or an email address.")
    var name: String

    @Option(help: "The code of the second factor; asked for where it is needed.")
    var code: String?

    @OptionGroup var place: HomeOption

    @Option(help: "The server's host (default: as written in client.json).")
    var host: String?

    @Option(help: "The server's port (default: as written in client.json).")
    var port: Int?

    private struct Credentials: Encodable {
        let login: String
        let password: String
        var code: String?
    }

    private struct NewKey: Encodable {
        let name: String
        let scopes = ["read", "write", "admin"]
    }

    private struct Made: Decodable { let secret: String }

    private struct Nothing: Codable {}

    func run() async throws {
        let file = try ClientFile.read(place.home.clientFile)
        let (host, port) = (
            host ?? file?.host ?? "127.0.0.1", port ?? file?.port ?? Serve.usualPort
        )
        // Asked for before connecting: a server waits some seconds for strangers.
        var credentials = Credentials(
            login: name, password: try Terminal.password("Password: "), code: code)
        while true {
            do {
                return try await logIn(credentials, host, port)
            } catch let error as ClientError where credentials.code == nil && error.isMissingCode {
                credentials.code = try Terminal.password("Code: ")
            }
        }
    }

    private func logIn(_ credentials: Credentials, _ host: String, _ port: Int) async throws {
        let client = try await connect(host, port)
        try await ensuring {
            let _: Nothing = try await client.call("auth.login", credentials)
            try await keepKey(client, host, port)
        } finally: {
            await client.close()
        }
    }

    private func connect(_ host: String, _ port: Int) async throws -> CarrelClient {
        do {
            return try await CarrelClient.connect(
                host: host, port: port, apiKey: nil, clientName: "carrel")
        } catch .cannotConnect {
            throw Failure("no server answers at \(host):\(port); start it with `carrel serve`")
        }
    }

    private func keepKey(_ client: CarrelClient, _ host: String, _ port: Int) async throws {
        let machine = ProcessInfo.processInfo.hostName
        let made: Made = try await client.call(
            "apikey.create",
            NewKey(name: "\(machine.prefix(60)) \(Date().formatted(.iso8601))"))
        let _: Nothing = try await client.call("auth.logout", Nothing())
        try ClientFile(host: host, port: port, apiKey: made.secret).write(place.home.clientFile)
        Terminal.say("logged in at \(host):\(port); the key is in \(place.home.clientFile)")
    }
}

extension ClientError {
    /// Whether the password was right and a code is wanted.
    fileprivate var isMissingCode: Bool {
        if case .refused(let refusal) = self { refusal.field == "code" } else { false }
    }
}
