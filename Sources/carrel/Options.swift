// What several subcommands take.

import ArgumentParser
import Embedding
import Vectors

struct HomeOption: ParsableArguments {
    @Option(
        name: .customLong("home"),
        help: "Carrel's folder (default: $CARREL_HOME, else data/var).")
    var named: String?

    var home: Home { Home(named) }
}

/// How to reach the server, and how to print what it says.
struct RemoteOptions: ParsableArguments {
    @OptionGroup var place: HomeOption

    @Option(help: "The server's host (default: as written in client.json).")
    var host: String?

    @Option(help: "The server's port (default: as written in client.json).")
    var port: Int?

    @Flag(help: "Print JSON for machines.")
    var json = false

    /// Address and key: from the command line, `CARREL_API_KEY` and client.json, in that order.
    func address() throws -> ClientFile {
        let file = try ClientFile.read(place.home.clientFile)
        guard let key = Home.environment("CARREL_API_KEY") ?? file?.apiKey else {
            throw Failure(
                "no \(place.home.clientFile), so no server to ask: start one with `carrel serve` "
                    + "(or set CARREL_HOME, or CARREL_API_KEY with --host and --port)")
        }
        return ClientFile(
            host: host ?? file?.host ?? "127.0.0.1", port: port ?? file?.port ?? Serve.usualPort,
            apiKey: key)
    }

    func connect() async throws -> Remote { try await Remote.connect(try address()) }
}

struct SessionOption: ParsableArguments {
    @Option(name: .shortAndLong, help: "The study session: its id or its title.")
    var session: String
}

struct DatabaseOptions: ParsableArguments {
    @OptionGroup var place: HomeOption

    @Option(
        help: "A PostgreSQL to use instead of the embedded one (default: $CARREL_DATABASE_URL).")
    var database: String?

    var chosen: Database { Database(place.home, url: database) }
}

struct EmbeddingOptions: ParsableArguments {
    @Option(
        help: """
            An OpenAI-compatible server to embed with, e.g. http://127.0.0.1:11434/v1 \
            (default: $CARREL_EMBEDDING_URL; its key, if any, in $CARREL_EMBEDDING_KEY).
            """)
    var embeddingURL: String?

    @Option(help: "The model to ask it for (default: $CARREL_EMBEDDING_MODEL).")
    var embeddingModel: String?

    @Option(help: "How wide that model's vectors are, at most 768 (default: it is asked for 768).")
    var embeddingWidth: Int?

    @Option(help: "How the local model computes: fp32, bf16, or auto (bf16 where it is native).")
    var arithmetic = "auto"

    func validate() throws { _ = try choice() }

    func choice() throws -> EmbedderChoice {
        guard let arithmetic = Arithmetic(rawValue: arithmetic) else {
            throw ValidationError("--arithmetic is fp32, bf16 or auto")
        }
        let url = embeddingURL ?? Home.environment("CARREL_EMBEDDING_URL")
        let model = embeddingModel ?? Home.environment("CARREL_EMBEDDING_MODEL")
        guard let url else { return EmbedderChoice(arithmetic: arithmetic) }
        guard let model else {
            throw ValidationError("--embedding-url wants --embedding-model too")
        }
        var remote = HTTPEmbedder.Options(url: url, model: model)
        remote.apiKey = Home.environment("CARREL_EMBEDDING_KEY")
        if let embeddingWidth {
            remote.nativeDimension = embeddingWidth
            remote.sendsDimensions = false
        }
        return EmbedderChoice(remote: remote, arithmetic: arithmetic)
    }
}
