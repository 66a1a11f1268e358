#include "engine/weights/lora/lora.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace meander {
namespace {

// How the names of the parts end.
struct Ending {
    const char* text;
    LoraPart part;
};
constexpr Ending endings[] = {
    {".lora_down.weight", LoraPart::Down},
    {".lora_up.weight", LoraPart::Up},
    {".lora_mid.weight", LoraPart::Middle},
    {".lora_A.weight", LoraPart::Down},
    {".lora_B.weight", LoraPart::Up},
    {".lora_A.default.weight", LoraPart::Down},
    {".lora_B.default.weight", LoraPart::Up},
    {".lora.down.weight", LoraPart::Down},
    {".lora.up.weight", LoraPart::Up},
    {"_lora.down.weight", LoraPart::Down},
    {"_lora.up.weight", LoraPart::Up},
    {".alpha", LoraPart::Alpha},
    {".hada_w1_a", LoraPart::HadaW1A},
    {".hada_w1_b", LoraPart::HadaW1B},
    {".hada_w2_a", LoraPart::HadaW2A},
    {".hada_w2_b", LoraPart::HadaW2B},
    {".hada_t1", LoraPart::Unsupported},
    {".hada_t2", LoraPart::Unsupported},
    {".lokr_w1", LoraPart::KronW1},
    {".lokr_w1_a", LoraPart::KronW1A},
    {".lokr_w1_b", LoraPart::KronW1B},
    {".lokr_w2", LoraPart::KronW2},
    {".lokr_w2_a", LoraPart::KronW2A},
    {".lokr_w2_b", LoraPart::KronW2B},
    {".lokr_t2", LoraPart::Unsupported},
    {".oft_blocks", LoraPart::Unsupported},
    {".oft_diag", LoraPart::Unsupported},
    {".dora_scale", LoraPart::Magnitude},
    {".lora_magnitude_vector", LoraPart::Magnitude},
    {".lora_magnitude_vector.weight", LoraPart::Magnitude},
    {".diff", LoraPart::Difference},
    {".diff_b", LoraPart::BiasDifference},
};

struct Named {
    std::string module;
    LoraPart part;
};

// "unet:3:up" of the first generation.
std::optional<Named> firstGeneration(const std::string& name) {
    const bool isUp = name.ends_with(":up");
    if (!isUp && !name.ends_with(":down")) return {};
    return Named{name.substr(0, name.rfind(':')), isUp ? LoraPart::Up : LoraPart::Down};
}

std::optional<Named> parsed(const std::string& name) {
    for (const auto& e : endings) {
        if (!name.ends_with(e.text)) continue;
        Named n{name.substr(0, name.size() - std::string(e.text).size()), e.part};
        // Older diffusers files: "….attn1.processor.to_q_lora.down.weight" changes "….attn1.to_q".
        if (const auto at = n.module.find(".processor."); at != std::string::npos) n.module.erase(at, 10);
        if (n.module.ends_with(".to_out") && *e.text == '_') n.module += ".0";
        return n;
    }
    return firstGeneration(name);
}

struct Matrix {
    std::int64_t rows = 0, columns = 0;
    std::vector<float> v;
};
Matrix matrixOf(const HostWeight& w) { return {w.rows(), w.rowCount(), w.floats()}; }

// a · b; sums in float, in the order of a's columns.
Matrix multiplied(const Matrix& a, const Matrix& b) {
    if (a.columns != b.rows) throw Failure("");
    Matrix y{a.rows, b.columns, std::vector<float>(std::size_t(a.rows * b.columns), 0.0f)};
    for (std::int64_t r = 0; r < a.rows; ++r) {
        float* to = y.v.data() + r * b.columns;
        for (std::int64_t k = 0; k < a.columns; ++k) {
            const float f = a.v[std::size_t(r * a.columns + k)];
            const float* from = b.v.data() + k * b.columns;
            for (std::int64_t c = 0; c < b.columns; ++c) to[c] += f * from[c];
        }
    }
    return y;
}

Matrix kronecker(const Matrix& a, const Matrix& b) {
    Matrix y{a.rows * b.rows, a.columns * b.columns, {}};
    y.v.resize(a.v.size() * b.v.size());
    for (std::int64_t i = 0; i < a.rows; ++i)
        for (std::int64_t j = 0; j < a.columns; ++j)
            for (std::int64_t k = 0; k < b.rows; ++k)
                for (std::int64_t l = 0; l < b.columns; ++l)
                    y.v[std::size_t((i * b.rows + k) * y.columns + j * b.columns + l)] =
                        a.v[std::size_t(i * a.columns + j)] * b.v[std::size_t(k * b.columns + l)];
    return y;
}

// The core of a decomposed convolution (Tucker): down (r, in, 1, 1), middle (r₂, r, k, k), up (out, r₂).
Matrix withMiddle(const Matrix& up, const HostWeight& middle, const Matrix& down) {
    const std::int64_t outer = middle.shape[0], inner = middle.shape[1], taps = middle.shape.count() / (outer * inner);
    const std::vector<float> core = middle.floats();
    if (down.rows != inner) throw Failure("");
    Matrix joined{outer, down.columns * taps, std::vector<float>(std::size_t(outer * down.columns * taps), 0.0f)};
    for (std::int64_t o = 0; o < outer; ++o)
        for (std::int64_t r = 0; r < inner; ++r)
            for (std::int64_t c = 0; c < down.columns; ++c)
                for (std::int64_t t = 0; t < taps; ++t)
                    joined.v[std::size_t(o * joined.columns + c * taps + t)] +=
                        core[std::size_t((o * inner + r) * taps + t)] * down.v[std::size_t(r * down.columns + c)];
    return multiplied(up, joined);
}

// W' of DoRA, given W + ΔW: each row, or each input column, is brought to its magnitude.
void applyMagnitude(std::vector<float>& w, std::int64_t rows, std::int64_t columns, const HostWeight& magnitude) {
    const std::vector<float> m = magnitude.floats();
    const bool isPerRow = std::int64_t(m.size()) == rows && (magnitude.shape.rank() < 2 || magnitude.shape[0] == rows);
    const std::int64_t inputs = std::int64_t(m.size()), taps = isPerRow || inputs == 0 ? 1 : columns / inputs;
    if (!isPerRow && (inputs == 0 || inputs * taps != columns)) throw Failure("");
    std::vector<double> squares(m.size(), 0);
    const auto place = [&](std::int64_t r, std::int64_t c) { return std::size_t(isPerRow ? r : c / taps); };
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < columns; ++c) {
            const double x = w[std::size_t(r * columns + c)];
            squares[place(r, c)] += x * x;
        }
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < columns; ++c) {
            const double norm = std::sqrt(squares[place(r, c)]);
            if (norm > 0) w[std::size_t(r * columns + c)] *= float(m[place(r, c)] / norm);
        }
}

[[noreturn]] void misfit(const std::string& module, const std::string& file) {
    throw Failure("The change of '" + module + "' in '" + file
                  + "' has another shape than the model's weight. It was made for another model.");
}

}  // namespace

Lora::Lora(WeightFile file) : m_file(std::move(file)) {
    for (const auto& [name, entry] : m_file.entries()) {
        const auto named = parsed(name);
        if (!named) continue;
        if (named->part == LoraPart::Unsupported)
            throw Failure("The file '" + m_file.name() + "' changes weights by '" + name
                          + "', a kind that Meander does not apply. Use a LoRA, LoHa, LoKr or DoRA.");
        m_modules[named->module][named->part] = name;
    }
    std::erase_if(m_modules, [](const auto& m) { return m.second.size() == 1 && m.second.contains(LoraPart::Alpha); });
    if (m_modules.empty())
        throw Failure("The file '" + m_file.name() + "' is no LoRA: it holds no change of weights that Meander knows.");
}

void Lora::nameModules(const std::string& part, const std::vector<std::string>& modules) {
    for (std::size_t i = 0; i < modules.size(); ++i) {
        auto node = m_modules.extract(part + ":" + std::to_string(i));
        if (!node) continue;
        node.key() = part + "." + modules[i];
        m_modules.insert(std::move(node));
    }
}

std::vector<std::string> Lora::modules() const {
    std::vector<std::string> names;
    for (const auto& [name, parts] : m_modules) names.push_back(name);
    return names;
}

bool Lora::changesBias(const std::string& module) const {
    const auto it = m_modules.find(module);
    return it != m_modules.end() && it->second.contains(LoraPart::BiasDifference);
}

bool Lora::changesWeight(const std::string& module) const {
    const auto it = m_modules.find(module);
    if (it == m_modules.end()) return false;
    return std::any_of(it->second.begin(), it->second.end(),
                       [](const auto& p) { return p.first != LoraPart::BiasDifference && p.first != LoraPart::Alpha; });
}

std::vector<float> Lora::delta(const std::string& module, const Parts& parts, std::int64_t rows,
                               std::int64_t columns) const {
    const auto has = [&](LoraPart p) { return parts.contains(p); };
    const auto matrix = [&](LoraPart p) {
        if (!has(p))
            throw Failure("The change of '" + module + "' in '" + m_file.name()
                          + "' is incomplete. Download the file again.");
        return matrixOf(tensor(parts, p));
    };
    const auto scale = [&](std::int64_t rank) {
        if (!has(LoraPart::Alpha) || rank == 0) return 1.0f;
        return tensor(parts, LoraPart::Alpha).floats().at(0) / float(rank);
    };
    Matrix d;
    float factor = 1;
    if (has(LoraPart::Difference)) {
        d = matrix(LoraPart::Difference);
    } else if (has(LoraPart::HadaW1A)) {
        const Matrix first = matrix(LoraPart::HadaW1B);
        d = multiplied(matrix(LoraPart::HadaW1A), first);
        const Matrix other = multiplied(matrix(LoraPart::HadaW2A), matrix(LoraPart::HadaW2B));
        if (other.v.size() != d.v.size()) throw Failure("");
        for (std::size_t i = 0; i < d.v.size(); ++i) d.v[i] *= other.v[i];
        factor = scale(first.rows);
    } else if (has(LoraPart::KronW1) || has(LoraPart::KronW1A)) {
        std::int64_t rank = 0;
        const auto either = [&](LoraPart whole, LoraPart a, LoraPart b) {
            if (has(whole)) return matrix(whole);
            const Matrix second = matrix(b);
            rank = second.rows;
            return multiplied(matrix(a), second);
        };
        const Matrix w1 = either(LoraPart::KronW1, LoraPart::KronW1A, LoraPart::KronW1B);
        const Matrix w2 = either(LoraPart::KronW2, LoraPart::KronW2A, LoraPart::KronW2B);
        d = kronecker(w1, w2);
        factor = scale(rank);
    } else {
        const Matrix down = matrix(LoraPart::Down), up = matrix(LoraPart::Up);
        d = has(LoraPart::Middle) ? withMiddle(up, tensor(parts, LoraPart::Middle), down) : multiplied(up, down);
        factor = scale(down.rows);
    }
    if (std::int64_t(d.v.size()) != rows * columns) throw Failure("");
    if (factor != 1)
        for (float& x : d.v) x *= factor;
    return std::move(d.v);
}

void Lora::addToWeight(const std::string& module, double strength, std::span<float> values, std::int64_t rows) const {
    const Parts& parts = m_modules.at(module);
    const std::int64_t columns = rows ? std::int64_t(values.size()) / rows : 0;
    const auto s = float(strength);
    try {
        std::vector<float> d = delta(module, parts, rows, columns);
        if (parts.contains(LoraPart::Magnitude)) {  // the step from W to W', not the change alone
            for (std::size_t i = 0; i < d.size(); ++i) d[i] += values[i];
            applyMagnitude(d, rows, columns, tensor(parts, LoraPart::Magnitude));
            for (std::size_t i = 0; i < d.size(); ++i) d[i] -= values[i];
        }
        for (std::size_t i = 0; i < d.size(); ++i) values[i] += s * d[i];
    } catch (const Failure& f) {
        if (*f.what()) throw;
        misfit(module, m_file.name());
    }
}

void Lora::addToBias(const std::string& module, double strength, std::span<float> values) const {
    const std::vector<float> d = tensor(m_modules.at(module), LoraPart::BiasDifference).floats();
    if (d.size() != values.size()) misfit(module, m_file.name());
    for (std::size_t i = 0; i < d.size(); ++i) values[i] += float(strength) * d[i];
}

}  // namespace meander
