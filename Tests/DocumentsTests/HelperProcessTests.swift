// What the parent makes of a helper that does not behave; shell scripts play its part.

import Documents
import Foundation
import Testing

@Suite struct HelperProcessTests {
    /// The error of an extraction by a script instead of `carrel-extract`.
    private func failure(
        of script: String, limits: ExtractionLimits = ExtractionLimits()
    ) async throws -> DocumentError? {
        let helper = try executable(script)
        let input = try Fixtures.temporaryFile(Array("text".utf8))
        defer {
            try? FileManager.default.removeItem(atPath: helper)
            try? FileManager.default.removeItem(atPath: input)
        }
        do throws(DocumentError) {
            _ = try await Extractor(helper: helper, limits: limits)
                .extract(input, fileName: "a.txt")
            return nil
        } catch {
            return error
        }
    }

    /// A script that can be started. Another process copies it into place: a file that this one had
    /// opened to write could be held open for a moment by a child that another test is starting, and
    /// Linux refuses to execute it then (ETXTBSY).
    private func executable(_ script: String) throws -> String {
        let source = try Fixtures.temporaryFile(Array("#!/bin/sh\n\(script)\n".utf8))
        defer { try? FileManager.default.removeItem(atPath: source) }
        let install = try Process.run(
            URL(filePath: "/usr/bin/install"),
            arguments: ["-m", "755", source, source + ".sh"])
        install.waitUntilExit()
        try #require(install.terminationStatus == 0)
        return source + ".sh"
    }

    @Test("A helper that hangs is killed when the time is up")
    func hangs() async throws {
        var limits = ExtractionLimits()
        limits.wallSeconds = 1
        let start = ContinuousClock.now
        let error = try await failure(of: "exec sleep 600", limits: limits)
        #expect(error == .timedOut(seconds: 1))
        #expect(ContinuousClock.now - start < .seconds(300))
    }

    @Test("A helper that never stops writing is killed at the limit")
    func babbles() async throws {
        var limits = ExtractionLimits()
        limits.textBytes = 1 << 20
        let error = try await failure(of: "exec cat /dev/zero", limits: limits)
        #expect(error == .tooLarge(.textBytes, limit: 1 << 20, got: nil))
    }

    @Test("Nonsense, silence and half an answer are the reader's failure")
    func nonsense() async throws {
        for script in ["echo hello", "exit 0", "printf '{\"textBytes\":9}\\nabc'", "exit 3"] {
            let error = try await failure(of: script)
            #expect(error?.code == "extractor_failed", "\(script)")
        }
    }

    @Test("An answer whose spans do not fit its text is refused")
    func spans() async throws {
        let header = """
            {"fileType":"text","pages":[{"number":1,"start":0,"end":9}],"sections":[],\
            "verbatim":[],"textBytes":3}
            """
        let error = try await failure(of: "printf '%s\\nabc' '\(header)'")
        #expect(error?.code == "extractor_failed")
    }

    @Test("A crash is told from running out of memory")
    func ends() async throws {
        let ends = [
            "kill -SEGV $$": "damaged", "exit 12": "out_of_memory", "kill -XCPU $$": "timed_out",
        ]
        for (script, code) in ends {
            let error = try await failure(of: script)
            #expect(error?.code == code, "\(script)")
        }
    }

    @Test("A missing helper is named")
    func missing() async throws {
        let input = try Fixtures.temporaryFile(Array("text".utf8))
        defer { try? FileManager.default.removeItem(atPath: input) }
        await #expect(throws: DocumentError.self) {
            try await Extractor(helper: "/nowhere/carrel-extract").extract(input, fileName: "a")
        }
    }

    @Test("A missing document is unreadable, a folder too")
    func unreadable() async {
        for path in ["/nowhere/at/all", "/tmp"] {
            do throws(DocumentError) {
                _ = try await Extractor().extract(path, fileName: "a.txt")
                Issue.record("read \(path)")
            } catch {
                #expect(error.code == "unreadable")
            }
        }
    }

    @Test("Cancelling the task kills the helper at once")
    func cancelled() async throws {
        let task = Task { try await failure(of: "exec sleep 600") }
        try await Task.sleep(for: .milliseconds(200))
        let start = ContinuousClock.now
        task.cancel()
        let error = try await task.value
        #expect(error == .cancelled)
        #expect(ContinuousClock.now - start < .seconds(300))
    }

    @Test("The helper gets an empty environment and three open files")
    func bareChild() async throws {
        let report = FileManager.default.temporaryDirectory
            .appending(path: "carrel-child-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: report) }
        _ = try await failure(of: "tr '\\0' '\\n' < /proc/$$/environ > \(report)")
        let environment = try String(contentsOfFile: report, encoding: .utf8)
        #expect(environment == "")
    }

    @Test("Twenty extractions at once all end well")
    func concurrent() async throws {
        try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<20 {
                group.addTask {
                    try await Fixtures.extract("Text number \(number).", named: "a.txt").text
                }
            }
            let texts = try await group.reduce(into: Set()) { $0.insert($1) }
            #expect(texts.count == 20)
        }
    }
}
