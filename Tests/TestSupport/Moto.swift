// A real S3 server for tests: moto, in a process of its own on 127.0.0.1.

package import Clouds
internal import Foundation

/// Servers for the life of a test process.
///
/// moto signs what it was asked for with the path and the query decoded, so a checking server refuses
/// names and prefixes with a slash or a space in them, Amazon's own library's too. Hence two.
package actor Moto {
    /// Lets everybody do everything.
    package static let shared = Moto(checksSignatures: false)
    /// Has one user, and checks every signature.
    package static let checking = Moto(checksSignatures: true)

    private let checksSignatures: Bool
    /// Its standard input: it ends when that does.
    private var lifeline: Pipe?

    private init(checksSignatures: Bool) { self.checksSignatures = checksSignatures }

    package struct Server: Sendable {
        package let endpoint: String
        package let credentials: S3Credentials

        /// A new bucket's address.
        package func bucket(_ name: String) async throws -> S3Bucket.Address {
            let address = S3Bucket.Address(
                endpoint: endpoint, region: "us-east-1", bucket: name, credentials: credentials)
            try await S3Bucket(address, client: HTTPClient(rule: .anywhere)).create()
            return address
        }
    }

    /// Where `scripts/setup tests` puts it.
    private static var directory: String {
        let environment = ProcessInfo.processInfo.environment
        let home = environment["CARREL_HOME"] ?? "data/var"
        return environment["CARREL_MOTO_DIR"] ?? "\(home)/runtime/moto"
    }

    /// What a skipped test says.
    package static let wanted: String = "there is no moto: run scripts/setup tests"

    package static var isThere: Bool {
        FileManager.default.fileExists(atPath: directory + "/moto/server.py")
    }

    private var starting: Task<Server, any Error>?

    package func server() async throws -> Server {
        if let starting { return try await starting.value }
        let task = Task { try await start() }
        starting = task
        return try await task.value
    }

    /// Ends with its standard input, which ends with this process, however that ends.
    private static let program = """
        import os, sys, threading
        def wait():
            sys.stdin.buffer.read()
            os._exit(0)
        threading.Thread(target=wait, daemon=True).start()
        from moto.server import main
        main(sys.argv[1:])
        """

    private func start() async throws -> Server {
        let port = try freePort()
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.program, "-H", "127.0.0.1", "-p", "\(port)"]
        var environment = ["PYTHONPATH": Self.directory, "PYTHONDONTWRITEBYTECODE": "1"]
        // The first three requests make the user; all others are checked.
        if checksSignatures { environment["INITIAL_NO_AUTH_ACTION_COUNT"] = "3" }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let input = Pipe()
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        lifeline = input
        try process.run()
        let endpoint = "http://127.0.0.1:\(port)"
        try await Self.waitUntilReady(endpoint, process)
        let anybody = S3Credentials(accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "anything")
        return Server(
            endpoint: endpoint,
            credentials: checksSignatures ? try await Self.makeUser(endpoint) : anybody)
    }

    private static func waitUntilReady(_ endpoint: String, _ process: Process) async throws {
        let client = HTTPClient(rule: .anywhere)
        for _ in 0..<1200 {
            do {
                let answer = try await client.send(
                    HTTPRequest("GET", endpoint + "/moto-api/data.json"))
                if answer.status == 200 { return }
            } catch {
                // It does not listen yet; the deadline below says when that is too long.
            }
            guard process.isRunning else { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw CloudError.unavailable(reason: "moto did not start")
    }

    private static func makeUser(_ endpoint: String) async throws -> S3Credentials {
        let policy =
            #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#
        _ = try await ask(endpoint, [("Action", "CreateUser"), ("UserName", "carrel")])
        _ = try await ask(
            endpoint,
            [
                ("Action", "PutUserPolicy"), ("UserName", "carrel"), ("PolicyName", "all"),
                ("PolicyDocument", policy),
            ])
        let answer = try await ask(
            endpoint, [("Action", "CreateAccessKey"), ("UserName", "carrel")])
        func text(_ name: String) -> String {
            let start = answer.firstRange(of: "<\(name)>")?.upperBound ?? answer.startIndex
            let end = answer.firstRange(of: "</\(name)>")?.lowerBound ?? start
            return String(answer[start..<end])
        }
        return S3Credentials(
            accessKey: text("AccessKeyId"), secretKey: text("SecretAccessKey"))
    }

    private static func ask(
        _ endpoint: String, _ form: [(name: String, value: String)]
    ) async throws -> String {
        let body = Array(SignatureV4.canonical(form).utf8)
        let answer = try await HTTPClient(rule: .anywhere).send(
            HTTPRequest(
                "POST", endpoint + "/",
                headers: [
                    (name: "content-type", value: "application/x-www-form-urlencoded"),
                    (
                        name: "authorization",
                        value: "AWS4-HMAC-SHA256 Credential=none/20260101/us-east-1/iam/"
                            + "aws4_request, SignedHeaders=host, Signature=none"
                    ),
                ], body: HTTPBody(body)))
        guard answer.status == 200 else {
            throw CloudError.rejected(
                status: answer.status, code: String(decoding: answer.body, as: UTF8.self))
        }
        return String(decoding: answer.body, as: UTF8.self)
    }
}
