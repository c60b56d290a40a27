// What the command says when it cannot go on.

/// One line for the user: what happened and, where there is one, what to do.
package struct Failure: Error, CustomStringConvertible, Sendable {
    package let description: String

    package init(_ description: String) { self.description = description }
}
