#!/usr/bin/env python3
"""Writes the agreement fixtures of Tests/EmbeddingTests from the reference implementation.

    python3 -m venv /tmp/reference
    /tmp/reference/bin/pip install -r benchmarks/embedding/requirements.txt
    /tmp/reference/bin/python benchmarks/embedding/make_fixtures.py \
        --model data/var/models/all-MiniLM-L6-v2 --out Tests/EmbeddingTests/Fixtures

    texts.jsonl     1,000 JSON strings, one a line
    tokens.u16      for each text: the number of token ids, then the ids (little-endian uint16)
    vectors.f16     1,000 x 384 halves, unit rows, as sentence-transformers gives them
    characters.txt  how the reference treats every Unicode scalar alone (see `characters`)

The texts are made here from the model's vocabulary and from sentences written for this file, with
a fixed seed, so a second run gives the same bytes.
"""
import argparse, json, random, struct, unicodedata
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

SENTENCES = """
The contraction mapping theorem explains why the iteration converges.
She left the keys on the kitchen table, didn't she?
PostgreSQL's MVCC keeps old row versions until VACUUM removes them.
Prices rose by 3.5% (from $1,299.00 to $1,344.47) in Q4/2023.
E-mail: jane.doe+test@example.co.uk; see https://example.org/a/b?c=d&e=f#g
In 1687, Newton published the "Principia" -- three books, in Latin.
Mitochondria produce most of the cell's supply of adenosine triphosphate.
I can't, I won't, I shouldn't've; y'all'd've known.
Größe, Straße, Äpfel, Öl und Übermut: die süße Müllerin aß Weißwürste.
Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft
Ça va? L'été dernier, à Besançon, le garçon naïf a mangé une crème brûlée.
El niño pidió una piñata; ¿cuándo llegará? ¡Mañana!
Příliš žluťoučký kůň úpěl ďábelské ódy.
Zażółć gęślą jaźń.
İstanbul'da ısınmış ışıklar; IĞDIR ve Iğdır.
Съешь же ещё этих мягких французских булок, да выпей чаю. Ёлка, йод.
Ξεσκεπάζω την ψυχοφθόρα βδελυγμία· ΟΔΥΣΣΕΥΣ, Ὀδυσσεύς.
דג סקרן שט בים מאוכזב ולפתע מצא חברה. שָׁלוֹם
نص حكيم له سر قاطع وذو شأن عظيم. السَّلَامُ عَلَيْكُمْ ١٢٣٤
صِف خَلقَ خَودِ كَمِثلِ الشَمسِ إِذ بَزَغَت
ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश।
เป็นมนุษย์สุดประเสริฐเลิศคุณค่า
天地玄黄,宇宙洪荒。日月盈昃,辰宿列张。
いろはにほへと ちりぬるを。カタカナとひらがなと漢字、ガギグゲゴ ｶﾞｷﾞ
키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다.
Tiếng Việt: Đường phố Hà Nội về đêm thật đẹp.
👩‍👩‍👧‍👦 family, 🇩🇪 flag, 👍🏽 thumbs, ❤️ heart, 🫠 melting, 🏴󠁧󠁢󠁥󠁮󠁧󠁿
naïve vs naïve, Å vs Å vs Å, ﬁ ligature, ½ cup, x² + y³, №5, ™ ® ©
Z̸̢̛͉͎̦a̷̛l̶̡g̵̨o̴ t̷e̵x̶t̴ with c̈ombinïng mårks
ＦＵＬＬ　ＷＩＤＴＨ　ｌｅｔｔｅｒｓ １２３
𝕯𝖔𝖚𝖇𝖑𝖊 𝓼𝓬𝓻𝓲𝓹𝓽 𝟙𝟚𝟛 𐐔𐐯𐑅𐐯𐑉𐐯𐐻 𠀀𠀁 𪛖
for (size_t i = 0; i < n; i++) { sum += a[i] * b[i]; } // dot product
def f(x: int) -> str: return f"{x!r:>10}"  # comment
SELECT c.id, 1 - (c.embedding <=> $1) AS score FROM document_chunks c WHERE c.session_id = $2 ORDER BY 2 DESC LIMIT 10;
let rows = try await db.query(Self.list, [id, limit]) ?? []
{"jsonrpc":"2.0","id":1,"method":"search","params":{"k":5,"text":"why?"}}
<div class="a" id='b'>&amp; &#x27; &nbsp;</div>
\\frac{\\partial u}{\\partial t} = \\alpha \\nabla^2 u
[CLS] literal [SEP] special [MASK] tokens [PAD] in [UNK] text [cls] [ SEP ]
##ing ##ed un##able #hash ## ###
-----BEGIN CERTIFICATE----- MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA7
!!! ??? ... --- ___ *** ~~~ ``` ^^^ $$$ +++ === <<< >>> ||| \\\\\\ ///
“Quotes” ‘single’ «guillemets» „deutsch“ ‹x› — – ‐ ‑ … · • § ¶ † ‡ ′ ″
""".strip("\n").split("\n") + [
    "aa\u0000bb\u0001cc\u0007dd\u001fee\u007fff\u0085gg\u009fhh\u00adii\u200bjj\u200dkk\ufeffll\ufffdmm",
    "tab\there newline\nthere return\rthere vt\u000bff\u000cnbsp\u00a0en\u2002em\u2003ls\u2028ps\u2029wide\u3000end",
    "\ue000private\uf8ff \U000f0000use \u0378unassigned \U0001fbffnew \u2065",
]


def texts():
    rng = random.Random(20261121)
    vocabulary = [w for w in VOCABULARY if w.isalpha() and w.isascii() and len(w) > 1]
    pieces = [w.removeprefix("##") for w in VOCABULARY if not w.startswith("[")]
    yield from ["", " ", "\t\n\r ", "\u00a0\u2003\u3000", "\u0000\u0001", "\u0301", "a", ".", "中", "🙂",
                "x" * 100, "x" * 101, "é" * 100, "é" * 101, "1" * 99, "-" * 300, "中" * 400,
                "word " * 251, "word " * 254, "word " * 255, "word " * 256, "word " * 2000]
    sentences = SENTENCES
    yield from sentences
    for left in sentences:
        yield left.upper()
        yield " ".join(rng.sample(left.split() or [left], len(left.split()) or 1)) + "  " + rng.choice(sentences)
    # Whole blocks of Unicode, sixteen scalars between letters at a time.
    for start in [*range(0x80, 0x3400, 0x90), *range(0xA000, 0xAC00, 0x90), *range(0xF900, 0x10000, 0x90),
                  *range(0x10000, 0x11000, 0x180), *range(0x1D100, 0x1D800, 0x100), *range(0x1F000, 0x1FB00, 0x100),
                  0x2F800, 0x2F900, 0xE0000, 0xE0100]:
        yield " ".join("q" + chr(c) + "w" for c in range(start, start + 0x48, 3))
    for length in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 17, 20, 31, 32, 33, 48, 63, 64, 65, 100, 127, 128, 129, 200, 252, 253, 254, 255, 300]:
        yield " ".join(rng.choice(vocabulary) for _ in range(length))
    while True:
        kind = rng.random()
        if kind < 0.55:   # prose-like, of any length a chunk may have
            words = [rng.choice(vocabulary) for _ in range(min(int(rng.lognormvariate(2.4, 0.8)) + 2, 230))]
            for i in range(rng.randrange(6, 14), len(words), rng.randrange(6, 14)):
                words[i] = words[i].capitalize()
                words[i - 1] += rng.choice([".", ",", ";", "?", "!", ":"])
            yield " ".join(words) + "."
        elif kind < 0.7:  # words glued from pieces: the tokenizer's work
            yield " ".join("".join(rng.choice(pieces) for _ in range(rng.randrange(1, 4))) for _ in range(rng.randrange(1, 24)))
        elif kind < 0.85: # sentences of several languages in one text
            yield " ".join(rng.choice(sentences) for _ in range(rng.randrange(1, 4)))[:600]
        else:             # any scalars at all
            yield "".join(scalar(rng) for _ in range(rng.randrange(1, 60)))


def scalar(rng):
    top = rng.choice([0x7F, 0x24F, 0x2FFF, 0xFFFF, 0x1FFFF, 0x10FFFF])
    while True:
        c = rng.randrange(top + 1)
        if not 0xD800 <= c <= 0xDFFF:
            return rng.choice(["", " ", "e"]) + chr(c)


def characters(backend, out):
    """How the reference treats each Unicode scalar c in the text "a" + c + "a". A line is a run of
    scalars treated alike, `first last kind`, or one that changes, `scalar map hex hex ...`.

    drop   one word, aa            punct  three words, of which c is the second
    space  two words, a and a      word   one word with c in it
    map    as word, but c has become other scalars
    pair   as punct, but c has become another scalar
    jamo   as map, to the canonical decomposition: the Korean syllables
    """
    runs = []
    for c in [*range(0xD800), *range(0xE000, 0x110000)]:
        text = backend.normalizer.normalize_str("a" + chr(c) + "a")
        words = [w for w, _ in backend.pre_tokenizer.pre_tokenize_str(text)]
        middle = "".join(words)[1:-1]
        changed = " " + " ".join(f"{ord(x):x}" for x in middle)
        if len(words) == 1 and middle != "" and middle != chr(c):
            jamo = 0xAC00 <= c < 0xD7A4 and middle == unicodedata.normalize("NFD", chr(c))
            kind = "jamo" if jamo else "map" + changed
        elif len(words) == 3 and middle != chr(c):
            kind = "pair" + changed
        else:
            kind = {1: "word" if middle else "drop", 2: "space", 3: "punct"}[len(words)]
        if runs and " " not in kind and runs[-1][1:] == [c - 1, kind]:
            runs[-1][1] = c
        else:
            runs.append([c, c, kind])
    out.write_text("".join(
        f"{a:x} {kind}\n" if " " in kind else f"{a:x} {b:x} {kind}\n" for a, b, kind in runs))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--model", required=True, type=Path)
    arguments.add_argument("--out", required=True, type=Path)
    options = arguments.parse_args()
    VOCABULARY = (options.model / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]

    unique = dict.fromkeys(t for t, _ in zip(texts(), range(1300)))
    chosen = list(unique)[:1000]
    assert len(chosen) == 1000
    with open(options.out / "texts.jsonl", "w", encoding="utf-8", newline="\n") as f:
        f.writelines(json.dumps(t, ensure_ascii=False) + "\n" for t in chosen)

    model = SentenceTransformer(str(options.model), device="cpu")
    backend = model.tokenizer.backend_tokenizer
    characters(backend, options.out / "characters.txt")
    ids = model.tokenizer(chosen, truncation=True, max_length=model.max_seq_length)["input_ids"]
    with open(options.out / "tokens.u16", "wb") as f:
        for row in ids:
            f.write(struct.pack(f"<{len(row) + 1}H", len(row), *row))
    vectors = model.encode(chosen, batch_size=16, normalize_embeddings=True)
    vectors.astype("<f2").tofile(options.out / "vectors.f16")
    print(len(chosen), "texts,", sum(map(len, ids)), "tokens,", vectors.shape)
