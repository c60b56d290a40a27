// Reads one document from standard input and says on standard output what is in it. Started by
// `Extractor`, never by hand; the limits come as arguments, and are in force before the first byte
// of the file is looked at.

import Documents
import Extraction
import Glibc

guard let request = ExtractionRequest(arguments: Array(CommandLine.arguments.dropFirst())) else {
    exit(HelperExit.badRequest)
}
Confinement.enter(request)

let answer: [UInt8]
do throws(DocumentError) {
    let bytes = try StandardInput.read(limit: request.limits.fileBytes)
    answer = Handover.encode(.success(try DocumentReader.read(bytes, request)))
} catch {
    answer = Handover.encode(.failure(error))
}
StandardOutput.write(answer)
_exit(0)
