// Embeddings of textual inversion (Gal et al. 2022): words of their own that a prompt names, each a few vectors in
// place of the tokens' own. Found by the names of their files in folders "embeddings", beside the model and in the
// folder of models: safetensors and pickled files of A1111 and diffusers, with a matrix for each text encoder (Stable
// Diffusion XL: clip_l and clip_g).
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/models/prompt_dialect.h"
#include "engine/models/text/prompt_syntax.h"

namespace meander {

struct Embedding {
    std::string name, file;
    struct Matrix {
        int width = 0;
        std::vector<float> values;  // (vectors, width)
    };
    std::vector<Matrix> matrices;  // of different widths

    // Null: none of this width.
    const Matrix* ofWidth(int width) const;
};
// Throws Failure for a file that holds no such matrix.
Embedding readEmbedding(const std::string& path);

class EmbeddingFolder {
public:
    explicit EmbeddingFolder(const std::string& modelPath);

    // The folders that are looked at, for messages.
    std::string places() const;
    // In lower case, the longest first, with their files.
    struct Entry {
        std::string name, path;
    };
    const std::vector<Entry>& entries() const { return m_entries; }
    // By a name in lower case; null: there is none. Read once. Throws Failure.
    std::shared_ptr<const Embedding> find(const std::string& name) const;

private:
    std::vector<std::string> m_folders;
    std::vector<Entry> m_entries;
    mutable std::vector<std::shared_ptr<const Embedding>> m_read;
};

// The pieces with the embeddings that they name as pieces of their own, with the vectors of `width`: in A1111 by name
// alone, in ComfyUI as "embedding:name", in plain text none. A name that is not known is left out where it is marked as
// one, and a word where it is not. Throws Failure for an embedding that has no vectors of this width.
std::vector<WeightedText> withEmbeddings(const std::vector<WeightedText>& pieces, const EmbeddingFolder& folder,
                                         int width, PromptDialect dialect);
// The names that a prompt marks as embeddings and that are not there.
std::vector<std::string> missingEmbeddings(std::string_view prompt, const EmbeddingFolder& folder,
                                           PromptDialect dialect);

}  // namespace meander
