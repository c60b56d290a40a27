"""Carrel's hashing embedder (Sources/Embedding/HashingEmbedder.swift) for texts of ASCII, in plain Python."""
import math
import re

MASK = (1 << 64) - 1


def mixed(word, seed):
    """FNV-1a over four bytes a letter, finished with murmur3's mixer."""
    value = 0xCBF29CE484222325 ^ (seed * 0x9E3779B97F4A7C15 & MASK)
    for letter in word:
        for byte in ord(letter).to_bytes(4, "little"):
            value = (value ^ byte) * 0x100000001B3 & MASK
    value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD & MASK
    value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53 & MASK
    return value ^ value >> 33


def vector(text):
    weights = {}

    def add(feature, weight):
        total, count = weights.get(feature, (0, 0))
        weights[feature] = (total + weight, count + 1)

    for word in re.findall("[a-z0-9]+", text.lower()):
        add(mixed(word, 0), 1)
        marked = "\2" + word + "\2"
        grams = [marked[at:at + n] for n in (3, 4, 5) for at in range(len(marked) - n + 1)]
        for gram in grams:
            add(mixed(gram, 1), 0.5 / math.sqrt(len(grams)))
    row = [0.0] * 768
    for feature, (total, count) in sorted(weights.items()):
        amount = total / math.sqrt(count)
        row[feature % 768] += -amount if feature >> 63 else amount
    length = math.sqrt(sum(number * number for number in row))
    return [number / length for number in row]


def embedder(model, weights):
    """For `--embed hashing_embedder:embedder`."""
    return lambda texts: [vector(text) for text in texts]
