// Every tokenizer: a line here and a file beside it with `const TokenizerKind& name()`; the first that recognises a
// folder opens it.
TOKENIZER(paddedVocabulary)
TOKENIZER(clipBytePairs)
TOKENIZER(tokenizerJson)
TOKENIZER(byteLevelPairs)
TOKENIZER(sentencepieceModel)
