#!/usr/bin/env python3
"""Writes strings.json (1,000 texts), expected.json (for each tokenizer and text the FNV-1a hash of the ids, 32 bits, over
four little-endian bytes an id) and small tokenizers of every kind, trained on the texts, whose vocabularies may be
committed. The published vocabularies of CLIP, T5 and Qwen 2.5 are read from a folder and not written.

    make_tokenizers.py FOLDER VOCABULARIES      (made with tokenizers 0.23, sentencepiece 0.2.3, transformers 5.24)
"""
import io
import json
import random
import sys
import unicodedata

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

folder, vocabularies = sys.argv[1], sys.argv[2]
rng = random.Random(11)

CLIP = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
QWEN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
GPT4 = QWEN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|"
          r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|"
          r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")

NOUNS = "cat dog castle river city portrait astronaut dragon forest lighthouse robot teapot mountain bridge violin ship".split()
STYLES = ("oil painting|watercolour|35mm photograph|isometric render|ukiyo-e woodblock print|pencil sketch|low-poly 3D|"
          "cinematic still|pixel art|macro shot").split("|")
WORDS = "very highly detailed soft light golden hour rim lighting bokeh by night in the rain masterpiece 8k f/1.8".split()
ACCENTS = "café naïve Zürich façade señor über smörgåsbord Łódź Dvořák İstanbul ĳssel œuvre Straße ﬁne ǅungla Ångström".split()
CJK = ("日本の桜と富士山|一只戴着宇航员头盔的猫|한국의 전통 건축|東京タワー、夜景|「龍」の水墨画|中文，全角标点！|ﾊﾝｶｸ ｶﾅ|㍻㌔㈱|"
       "ทะเลสวยงาม|Привет, мир|Γειά σου Κόσμε|שלום עולם|مرحبا بالعالم|नमस्ते दुनिया|Việt Nam đẹp").split("|")
EMOJI = "😀 🚀 👩‍💻 🏳️‍🌈 🇯🇵 ❤️ ☃ 👨‍👩‍👧‍👦 🧙🏽‍♂️ ✨ ①②③ ™ ½ ⅷ".split()
SYNTAX = ("(masterpiece:1.2)|[cat:dog:0.5]|<lora:add_detail:0.8>|((red)) [blue]|\\(literal\\)|BREAK|a AND b|{a|b|c}|"
          "embedding:bad-hands|score_9, score_8_up|1girl, solo|--ar 16:9 --v 6|key_word/other\\path|@#$%^&*~`|a--b...c!?").replace(
              "{a|b|c}", "{a;b;c}").split("|")
SPACES = [" ", "  ", "\t", "\n", "\r\n", "\n\n\n", "\u00a0", "\u3000", "\u2009", " \n ", "   ", "\u200b", "\u0085"]
CONTRACTIONS = "it's I'M don't WE'LL they'Ve he'd 'S' you’re o'clock rock'n'roll 'ſ".split()
NUMBERS = "3 14 159 2653 58979 1,000,000 3.14 1e-5 0x1F ٣٤ Ⅻ ²".split()
MARKS = ["e\u0301", "a\u0323\u0302", "a\u0302\u0323", "\u1100\u1161\u11a8", "n\u0303o", "\u0958", "\u212b", "z\u0351\u036b\u0343",
         "\u0915\u094d\u0937", "\u0e01\u0e33", "\u0301start"]
CASES = "camelCase HTTPServer XMLHttpRequest iPhone McDonald aB Ab ABC abcDEF ÀÉî ʰmodifier".split()


def words(*lists, n=(1, 8)):
    return " ".join(rng.choice(rng.choice(lists)) for _ in range(rng.randint(*n)))


def wild():
    """Assigned characters of any block but the surrogates and private use."""
    out = []
    while len(out) < rng.randint(1, 20):
        c = chr(rng.choice([rng.randrange(0x20, 0x250), rng.randrange(0x20, 0x3000), rng.randrange(0x20, 0x20000)]))
        if unicodedata.category(c) not in ("Cn", "Cs", "Co", "Cc"):
            out.append(c)
    return "".join(out)


def prompt():
    return f"a {rng.choice(WORDS)} {rng.choice(NOUNS)}, {rng.choice(STYLES)}, {words(WORDS, NOUNS, n=(1, 6))}"


makers = [prompt, lambda: words(ACCENTS, NOUNS), lambda: words(CJK, NOUNS, n=(1, 3)), lambda: words(EMOJI, NOUNS, n=(1, 5)),
          lambda: words(SYNTAX, NOUNS, n=(1, 5)), lambda: words(CONTRACTIONS, NUMBERS, NOUNS),
          lambda: words(MARKS, ACCENTS, n=(1, 5)), lambda: words(CASES, NUMBERS, n=(1, 6)), wild,
          lambda: "".join(rng.choice(SPACES) + rng.choice(NOUNS + CJK + SYNTAX + NUMBERS) for _ in range(rng.randint(1, 5)))
          + rng.choice(["", " ", "\n", "  "]),
          lambda: "".join(rng.choice(ACCENTS + EMOJI + SYNTAX + MARKS + CASES + NUMBERS + SPACES) for _ in range(rng.randint(1, 7)))]
texts = ["", " ", "\n", "   ", "'", "a", "A", "<|endoftext|>", "<|im_start|>user\nhi<|im_end|>\n", "</s>", "a</s>b", "▁", "a▁▁b",
         "\u2581 \u2581", "x" * 300, "ab" * 150, "!" * 100, " " * 50, "  lead", "trail  ", "\ufeffbom", "a\u0000b", "é" * 80, "日" * 60,
         "<0x41>", "very " * 90 + "long", prompt() + " " + prompt() + ", " + words(WORDS, NOUNS, ACCENTS, n=(60, 70))]
while len(texts) < 1000:
    t = rng.choice(makers)()
    if t not in texts:
        texts.append(t)


def fnv(ids):
    h = 0x811C9DC5
    for b in b"".join(i.to_bytes(4, "little") for i in ids):
        h = (h ^ b) * 0x01000193 & 0xFFFFFFFF
    return f"{h:08x}"


def byte_level(pattern, name):
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    split = [pre_tokenizers.Split(Regex(pattern), "isolated")] if pattern else []
    t.pre_tokenizer = pre_tokenizers.Sequence(split + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not pattern)])
    t.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                                     special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"]))
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return t


def clip_like():
    t = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(CLIP), "removed", invert=True),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=800, end_of_word_suffix="</w>",
                                                     initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                                     special_tokens=["<|startoftext|>", "<|endoftext|>"]))
    t.post_processor = processors.RobertaProcessing(("<|endoftext|>", 1), ("<|startoftext|>", 0))
    return t


def gemma_like():
    """Characters with ▁ for spaces, bytes for what is unknown, a start token."""
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Replace(" ", "▁")
    t.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    special = ["<pad>", "<bos>", "<unk>"] + [f"<0x{b:02X}>" for b in range(256)]
    t.train_from_iterator([t for t in texts if len(t) < 80], trainers.BpeTrainer(vocab_size=560, special_tokens=special, limit_alphabet=70))
    j = json.loads(t.to_str())
    j["added_tokens"] = j["added_tokens"][:3]  # byte tokens are not found in texts
    t = Tokenizer.from_str(json.dumps(j))
    t.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 1)])
    return t


def unigram(byte_fallback):
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer = (pre_tokenizers.Metaspace(prepend_scheme="first") if byte_fallback else
                       pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]))
    special = ["<pad>", "</s>", "<unk>"] + ([f"<0x{b:02X}>" for b in range(256)] if byte_fallback else [])
    t.train_from_iterator([x for x in texts if all(ord(c) < 0x250 for c in x) and "</s>" not in x],
                          trainers.UnigramTrainer(vocab_size=len(special) + 300, special_tokens=special, unk_token="<unk>"))
    j = json.loads(t.to_str())
    j["added_tokens"] = j["added_tokens"][:3]
    j["model"]["byte_fallback"] = byte_fallback
    j["model"]["vocab"] = [[p, round(s, 4)] for p, s in j["model"]["vocab"]]
    t = Tokenizer.from_str(json.dumps(j))
    t.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return t


def sentencepiece_like():
    """With a small table of its own for the normaliser, and byte fallback."""
    rules = {"\t": " ", "\n": " ", "\r": " ", "\u00a0": " ", "\u3000": " ", "ﬁ": "fi", "①": "1", "™": "TM", "½": "1/2", "e\u0301": "é",
             "a\u0302": "â", "\u200b": "", "\u212b": "\u00c5", "ab": "ba", "abab": "xyz"}
    with open("/tmp/rules.tsv", "w") as f:
        for a, b in rules.items():
            f.write(" ".join(f"{ord(c):X}" for c in a) + "\t" + " ".join(f"{ord(c):X}" for c in b) + "\n")
    out = io.BytesIO()
    plain = [t for t in texts if t.strip() and "\n" not in t and "\0" not in t and all(ord(c) < 0x250 for c in t)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(plain), model_writer=out, vocab_size=640, model_type="unigram", byte_fallback=True, pad_id=0, eos_id=1,
        unk_id=2, bos_id=-1, normalization_rule_tsv="/tmp/rules.tsv", user_defined_symbols=["<sep>", "masterpiece"], minloglevel=2,
        hard_vocab_limit=False, num_threads=1)
    return out.getvalue()


def published():
    vocabulary = lambda name: json.load(open(f"{vocabularies}/{name}_vocab.json"))
    merges = lambda name: [tuple(l.rstrip("\n").split(" ")) for l in open(f"{vocabularies}/{name}_merges.txt", encoding="utf-8")
                           if not l.startswith("#version") and " " in l]
    clip = Tokenizer(models.BPE(vocabulary("clip"), merges("clip"), unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    clip.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    clip.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(CLIP), "removed", invert=True),
                                                  pre_tokenizers.ByteLevel(add_prefix_space=False)])
    clip.post_processor = processors.RobertaProcessing(("<|endoftext|>", 49407), ("<|startoftext|>", 49406))
    clip.add_special_tokens(["<|startoftext|>", "<|endoftext|>"])
    qwen = Tokenizer(models.BPE(vocabulary("qwen25"), merges("qwen25")))
    qwen.normalizer = normalizers.NFC()
    qwen.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN), "isolated"),
                                                  pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    qwen.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    assert qwen.token_to_id("<|im_end|>") == 151645
    t5 = sentencepiece.SentencePieceProcessor(model_file=f"{vocabularies}/t5_spiece.model")
    return {"clip": lambda s: clip.encode(s).ids, "qwen25": lambda s: qwen.encode(s).ids,
            "t5": lambda s: t5.encode(s) + [1]}


small = {"qwen": byte_level(QWEN, "qwen"), "gpt2": byte_level(None, "gpt2"), "gpt4": byte_level(GPT4, "gpt4"), "tekken": byte_level(TEKKEN, "tekken"),
         "clip_json": clip_like(), "gemma": gemma_like(), "unigram": unigram(False), "unigram_bytes": unigram(True)}
expected = {}
for name, t in small.items():
    j = json.loads(t.to_str())
    with open(f"{folder}/{name}.tokenizer.json", "w") as f:
        json.dump(j, f, ensure_ascii=False, separators=(",", ":"))
    expected[name] = [fnv(t.encode(s).ids) for s in texts]
spm = sentencepiece_like()
open(f"{folder}/spiece.model", "wb").write(spm)
processor = sentencepiece.SentencePieceProcessor(model_proto=spm)
expected["sentencepiece"] = [fnv(processor.encode(s) + [1]) for s in texts]
for name, encode in published().items():
    expected[name] = [fnv(encode(s)) for s in texts]
with open(f"{folder}/strings.json", "w") as f:
    json.dump(texts, f, ensure_ascii=False, separators=(",", ":"))
with open(f"{folder}/expected.json", "w") as f:
    json.dump({k: "".join(v) for k, v in expected.items()}, f, separators=(",", ":"))
if len(sys.argv) > 3:  # every id, to look at differences
    json.dump({n: [t.encode(s).ids for s in texts] for n, t in small.items()}
              | {"sentencepiece": [processor.encode(s) + [1] for s in texts]}
              | {n: [e(s) for s in texts] for n, e in published().items()}, open(sys.argv[3], "w"))
