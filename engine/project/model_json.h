// What a model was, as JSON for the project file, so that old runs can be looked at when their model is gone. Weights
// are never in it.
#pragma once
#include "engine/models/model.h"

namespace meander {

Json modelToJson(const ModelInfo& m);
// Throws Failure with a sentence.
ModelInfo modelFromJson(const Json& j);

Json sitesToJson(const std::vector<TapSite>& sites);
std::vector<TapSite> sitesFromJson(const Json& j);
Json tokensToJson(const std::vector<Token>& tokens);
std::vector<Token> tokensFromJson(const Json& j);

}  // namespace meander
