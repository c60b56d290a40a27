/// How much a single file may cost before it is given up.
///
/// The heaviest of the shared documents, 117 pages of formulas, takes 3.6 s of processor time and
/// 31 MB (two shared cores of the reference machine, nearly all of it inside Poppler). The defaults
/// leave more than ten times that and still stop a hostile file within two minutes.
package struct ExtractionLimits: Sendable, Equatable {
    /// Size of the file itself.
    package var fileBytes = 128 << 20
    package var pages = 10_000
    /// UTF-8 bytes of text taken out of the file; also bounds what the parent reads from the child.
    package var textBytes = 64 << 20
    /// Any single part of a packed file (DOCX), unpacked.
    package var unpackedBytes = 128 << 20
    /// Address space of the child beyond the file itself, which is mapped.
    package var memoryBytes = 1 << 30
    package var processorSeconds = 60
    package var wallSeconds = 120

    package init() {}
}
