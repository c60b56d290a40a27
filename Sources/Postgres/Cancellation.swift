// How a cancelled task reaches a thread that waits for the database.

internal import Synchronization

/// One operation's flag, raised by `withTaskCancellationHandler` from any thread.
final class Cancellation: Sendable {
    private let raised = Atomic<Bool>(false)
    private let thread: ConnectionThread

    init(_ thread: ConnectionThread) { self.thread = thread }

    var isRequested: Bool { raised.load(ordering: .acquiring) }

    func request() {
        raised.store(true, ordering: .releasing)
        thread.wake()
    }
}
