// Markdown to HTML. The only file that calls cmark-gfm.

import CCMarkGFM
import Glibc

enum CommonMark {
    /// The HTML of a Markdown text, with GitHub's extensions and footnotes. Raw HTML is kept: what
    /// is hidden in it is left out later, by the same rules as in a web page.
    static func html(_ markdown: String) -> [UInt8] {
        cmark_gfm_core_extensions_ensure_registered()
        let options = CMARK_OPT_UNSAFE | CMARK_OPT_FOOTNOTES | CMARK_OPT_VALIDATE_UTF8
        guard let parser = unsafe cmark_parser_new(options) else { return [] }
        defer { unsafe cmark_parser_free(parser) }
        for name in ["table", "strikethrough", "autolink", "tasklist"] {
            if let found = unsafe cmark_find_syntax_extension(name) {
                unsafe cmark_parser_attach_syntax_extension(parser, found)
            }
        }
        var markdown = markdown
        markdown.withUTF8 { text in
            unsafe text.withMemoryRebound(to: CChar.self) { text in
                unsafe cmark_parser_feed(parser, text.baseAddress, text.count)
            }
        }
        guard let root = unsafe cmark_parser_finish(parser) else { return [] }
        defer { unsafe cmark_node_free(root) }
        let extensions = unsafe cmark_parser_get_syntax_extensions(parser)
        guard let html = unsafe cmark_render_html(root, options, extensions) else { return [] }
        defer { unsafe free(html) }
        return unsafe Array(UnsafeRawBufferPointer(start: html, count: strlen(html)))
    }
}
