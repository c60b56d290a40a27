// One request on its way through a method.

import Accounts
import NIOCore
import Wire

/// What a method is given besides what it asked for.
struct Call: Sendable {
    let method: String
    var params: Parameters
    let peer: Peer
    let services: Services
    let configuration: ServerConfiguration
    let activity: Activity
    /// Counts the requests of this connection, from 1.
    private let number: Int
    /// When the line was complete.
    let arrived: ContinuousClock.Instant
    /// When the client stops waiting.
    let deadline: ContinuousClock.Instant?
    /// Done once the answer is written.
    private(set) var afterwards: (@Sendable () -> Void)?

    init(
        _ request: Request, of method: Method, peer: Peer, services: Services,
        configuration: ServerConfiguration,
        activity: Activity, number: Int, arrived: ContinuousClock.Instant
    ) throws(WireError) {
        self.method = method.name
        self.number = number
        self.peer = peer
        self.services = services
        self.configuration = configuration
        self.activity = activity
        self.arrived = arrived
        var common = Parameters(request.params)
        let isStrict = try common.optionalFlag("strict") ?? peer.isStrict
        if isStrict, let member = request.unknownMembers.first {
            throw WireError(
                .invalidRequest, "`\(member)` is not a member of a request.", field: member)
        }
        params = Parameters(
            request.params, isStrict: isStrict,
            declared: configuration.checksDeclarations ? method.declared : nil)
        _ = params.value("strict")
        deadline = try params.optionalInteger("timeoutMs", in: 1...86_400_000)
            .map { arrived.advanced(by: .milliseconds($0)) }
    }

    /// Names the request in the log, in refusals and in the audit log: `c7-12`.
    var requestID: String { "\(peer.name)-\(number)" }

    var limits: Limits { configuration.limits }

    /// Asks for something to be done once the answer is written.
    mutating func afterAnswering(_ work: @escaping @Sendable () -> Void) { afterwards = work }
}
