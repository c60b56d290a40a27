// SIGTERM and SIGINT mean: finish what you are doing and go.

import Dispatch
import Foundation

enum StopSignals {
    /// Waits for one of them.
    ///
    /// From the first call on they no longer end the process by themselves.
    static func wait() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        let sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield() }
            source.resume()
            return source
        }
        for await _ in stream { break }
        sources.forEach { $0.cancel() }
    }
}
