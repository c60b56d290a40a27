import ArgumentParser
import Foundation

struct Folder: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, list, move, rename and delete folders of a session.",
        discussion: """
            A folder is named by its path: "lectures/week 1".

            EXAMPLE
              carrel folder create "lectures/week 1" --session "Operating systems"
              carrel folder list --session "Operating systems"
            """,
        subcommands: [List.self, Create.self, Move.self, Put.self, Delete.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the folders of a session.",
            discussion: "EXAMPLE\n  carrel folder list --session \"Operating systems\"")

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            try await withFolders(remote, session) { _, tree in
                if remote.json { return try tree.folders.printJSON() }
                let paths = tree.folders.map(tree.path).sorted()
                if paths.isEmpty { Terminal.say("no folders") }
                paths.forEach(Terminal.say)
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a folder inside one that exists, or at the root.",
            discussion: "EXAMPLE\n  carrel folder create lectures --session \"Operating systems\"")

        @Argument(help: "Its path.")
        var path: String

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            try await withFolders(remote, session) { server, tree in
                let (parent, name) = try tree.place(of: path)
                let folder = try await server.createFolder(
                    name, in: parent, session: tree.session)
                if remote.json { try folder.printJSON() } else { Terminal.say("\(folder.id)") }
            }
        }
    }

    struct Move: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a folder another path: move it, rename it, or both.",
            discussion: "EXAMPLE\n  carrel folder move lectures archive/2025 --session s")

        @Argument(help: "Its path.")
        var path: String

        @Argument(help: "Its new path; the folder above it must exist.")
        var newPath: String

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            try await withFolders(remote, session) { server, tree in
                let folder = try tree.folder(at: path)
                let (parent, name) = try tree.place(of: newPath)
                if parent != folder.parent {
                    try await server.moveFolder(folder.id, to: parent, session: tree.session)
                }
                if name != folder.name {
                    try await server.renameFolder(folder.id, to: name, session: tree.session)
                }
                Terminal.say("moved \(path) to \(newPath)")
            }
        }
    }

    struct Put: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a document into a folder, or to the root.",
            discussion: "EXAMPLE\n  carrel folder put notes.pdf lectures --session s")

        @Argument(help: "The document: its id or its file name.")
        var document: String

        @Argument(help: "The folder's path; none for the root.")
        var path: String?

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            try await withFolders(remote, session) { server, tree in
                let folder = try path.map { try tree.folder(at: $0) }
                let document = try await server.document(named: document, in: tree.session)
                try await server.moveDocument(document.id, to: folder?.id, session: tree.session)
                Terminal.say("put \(document.fileName) into \(path ?? "the root")")
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a folder and those in it; their documents stay.",
            discussion: "EXAMPLE\n  carrel folder delete lectures --session s")

        @Argument(help: "Its path.")
        var path: String

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            try await withFolders(remote, session) { server, tree in
                try await server.deleteFolder(
                    try tree.folder(at: path).id, session: tree.session)
                Terminal.say("deleted \(path)")
            }
        }
    }

    /// Opens the session and reads its folders.
    private static func withFolders(
        _ remote: RemoteOptions, _ session: SessionOption,
        _ body: (Remote, FolderTree) async throws -> Void
    ) async throws {
        let server = try await remote.connect()
        let handle = try await server.open(named: session.session)
        let folders = try await server.folders(in: handle)
        try await ensuring {
            try await body(server, FolderTree(session: handle, folders: folders))
        } finally: {
            await server.close()
        }
    }
}

/// The folders of an open session, by their paths.
private struct FolderTree: Sendable {
    let session: String
    let folders: [FolderShape]

    /// `lectures/week 1`
    func path(_ folder: FolderShape) -> String {
        let parent = folders.first { $0.id == folder.parent }
        return parent.map { path($0) + "/" + folder.name } ?? folder.name
    }

    func folder(at path: String) throws -> FolderShape {
        guard let folder = folders.first(where: { self.path($0) == path }) else {
            throw Failure("there is no folder \"\(path)\"; see `carrel folder list`")
        }
        return folder
    }

    /// The folder that a path lies in, nil for the root, and the last name of it.
    func place(of path: String) throws -> (parent: UUID?, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (nil, path) }
        return (
            try folder(at: String(path[..<slash])).id, String(path[path.index(after: slash)...])
        )
    }
}
