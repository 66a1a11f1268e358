// Settings that programs write as JSON: SwarmUI, Fooocus, NovelAI, InvokeAI (three generations, the oldest as a command
// line), Draw Things, stable-diffusion.cpp, and scheduler_config.json of diffusers.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/exchange/import/peer_text.h"

namespace meander {

// JSON as Python writes it, where NaN and Infinity may stand for numbers: they become null.
constexpr std::size_t maximumPeerJson = std::size_t(32) << 20;
Result<Json> parsePeerJson(const std::string& text, const std::string& what);
// Keys that an object of a text gives more than once: of these the last counts, so the others must be told.
std::vector<std::string> repeatedKeys(const std::string& text);

// Which program's settings these are by their keys; nothing when none is recognised.
std::optional<PeerText> readJsonSettings(const Json& j, const std::string& source);
// "a cat" -s 50 -S 1 -W 512 -H 512 -C 7.5 -A k_lms, as InvokeAI wrote it until version 2.
PeerText readDream(const std::string& text);

}  // namespace meander
