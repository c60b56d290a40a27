// swift-tools-version: 6.2
import PackageDescription

// The order of targets is the drawing in ARCHITECTURE.md, from the ground up: a target imports
// only what stands above it in this list. `ArchitectureTests` reads the imports and checks that.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let arguments: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "carrel",
    products: [
        .executable(name: "carrel", targets: ["carrel"]),
        .executable(name: "carrel-extract", targets: ["carrel-extract"]),
        .library(name: "CarrelClient", targets: ["CarrelClient"]),
        // For the package in benchmarks/, which is not among ours: its dependencies are nobody else's.
        .library(name: "Workload", targets: ["Workload"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    ],
    targets: [
        // C and C++: our kernels, and one module per foreign library.
        // No contraction: a product fused with a sum only where the machine can do it would make
        // the tables of kernels disagree in the last bit.
        .target(
            name: "CKernels",
            cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off", "-Wall", "-Werror"])]),
        .systemLibrary(name: "CBLAS", path: "Sources/CBLAS"),
        .target(
            name: "COneDNN", cxxSettings: [.unsafeFlags(["-O2", "-Wall", "-Werror"])],
            linkerSettings: [.linkedLibrary("dnnl")]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq"),
        .target(
            name: "CSimdJSON", cxxSettings: [.unsafeFlags(["-O3", "-std=c++17"])],
            linkerSettings: [.linkedLibrary("simdjson")]),

        .systemLibrary(name: "CSnowball"),
        .target(
            name: "CICU", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Werror"])],
            linkerSettings: [.linkedLibrary("icuuc")]),

        .target(
            name: "CPoppler",
            cxxSettings: [.unsafeFlags(["-O2", "-std=c++17", "-Wall", "-Werror"])],
            linkerSettings: [.linkedLibrary("poppler-cpp")]),
        .target(
            name: "CMiniZip", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Werror"])],
            linkerSettings: [.linkedLibrary("minizip")]),
        .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0"),
        .systemLibrary(name: "CCMarkGFM"),
        .systemLibrary(name: "CXXHash"),
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2"),
        .target(
            name: "CCurl", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Werror"])],
            linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CConfine", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Werror"])]),

        // Leaves: arithmetic, the database's tongue, files taken apart, the wire's tongue.
        .target(
            name: "Vectors", dependencies: ["CKernels", "CBLAS", "COneDNN"],
            swiftSettings: settings),
        .target(name: "Postgres", dependencies: ["CLibPQ"], swiftSettings: settings),
        .target(
            name: "Lexical", dependencies: ["CSnowball", "CICU"], exclude: ["README.md"],
            resources: [.embedInCode("StopWords")], swiftSettings: settings),
        .target(name: "Clouds", dependencies: ["CCurl", crypto], swiftSettings: settings),
        .target(name: "Documents", dependencies: [crypto], swiftSettings: settings),
        // What `carrel-extract` does; nothing else links these libraries.
        .target(
            name: "Extraction",
            dependencies: [
                "Documents", "CPoppler", "CMiniZip", "CLibXML2", "CCMarkGFM", "CConfine",
            ],
            swiftSettings: settings),
        .target(name: "Wire", dependencies: ["CSimdJSON", nio], swiftSettings: settings),
        // What a benchmark stores, asks and measures; it knows only the socket.
        .target(name: "Workload", swiftSettings: settings),

        // The middle: what is stored, what a text means.
        .target(
            name: "Indexes", path: "Indexes",
            resources: [
                .embedInCode("schema.sql"), .embedInCode("migrations"),
                .embedInCode("definitions"),
            ],
            swiftSettings: settings),
        .target(
            name: "Library", dependencies: ["Postgres", "Indexes", crypto],
            swiftSettings: settings),
        .target(name: "Embedding", dependencies: ["Vectors", crypto], swiftSettings: settings),

        // The work: who may, query to hits, files to chunks.
        .target(
            name: "Accounts", dependencies: ["Clouds", "Library", "Postgres", "CArgon2", crypto],
            swiftSettings: settings),
        .target(
            name: "Retrieval",
            dependencies: ["Library", "Postgres", "Vectors", "Embedding", "Lexical", "CXXHash"],
            swiftSettings: settings),
        .target(
            name: "Ingestion",
            dependencies: [
                "Clouds", "Library", "Postgres", "Vectors", "Documents", "Embedding", crypto,
            ],
            swiftSettings: settings),

        .target(
            name: "Study", dependencies: ["Library", "Postgres", "Vectors", "Lexical"],
            swiftSettings: settings),

        // The edge: the socket, the command.
        .target(
            name: "Server",
            dependencies: [
                "Clouds", "Wire", "Vectors", "Postgres", "Documents", "Lexical", "Library",
                "Embedding", "Accounts", "Retrieval", "Ingestion", "Study", crypto, logging, nio,
                nioPosix,
            ],
            swiftSettings: settings),
        .target(
            name: "CarrelClient", dependencies: ["Wire", nio, nioPosix], swiftSettings: settings),
        .target(
            name: "EmbeddedPostgres", dependencies: ["Postgres"], swiftSettings: settings),
        .executableTarget(
            name: "carrel-extract", dependencies: ["Documents", "Extraction"],
            swiftSettings: settings),
        .executableTarget(
            name: "carrel",
            dependencies: [
                "Clouds", "Vectors", "Postgres", "Documents", "Wire", "Library", "Embedding",
                "Accounts",
                "Retrieval", "Ingestion", "Server", "CarrelClient", "EmbeddedPostgres", "Workload",
                arguments, crypto, logging,
            ],
            swiftSettings: settings),

        .testTarget(
            name: "VectorsTests", dependencies: ["Vectors", "CKernels"], swiftSettings: settings),
        .testTarget(
            name: "LexicalTests", dependencies: ["Lexical"], swiftSettings: settings),
        .testTarget(
            name: "StudyTests", dependencies: ["Lexical", "Library", "Study", "Vectors"],
            swiftSettings: settings),
        .testTarget(
            name: "EmbeddingTests", dependencies: ["Embedding", "Vectors"],
            exclude: ["Fixtures"], swiftSettings: settings),

        // Tests, and the database they run against.
        .target(
            name: "TestSupport",
            dependencies: [
                "Clouds", "Embedding", "EmbeddedPostgres", "Library", "Postgres", "Vectors",
            ],
            path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(
            name: "PostgresTests", dependencies: ["EmbeddedPostgres", "Postgres", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "LibraryTests",
            dependencies: ["Indexes", "Library", "Postgres", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "AccountsTests",
            dependencies: ["Accounts", "Clouds", "Library", "Postgres", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "DocumentsTests", dependencies: ["Documents", "carrel-extract"],
            exclude: ["Fixtures"], swiftSettings: settings),

        .testTarget(
            name: "CloudsTests", dependencies: ["Clouds", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "WireTests", dependencies: ["Wire", nio], swiftSettings: settings),
        .testTarget(
            name: "WorkloadTests", dependencies: ["Workload"], swiftSettings: settings),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Accounts", "Clouds", "Documents", "Embedding", "Ingestion", "Library", "Postgres",
                "Retrieval", "Server", "TestSupport", "Vectors", "Wire", logging, nio, nioPosix,
            ],
            swiftSettings: settings),

        // Tests of the whole.
        .testTarget(
            name: "ArchitectureTests", exclude: ["Fixtures"], swiftSettings: settings),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "carrel", "CarrelClient", "Embedding", "TestSupport", "Vectors", "Wire",
                "Workload", crypto,
            ],
            exclude: ["Fixtures"],
            swiftSettings: settings),
        .testTarget(
            name: "RetrievalTests",
            dependencies: [
                "Embedding", "Lexical", "Library", "Postgres", "Retrieval", "TestSupport",
                "Vectors",
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "ingestion-victim",
            dependencies: [
                "Accounts", "Clouds", "Documents", "Embedding", "Ingestion", "Library", "Postgres",
                "Retrieval", "Server", "TestSupport", logging,
            ],
            path: "Tests/IngestionVictim", swiftSettings: settings),
        .testTarget(
            name: "IngestionTests",
            dependencies: [
                "Accounts", "CarrelClient", "Clouds", "Documents", "EmbeddedPostgres", "Embedding",
                "Ingestion", "Library", "Postgres", "Retrieval", "TestSupport", "Vectors",
                "carrel-extract", "ingestion-victim",
            ],
            swiftSettings: settings),
    ]
)
