/// How often and how soon to ask again what is `unavailable`.
package struct Backoff: Sendable {
    /// Requests in all.
    package var attempts = 4
    package var firstDelay = Duration.milliseconds(200)

    package init() {}

    /// Doubles the wait each time; half of it is random, so that those refused together do not come
    /// back together.
    package func retrying<R>(
        _ body: () async throws(CloudError) -> R
    ) async throws(CloudError) -> R {
        var attempt = 1
        while true {
            do {
                return try await body()
            } catch {
                guard case .unavailable = error, attempt < attempts else { throw error }
            }
            let delay = firstDelay * (1 << (attempt - 1)) * Double.random(in: 0.5...1)
            do { try await Task.sleep(for: delay) } catch { throw .cancelled }
            attempt += 1
        }
    }
}
