/// Why a benchmark cannot go on, in a line for the person who started it.
public struct WorkloadError: Error, CustomStringConvertible, Sendable {
    /// What happened.
    public let description: String

    /// A reason.
    ///
    /// - Parameter description: what happened, as a line.
    public init(_ description: String) { self.description = description }
}
