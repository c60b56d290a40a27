// A local Spark for tests: PySpark as scripts/setup fetches it, and the Java of this machine.

import Foundation

enum Spark {
    /// Where `scripts/setup spark` puts it.
    private static var directory: String {
        let environment = ProcessInfo.processInfo.environment
        return environment["CARREL_SPARK_DIR"]
            ?? CarrelProcess.package.appending(path: "data/var/runtime/spark").path
    }

    private static var java: String? {
        let environment = ProcessInfo.processInfo.environment
        let folders =
            (environment["JAVA_HOME"].map { ["\($0)/bin"] } ?? [])
            + (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return folders.map { "\($0)/java" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }

    /// What a skipped test says.
    static let wanted: String =
        "there is no Spark: run scripts/setup spark, and install Java 17 (openjdk-17-jre-headless)"

    static var isThere: Bool {
        java != nil && FileManager.default.fileExists(atPath: "\(directory)/pyspark/__init__.py")
    }

    /// Runs a Python program with two workers, from start to end. `modules` is where it finds others.
    static func run(
        _ program: String, _ arguments: [String], modules: String, scratch: String
    ) async throws -> Outcome {
        let environment = [
            "PYTHONPATH": "\(directory):\(modules)",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYSPARK_PYTHON": "python3",
            "PYSPARK_SUBMIT_ARGS":
                "--master local[2] --driver-memory 512m --conf spark.ui.enabled=false pyspark-shell",
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": scratch,
        ]
        let running = try Running(
            URL(filePath: "/usr/bin/env"), ["python3", program] + arguments,
            environment: ProcessInfo.processInfo.environment.merging(environment) { $1 })
        return await running.ended()
    }
}
