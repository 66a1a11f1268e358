// The samplers, one short file each. The table that names them is sampling/table.cpp.
#pragma once
#include "engine/sampling/sampling.h"

namespace meander {

SamplerTask euler(Sampling& s);
SamplerTask heun(Sampling& s);
SamplerTask eulerAncestral(Sampling& s);
SamplerTask ddim(Sampling& s);
SamplerTask dpmpp2m(Sampling& s);
SamplerTask dpmpp2mSde(Sampling& s);
SamplerTask consistency(Sampling& s);

}  // namespace meander
