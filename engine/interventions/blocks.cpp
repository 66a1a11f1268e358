#include "engine/interventions/blocks.h"

#include <algorithm>

#include "engine/core/param_specs.h"

namespace meander {
namespace {

// "a, b" → {"a", "b"}; blanks around are dropped, empty parts too.
std::vector<std::string> listed(const std::string& text) {
    std::vector<std::string> items;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find_first_of(",|", start), text.size());
        const std::string item = text.substr(start, end - start);
        const auto first = item.find_first_not_of(" \t\n");
        if (first != std::string::npos) items.push_back(item.substr(first, item.find_last_not_of(" \t\n") - first + 1));
        start = end + 1;
    }
    return items;
}

bool isNumber(const std::string& item) {
    return item.find_first_not_of("0123456789") == std::string::npos && item.size() < 7;
}

}  // namespace

ParamSpec blocksParam() {
    ParamSpec s = textParam("layers", "Layers",
                            "Which transformer blocks: middle, all, numbers from 0, or parts of a name such as "
                            "up_blocks.1; separated by commas.");
    s.defaultValue = std::string("middle");
    return s;
}

ParamSpec allBlocksParam() {
    ParamSpec s = blocksParam();
    s.defaultValue = std::string("all");
    return s;
}

std::vector<int> blocksNamed(const std::string& text, const ModelInfo& model, const std::string& owner) {
    const int n = int(model.blocks.size());
    if (n == 0)
        throw Failure(owner + " changes the attention inside a network, but '" + model.name
                      + "' has no transformer blocks. Choose a model that has, for example builtin:sprites-unet, or "
                        "remove the rule.");
    const auto isMiddle = [](const TapSite& b) { return b.path.starts_with("mid_block"); };
    const bool hasMiddle = std::any_of(model.blocks.begin(), model.blocks.end(), isMiddle);
    const auto fits = [&](const std::string& item, int i) {
        const TapSite& block = model.blocks[std::size_t(i)];
        if (item == "all") return true;
        if (item == "middle") return hasMiddle ? isMiddle(block) : i == n / 2;
        return isNumber(item) ? std::stoi(item) == i : block.path.find(item) != std::string::npos;
    };
    const auto items = listed(text);
    if (items.empty()) throw Failure(owner + " needs at least one layer: middle, all, a number, or a part of a name.");
    std::vector<char> chosen(static_cast<std::size_t>(n), 0);
    for (const auto& item : items) {
        bool isFound = false;
        for (int i = 0; i < n; ++i)
            if (fits(item, i)) chosen[std::size_t(i)] = isFound = true;
        if (!isFound)
            throw Failure(owner + " finds no layer \"" + item + "\" in '" + model.name + "', which has "
                          + std::to_string(n) + ": 0 (" + model.blocks.front().path + ") to " + std::to_string(n - 1)
                          + " (" + model.blocks.back().path + ").");
    }
    std::vector<int> blocks;
    for (int i = 0; i < n; ++i)
        if (chosen[std::size_t(i)]) blocks.push_back(i);
    return blocks;
}

std::optional<int> blockHolding(const ModelInfo& model, const std::string& path) {
    for (std::size_t b = 0; b < model.blocks.size(); ++b)
        if (path.starts_with(model.blocks[b].path + ".")) return int(b);
    return {};
}

std::string numbersText(const std::vector<int>& blocks) {
    std::string text;
    for (int b : blocks) text += (text.empty() ? "" : ",") + std::to_string(b);
    return text;
}

}  // namespace meander
