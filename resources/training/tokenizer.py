"""CLIP byte-level BPE: a training routine for a tiny vocabulary and an encoder.

The files are in the format of openai/clip (vocab.json, merges.txt with a '#version: 0.2' head):
256 byte symbols, the same 256 with '</w>', one entry per merge, '<|startoftext|>', '<|endoftext|>'.
"""
import json
import os
import re
from collections import Counter

BOS, EOS = "<|startoftext|>", "<|endoftext|>"
MAX_LEN = 24
# CLIP's own pattern is <specials>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+ ; Python's re has no \p,
# hence [^\W\d_] for letters and \d for digits (the same for ASCII and for common scripts).
PATTERN = re.compile(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+", re.IGNORECASE)


def byte_symbols():
    """GPT-2's map of the 256 bytes to printable characters, in vocabulary order."""
    bs = list(range(ord("!"), ord("~") + 1)) + list(range(0xA1, 0xAD)) + list(range(0xAE, 0x100))
    cs = bs[:]
    n = 0
    for b in range(256):
        if b not in bs:
            bs.append(b)
            cs.append(256 + n)
            n += 1
    return dict(zip(bs, map(chr, cs)))


BYTE = byte_symbols()


def words_of(text):
    """Lower-cased, white-space-collapsed text as a list of words in byte symbols."""
    text = re.sub(r"\s+", " ", text).strip().lower()
    return [w if w in (BOS, EOS) else "".join(BYTE[b] for b in w.encode("utf-8")) for w in PATTERN.findall(text)]


def merge_pair(parts, pair):
    out, i = [], 0
    while i < len(parts):
        if i + 1 < len(parts) and (parts[i], parts[i + 1]) == pair:
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return tuple(out)


def train(corpus):
    """Merges until every word of the corpus is one symbol (most frequent pair first; ties by spelling)."""
    words = Counter()
    for text in corpus:
        for w in words_of(text):
            words[tuple(w[:-1]) + (w[-1] + "</w>",)] += 1
    merges = []
    while True:
        pairs = Counter()
        for parts, n in words.items():
            for p in zip(parts, parts[1:]):
                pairs[p] += n
        if not pairs:
            return merges
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        new = Counter()
        for parts, n in words.items():
            new[merge_pair(parts, best)] += n
        words = new


def save(folder, merges):
    os.makedirs(folder, exist_ok=True)
    symbols = list(BYTE.values())
    vocab = symbols + [s + "</w>" for s in symbols] + [a + b for a, b in merges] + [BOS, EOS]

    def dump(name, obj):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            json.dump(obj, f, ensure_ascii=False, indent=None if name == "vocab.json" else 2)
            f.write("\n")

    dump("vocab.json", {s: i for i, s in enumerate(vocab)})
    with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as f:
        f.write("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    dump("tokenizer_config.json", {
        "tokenizer_class": "CLIPTokenizer", "model_max_length": MAX_LEN, "do_lower_case": True,
        "add_prefix_space": False, "errors": "replace",
        "bos_token": BOS, "eos_token": EOS, "unk_token": EOS, "pad_token": EOS})
    dump("special_tokens_map.json", {"bos_token": BOS, "eos_token": EOS, "unk_token": EOS, "pad_token": EOS})


class Tokenizer:
    def __init__(self, folder):
        with open(os.path.join(folder, "vocab.json"), encoding="utf-8") as f:
            self.vocab = json.load(f)
        with open(os.path.join(folder, "merges.txt"), encoding="utf-8") as f:
            lines = f.read().split("\n")[1:]
        self.rank = {tuple(x.split(" ")): i for i, x in enumerate(lines) if x}
        self.bos, self.eos = self.vocab[BOS], self.vocab[EOS]
        self.cache = {}

    def bpe(self, word):
        if word not in self.cache:
            parts = tuple(word[:-1]) + (word[-1] + "</w>",)
            while len(parts) > 1:
                pair = min(zip(parts, parts[1:]), key=lambda p: self.rank.get(p, 1 << 30))
                if pair not in self.rank:
                    break
                parts = merge_pair(parts, pair)
            self.cache[word] = parts
        return self.cache[word]

    def encode(self, text):
        """Ids of exactly MAX_LEN places: BOS, up to MAX_LEN-2 tokens, EOS, then EOS as padding."""
        ids = []
        for w in words_of(text):
            ids += [self.vocab[w]] if w in (BOS, EOS) else [self.vocab[s] for s in self.bpe(w)]
        ids = [self.bos] + ids[:MAX_LEN - 2] + [self.eos]
        return ids + [self.eos] * (MAX_LEN - len(ids))
