// Sends requests over libcurl, which blocks: on threads of its own, a bounded number at a time.

internal import Foundation
internal import Synchronization

/// Asks servers within one rule about addresses.
///
/// Connections are kept and used again; they never leave this client, so none that was opened
/// under a laxer rule is used under a stricter one. Redirects are not followed.
package final class HTTPClient: Sendable {
    private let rule: AddressRule
    private let limits: HTTPLimits
    private let idle = Mutex<[CurlHandle]>([])
    private let queue = OperationQueue()

    package init(
        rule: AddressRule, limits: HTTPLimits = HTTPLimits(), concurrency: Int = 8
    ) {
        self.rule = rule
        self.limits = limits
        queue.maxConcurrentOperationCount = concurrency
    }

    /// Sends a request and receives its answer, whatever its status.
    ///
    /// The body of a success goes to `sink` in pieces as it arrives, or into the answer; memory is
    /// bounded by a piece, or by `limit`.
    ///
    /// - Throws: `tooLarge` as soon as more than `limit` bytes are announced or come.
    package func send(
        _ request: HTTPRequest, limit: Int = 1 << 20,
        sink: (@Sendable ([UInt8]) throws -> Void)? = nil
    ) async throws(CloudError) -> HTTPResponse {
        let transfer = try Transfer(request, rule: rule, bodyLimit: limit, sink: sink)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.addOperation { continuation.resume(returning: self.perform(transfer)) }
            }
        } onCancel: {
            transfer.cancel()
        }
        return try result.get()
    }

    private func perform(_ transfer: Transfer) -> Result<HTTPResponse, CloudError> {
        do throws(CloudError) {
            if transfer.isCancelled { throw .cancelled }
            let kept = idle.withLock { $0.popLast() }
            let handle = if let kept { kept } else { try CurlHandle() }
            defer { idle.withLock { $0.append(handle) } }
            return .success(try handle.perform(transfer, within: limits))
        } catch {
            return .failure(error)
        }
    }
}
