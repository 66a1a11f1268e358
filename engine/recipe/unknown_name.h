// What to say about the name of a sampler or schedule that is none of ours.
#pragma once
#include <string>
#include <vector>

namespace meander {

// The end of a refusal, with a blank before it: what the name means elsewhere (" 'euler_a' is called euler_ancestral
// here.", " 'karras' is a schedule here."), else the nearest known id, else empty. `noun`: "sampler", "schedule", or
// that of another table, which has no names elsewhere.
std::string remedyForUnknownName(const std::string& noun, const std::string& name,
                                 const std::vector<std::string>& known);

}  // namespace meander
