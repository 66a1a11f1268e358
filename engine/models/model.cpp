#include "engine/models/model.h"

namespace meander {

HostTensor Model::decode(const HostTensor&) const {
    throw Failure("The states of '" + m_info.name + "' are not images, so there is nothing to decode.");
}
HostTensor Model::encode(const HostTensor&) const {
    throw Failure("The states of '" + m_info.name + "' are not images, so no image can be encoded.");
}

std::vector<double> Model::logDensity(const HostTensor&, double, const Prompt&) const {
    throw Failure("The density of '" + m_info.name
                  + "' is not known in closed form. Choose an exact model, for example analytic:ring8.");
}
HostTensor Model::drawData(std::int64_t, std::uint64_t, const Prompt&) const { return {}; }

}  // namespace meander
