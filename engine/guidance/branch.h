// A branch is one estimate of a request: the same noisy states, seen under another condition, by a changed network or
// by another model. Branches are data: named, recorded, stored in the project and batched across runs.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/params.h"

namespace meander {

struct Branch {
    enum Kind : std::uint8_t {
        Conditional,    // the recipe's prompt
        Unconditional,  // the negative prompt, or no condition
        Prompt,         // another prompt of a rule
        Changed,        // the recipe's prompt, the network changed inside
        OtherModel,     // another model
        Degraded,       // other states, made from the first answers
    };
    Kind kind = Conditional;
    int index = 0;  // numbers the branches of one kind in a run
    Branch() = default;
    Branch(Kind k, int i = 0) : kind(k), index(i) {}
    bool operator==(const Branch&) const = default;
};
std::string nameOf(Branch b);  // "cond", "uncond", "prompt 0", "changed 1", "model 0", "degraded 0"
// The branch of a name; nothing when there is no such.
std::optional<Branch> branchNamed(const std::string& name);

// What the network is evaluated on in a branch.
struct BranchSpec {
    std::string label;  // for people: "a dog", "identity attention in mid_block", "sprites-lcm"
    std::string prompt;
    std::optional<int> classIndex;
    enum class Condition : std::uint8_t {
        Recipe,
        Negative,
        None,
        Own
    } condition = Condition::Recipe;  // Own: prompt or classIndex
    std::vector<Choice>
        interventions{};  // of its rows, in the order in which they apply (interventions/intervention.h)
    int model = 0;        // 0: the recipe's, k: the k-th further one
    // The transformer block whose self-attention is summed in this branch, for SAG.
    std::optional<int> selfBlock;
    bool seesImage = true;  // the source image of the run, for models that take one
    // Own: the id of a recorded run, whose states are evaluated in place of the request's, with its prompt.
    std::string run = {};
    bool sameQuestion(const BranchSpec& o) const {
        return prompt == o.prompt && classIndex == o.classIndex && condition == o.condition
               && interventions == o.interventions && model == o.model && seesImage == o.seesImage && run == o.run;
    }
};

}  // namespace meander
