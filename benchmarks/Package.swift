// swift-tools-version: 6.2
import PackageDescription

// The measurements are a package of their own, so that nobody who only uses Carrel resolves what
// they need. Of Carrel itself they need `Workload`, which has no dependencies: a cold build takes a
// minute or two.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "carrel-benchmarks",
    dependencies: [
        .package(name: "carrel", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
    ],
    targets: [
        .executableTarget(
            name: "carrel-bench",
            dependencies: [
                .product(name: "Workload", package: "carrel"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            path: "Sources/carrel-bench", swiftSettings: settings)
    ]
)
