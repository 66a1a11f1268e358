#include "engine/models/model.h"

namespace meander {

HostTensor Model::decode(const HostTensor&) const {
    throw Failure("The states of '" + m_info.name + "' are not images, so there is nothing to decode.");
}
HostTensor Model::encode(const HostTensor&) const {
    throw Failure("The states of '" + m_info.name + "' are not images, so no image can be encoded.");
}

ModelInfo resized(ModelInfo info, int height, int width) {
    StateSpec& s = info.state;
    if (!s.isImage() || s.image.rank() != 3)
        throw Failure("The states of '" + info.name
                      + "' have no size that could be chosen. Leave width and height out.");
    if (s.image[0] == height && s.image[1] == width) return info;
    const std::string own = std::to_string(s.image[1]) + " × " + std::to_string(s.image[0]);
    if (s.granule <= 0)
        throw Failure(info.name + " draws images of " + own + " pixels only. Leave width and height out.");
    if (height < s.granule || width < s.granule || height % s.granule || width % s.granule)
        throw Failure("An image of " + std::to_string(width) + " × " + std::to_string(height) + " pixels does not fit "
                      + info.name + ": width and height must be multiples of " + std::to_string(s.granule) + ".");
    const int f = s.factor(), oldHeight = s.height(), oldWidth = s.width();
    s.shape = {height / f, width / f, s.channels()};
    s.image = {height, width, 3};
    const auto scale = [&](TapSite& site) {
        const bool isSelf = site.tokens == site.height * site.width;
        site.height = int(std::int64_t(site.height) * s.height() / oldHeight);
        site.width = int(std::int64_t(site.width) * s.width() / oldWidth);
        if (isSelf) site.tokens = site.height * site.width;
    };
    for (TapSite& site : info.blocks) scale(site);
    for (TapSite& site : info.attention) {
        const int tokens = site.tokens;
        scale(site);
        site.tokens = tokens;
    }
    const double cells = double(s.height()) * s.width() / (double(oldHeight) * oldWidth);
    info.bytesPerRow = std::size_t(double(info.bytesPerRow) * cells);
    info.secondsPerRow = 0;
    return info;
}

std::string Model::faultOf(const NetworkBatch&) { return {}; }

std::vector<double> Model::logDensity(const HostTensor&, double, const Prompt&) const {
    throw Failure("The density of '" + m_info.name
                  + "' is not known in closed form. Choose an exact model, for example analytic:ring8.");
}
HostTensor Model::drawData(std::int64_t, std::uint64_t, const Prompt&) const { return {}; }

}  // namespace meander
