#include "engine/weights/element_type.h"

namespace meander {
namespace {

using kernels::WeightFormat;
using enum ElementType::Kind;

constexpr ElementType plainTypes[] = {
    {"F64", 1, 8, Double},
    {"F32", 1, 4, Weight, WeightFormat::F32},
    {"F16", 1, 2, Weight, WeightFormat::F16},
    {"BF16", 1, 2, Weight, WeightFormat::BF16},
    {"F8_E4M3", 1, 1, Weight, WeightFormat::F8E4M3},
    {"F8_E5M2", 1, 1, Weight, WeightFormat::F8E5M2},
    {"F8_E4M3FNUZ", 1, 1, NotComputable},
    {"F8_E5M2FNUZ", 1, 1, NotComputable},
    {"F8_E8M0", 1, 1, NotComputable},
    {"F6_E2M3", 4, 3, NotComputable},
    {"F6_E3M2", 4, 3, NotComputable},
    {"F4", 2, 1, NotComputable},
    {"C64", 1, 8, NotComputable},
    {"C128", 1, 16, NotComputable},
    {"I64", 1, 8, Integer},
    {"I32", 1, 4, Integer},
    {"I16", 1, 2, Integer},
    {"I8", 1, 1, Weight, WeightFormat::I8},
    {"U64", 1, 8, Unsigned},
    {"U32", 1, 4, Unsigned},
    {"U16", 1, 2, Unsigned},
    {"U8", 1, 1, Unsigned},
    {"BOOL", 1, 1, Unsigned},
};

struct GgufType {
    std::uint32_t number;
    ElementType type;
};
constexpr GgufType ggufTypes[] = {
    {0, {"F32", 1, 4, Weight, WeightFormat::F32}},
    {1, {"F16", 1, 2, Weight, WeightFormat::F16}},
    {2, {"Q4_0", 32, 18, Weight, WeightFormat::Q4_0}},
    {3, {"Q4_1", 32, 20, Weight, WeightFormat::Q4_1}},
    {6, {"Q5_0", 32, 22, Weight, WeightFormat::Q5_0}},
    {7, {"Q5_1", 32, 24, Weight, WeightFormat::Q5_1}},
    {8, {"Q8_0", 32, 34, Weight, WeightFormat::Q8_0}},
    {9, {"Q8_1", 32, 36, NotComputable}},
    {10, {"Q2_K", 256, 84, Weight, WeightFormat::Q2_K}},
    {11, {"Q3_K", 256, 110, Weight, WeightFormat::Q3_K}},
    {12, {"Q4_K", 256, 144, Weight, WeightFormat::Q4_K}},
    {13, {"Q5_K", 256, 176, Weight, WeightFormat::Q5_K}},
    {14, {"Q6_K", 256, 210, Weight, WeightFormat::Q6_K}},
    {15, {"Q8_K", 256, 292, NotComputable}},
    {16, {"IQ2_XXS", 256, 66, NotComputable}},
    {17, {"IQ2_XS", 256, 74, NotComputable}},
    {18, {"IQ3_XXS", 256, 98, NotComputable}},
    {19, {"IQ1_S", 256, 50, NotComputable}},
    {20, {"IQ4_NL", 32, 18, Weight, WeightFormat::IQ4_NL}},
    {21, {"IQ3_S", 256, 110, NotComputable}},
    {22, {"IQ2_S", 256, 82, NotComputable}},
    {23, {"IQ4_XS", 256, 136, NotComputable}},
    {24, {"I8", 1, 1, Weight, WeightFormat::I8}},
    {25, {"I16", 1, 2, Integer}},
    {26, {"I32", 1, 4, Integer}},
    {27, {"I64", 1, 8, Integer}},
    {28, {"F64", 1, 8, Double}},
    {29, {"IQ1_M", 256, 56, NotComputable}},
    {30, {"BF16", 1, 2, Weight, WeightFormat::BF16}},
    {34, {"TQ1_0", 256, 54, NotComputable}},
    {35, {"TQ2_0", 256, 66, NotComputable}},
    {39, {"MXFP4", 32, 17, NotComputable}},
    {40, {"NVFP4", 64, 36, NotComputable}},
    {41, {"Q1_0", 128, 18, NotComputable}},
};

}  // namespace

const ElementType* elementType(std::string_view name) {
    for (const auto& t : plainTypes)
        if (name == t.name) return &t;
    return nullptr;
}

const ElementType* ggufElementType(std::uint32_t number) {
    for (const auto& t : ggufTypes)
        if (number == t.number) return &t.type;
    return nullptr;
}

std::optional<std::uint64_t> bytesOf(const ElementType& type, std::uint64_t count) {
    const std::uint64_t elements = std::uint64_t(type.blockElements), bytes = std::uint64_t(type.blockBytes);
    if (count % elements != 0 || count / elements > std::uint64_t(INT64_MAX) / bytes) return {};
    return count / elements * bytes;
}

}  // namespace meander
