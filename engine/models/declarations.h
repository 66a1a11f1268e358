// What a user declares about a checkpoint, over what its files state: files may be wrong or silent about what the
// network predicts, its noise process and its kind.
#pragma once
#include <string>
#include <vector>

#include "engine/core/params.h"
#include "engine/models/model.h"

namespace meander {

struct DeclarationInfo {
    std::string id, label, summary;
    std::vector<ParamSpec> params;
};

// "as_stated", and "declared" with a parameter for each fact that may be declared.
const std::vector<DeclarationInfo>& declarations();
const DeclarationInfo* findDeclaration(const std::string& id);
// The model with the declared facts, each with a Finding. Throws Failure when they do not go together.
ModelInfo declared(ModelInfo info, const Choice& checkpoint);

}  // namespace meander
