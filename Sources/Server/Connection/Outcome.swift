import NIOCore
import Wire

/// What became of a request.
enum Outcome: Sendable {
    case answered(ByteBuffer, afterwards: (@Sendable () -> Void)?)
    /// With what lies behind it, when that is not simply what the client is told.
    case refused(WireError, cause: (any Error)?)

    static func of(
        _ work: (inout Call, inout JSONWriter) async throws -> Void, _ id: RequestID, _ call: Call
    ) async -> Outcome {
        var call = call
        do {
            var result = JSONWriter.beginResult(id)
            try await work(&call, &result)
            return .answered(result.endResult(), afterwards: call.afterwards)
        } catch {
            return Outcome(refusing: error)
        }
    }

    static func of(_ body: Method.Prompt, _ id: RequestID, _ call: Call) -> Outcome {
        var call = call
        do {
            var result = JSONWriter.beginResult(id)
            try body(&call, &result)
            return .answered(result.endResult(), afterwards: call.afterwards)
        } catch {
            return Outcome(refusing: error)
        }
    }

    init(refusing error: any Error) {
        self =
            if let error = error as? WireError {
                .refused(error, cause: nil)
            } else {
                .refused(WireError(translating: error), cause: error)
            }
    }
}
