// Where things lie on this machine.

import Accounts
import Foundation

/// The folder that holds all that a running system makes, and the places below it.
struct Home: Sendable {
    let path: String

    /// The folder named on the command line, else by `CARREL_HOME`, else `data/var` here.
    init(_ named: String? = nil) {
        path = named ?? Self.environment("CARREL_HOME") ?? "data/var"
    }

    var clientFile: String { path + "/client.json" }
    var masterKeys: String { path + "/master.keys" }
    var cluster: String { path + "/postgres" }
    /// What was ingested, under names of our own.
    var blobs: String { path + "/blobs" }
    /// What unfinished jobs have done so far.
    var scratch: String { path + "/blobs/jobs" }
    /// Copies of documents from a bucket, while they are read.
    var copies: String { path + "/copies" }
    var snapshots: String { path + "/snapshots" }
    /// What is being uploaded.
    var uploads: String { path + "/uploads" }
    var postgresPrograms: String {
        Self.environment("CARREL_POSTGRES_DIR") ?? path + "/runtime/postgres"
    }
    var model: String { Self.environment("CARREL_MODEL_DIR") ?? path + "/models/all-MiniLM-L6-v2" }

    /// The keys that seal what the database must not tell: from `CARREL_MASTER_KEY`, else from a
    /// file, which the first start makes.
    func keyRing() throws -> KeyRing {
        if let text = Self.environment("CARREL_MASTER_KEY") { return try KeyRing(parsing: text) }
        return try KeyRing(file: masterKeys)
    }

    /// A variable that is set to something.
    static func environment(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}
