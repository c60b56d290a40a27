// swift-tools-version: 6.2
import PackageDescription

// Not built: what the rules of ArchitectureTests must catch, each broken once.

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")

let package = Package(
    name: "broken",
    targets: [
        .systemLibrary(name: "CBLAS"),
        .target(name: "Vectors", dependencies: ["CBLAS", nio]),
        .target(name: "Library", dependencies: ["Server"]),
        .target(name: "Server", dependencies: ["Vectors"]),
    ]
)
