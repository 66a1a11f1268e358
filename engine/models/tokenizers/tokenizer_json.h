// tokenizer.json of the Hugging Face tokenizers library: byte pairs (byte-level, or over characters with byte fallback)
// and Unigram, with the normalisers, splits and templates that text encoders of image models use. What is not known is
// refused by name: a tokenizer that is nearly right makes other images without a word.
#pragma once
#include <string>

#include "engine/models/tokenizers/text_pipeline.h"

namespace meander {

// `folder` holds the settings beside it (length and padding of CLIP). Throws Failure.
std::unique_ptr<TextPipeline> readTokenizerJson(const std::string& path, const std::string& folder);

}  // namespace meander
