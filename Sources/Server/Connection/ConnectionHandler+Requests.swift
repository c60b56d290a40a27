// From an admitted request to its one answer: here and now, at the desk, or by a task.

import Accounts
import Logging
import NIOCore
import Retrieval
import Wire

extension ConnectionHandler {
    func begin(_ method: Method, _ id: RequestID, _ call: Call) {
        requests += 1
        switch method.body {
        case .prompt(let body):
            // Flushed with what else this read brings; see `refuse`.
            finish(id, Outcome.of(body, id, call), number: requests, call)
        case .search(let read): ask(method, read, id, call)
        case .open, .account, .session:
            start(id, call, isInitialize: method.needs == .greeting) { call, result in
                try await method.run(&call, &result)
            }
        }
    }

    /// Leaves a search at the desk, or where it cannot be answered there, to a task.
    private func ask(
        _ method: Method, _ read: Method.Search, _ id: RequestID, _ call: Call
    ) {
        guard let context else { return }
        var call = call
        let request: SearchRequest
        do {
            let session = try method.session(of: &call)
            request = try read(&call, session)
            guard session.reach == .whole else {
                return start(id, call, number: requests) { call, result in
                    try await method.answer(call, &result) {
                        try await Method.limited(request, session, call)
                    }
                }
            }
        } catch {
            finish(id, Outcome(refusing: error), number: requests, call)
            return
        }
        let (read, number, arrived) = (call, requests, call.arrived)
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        let search = PendingSearch(request: request) { answer in
            JSONWriter.line(id, answer, arrived: arrived)
        } deliver: { [activity] line in
            activity.ended()
            this.value.asked(method, request, id, line, number: number, read)
        }
        if desk?.take(search) == true {
            activity.began()
            tasks[id] = Running()
        } else {
            askInTask(method, request, id, call, number: requests)
        }
    }

    /// A search is back from the desk: with the line that answers it, or to be asked in a task.
    private func asked(
        _ method: Method, _ request: SearchRequest, _ id: RequestID, _ line: ByteBuffer?,
        number: Int, _ call: Call
    ) {
        let isCancelled = tasks[id]?.isCancelled == true
        if isCancelled {
            ended(id, .refused(.cancelledByClient, cause: nil), number: number, call)
        } else if let line {
            ended(id, .answered(line, afterwards: nil), number: number, call)
        } else {
            askInTask(method, request, id, call, number: number)
        }
    }

    private func askInTask(
        _ method: Method, _ request: SearchRequest, _ id: RequestID, _ call: Call, number: Int
    ) {
        start(id, call, number: number) { call, result in
            try await method.answer(call, &result) { request }
        }
    }

    private func start(
        _ id: RequestID, _ call: Call, number: Int? = nil, isInitialize: Bool = false,
        _ work: @escaping @Sendable (inout Call, inout JSONWriter) async throws -> Void
    ) {
        guard let context else { return }
        activity.began()
        let number = number ?? requests
        let loop = context.eventLoop
        let this = NIOLoopBound(self, eventLoop: loop)
        let task = Task { [activity] in
            let outcome = await Outcome.of(work, id, call)
            loop.execute {
                activity.ended()
                this.value.ended(id, outcome, number: number, call)
            }
        }
        var running = Running(task: task, isInitialize: isInitialize)
        if let deadline = call.deadline {
            running.alarm = loop.scheduleTask(
                in: TimeAmount(ContinuousClock.now.duration(to: deadline))
            ) {
                this.value.timeOut(id)
            }
        }
        tasks[id] = running
    }

    /// A task has come to its end.
    private func ended(_ id: RequestID, _ outcome: Outcome, number: Int, _ call: Call) {
        guard let running = tasks.removeValue(forKey: id), context != nil else { return }
        running.alarm?.cancel()
        let succeeded = finish(id, outcome, number: number, call, isLate: running.isLate)
        if running.isInitialize {
            state.initialized(succeeded, authenticated: peer.principal != nil)
        } else if state.phase == .initialized {
            state.authenticated(peer.principal != nil, now: .now())
        }
        splitter.lineLimit = state.lineLimit
        context?.flush()
        takeLines()
        context?.flush()
        readIfAllowed()
        leaveIfNothingIsLeft()
        if state.isFinished { leaveWhenDrained() }
    }

    /// Writes the answer, the one and only. Returns whether the request succeeded.
    @discardableResult
    private func finish(
        _ id: RequestID, _ outcome: Outcome, number: Int, _ call: Call, isLate: Bool = false
    ) -> Bool {
        state.finished(id, now: .now())
        switch outcome {
        case .answered(let line, let afterwards):
            write(line)
            afterwards?()
            return true
        case .refused(var error, let cause):
            let requestID = "\(peer.name)-\(number)"
            if error.kind == .cancelled, isLate { error = .deadline }
            if let cause {
                services.logger.log(
                    level: error.kind == .internal ? .error : .info, "refused",
                    metadata: [
                        "request": "\(requestID)", "method": "\(call.method)",
                        "kind": "\(error.kind.rawValue)",
                        "cause": "\(String(reflecting: cause))",
                    ])
            }
            write(JSONWriter.error(id, error, requestID: requestID))
            return false
        }
    }

    private func timeOut(_ id: RequestID) {
        tasks[id]?.isLate = true
        tasks[id]?.cancel()
    }

    /// `$/cancel {id}`. For an id that is not under way there is nothing to say: its answer may
    /// just be on the way.
    func cancel(_ params: JSONObject?) {
        do throws(WireError) {
            guard let value = params?["id"] else { throw .missing("id") }
            tasks[try RequestID(value, field: "id", kind: .invalidParams)]?.cancel()
        } catch {
            refuse(nil, error)
        }
    }
}
