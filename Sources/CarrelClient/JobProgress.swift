internal import Wire

/// How far a job has come.
public struct JobProgress: Sendable, Equatable {
    /// The job's id.
    public let job: String
    /// `QUEUED`, `RUNNING`, `SUCCEEDED`, `FAILED` or `CANCELLED`.
    public let state: String
    /// What is being done, in one word, such as `embed`.
    public let stage: String?
    /// Units done, of `total`.
    public let done: Int
    /// Units in all; 0 until they are known.
    public let total: Int

    /// Whether nothing follows.
    public var isOver: Bool { state != "QUEUED" && state != "RUNNING" }
}

extension JobProgress {
    /// Reads a job object, or the parameters of a `$/progress` notification.
    init?(job: String, _ object: JSONObject) {
        guard let state = object["state"]?.string else { return nil }
        self.job = job
        self.state = state
        stage = object["stage"]?.string
        done = object["done"]?.int ?? 0
        total = object["total"]?.int ?? 0
    }
}
