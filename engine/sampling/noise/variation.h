// What any source can do to the first noise: go part of the way to another seed's, carry the noise of another size in
// its middle, shift whole channels.
#pragma once
#include "engine/sampling/noise/noise.h"

namespace meander::noise {

// Parameters of every source.
std::vector<ParamSpec> commonParams();

// From `low` towards `high` on the sphere, image by image. "sphere": by the angle between the two. "a1111": as that
// program does it, by the columns of each channel, and where they are on average almost parallel (> 0.9995) by a
// straight line with its weights exchanged.
enum class VariationRule : std::uint8_t { Sphere, A1111 };
void slerp(double strength, std::span<double> low, std::span<const double> high, const NoiseContext& c,
           VariationRule rule);

// The middle of `small` (its shape is the context's with the given height and width) into the middle of `full`. Odd
// differences fall as in A1111.
void pasteCentre(std::span<double> full, std::span<const double> small, const NoiseContext& c, std::int64_t height,
                 std::int64_t width);

// Adds amount · ξ with one ξ for each image and channel (Guttenberg 2023, offset noise).
void addChannelOffset(std::span<double> values, const NoiseContext& c, double amount);

std::unique_ptr<NoiseSource> withVariation(const NoiseInfo& info, const Params& params, const NoiseContext& context);

}  // namespace meander::noise
