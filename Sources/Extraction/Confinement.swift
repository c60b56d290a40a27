// Takes away from this process what reading a file does not need. The only file that calls CConfine.

import CConfine
package import Documents
import Glibc

package enum Confinement {
    /// Limits in force for the rest of the process's life; ends the process if they cannot be had.
    ///
    /// The file itself is held in memory twice at most (as read, and unpacked or transcoded), so its
    /// size limit is added to what the reader may use.
    package static func enter(_ request: ExtractionRequest) {
        let limits = request.limits
        let memory = limits.memoryBytes + 2 * limits.fileBytes
        guard
            carrel_confine_limits(request.parent, memory, UInt32(limits.processorSeconds)) == 0,
            carrel_confine_crashes(HelperExit.outOfMemory) == 0
        else { exit(HelperExit.unconfined) }
        // A kernel without seccomp filters leaves the other limits.
        _ = carrel_confine_system_calls()
    }
}
