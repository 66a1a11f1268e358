#include "engine/run/shared_work.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "engine/run/active_run.h"

namespace meander {
namespace {

std::string_view textOf(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t bytesOf(const GroupAnswer& a) {
    std::size_t n = a.denoised ? std::size_t(a.denoised.count()) * kernels::sizeOf(a.denoised.type()) : 0;
    for (const auto& image : a.attention)
        for (const AttentionMap& map : image)
            n += map.probabilities.bytes().size() + (map.entropy.size() + map.mass.size()) * sizeof(float);
    return n;
}

}  // namespace

bool RowKey::operator==(const RowKey& o) const {
    return model == o.model && conditioning == o.conditioning && attention == o.attention
           && textOf(std::as_bytes(std::span(numbers))) == textOf(std::as_bytes(std::span(o.numbers)))
           && state.sameBits(o.state);
}

std::size_t RowKey::hash() const {
    return std::hash<std::string_view>()(textOf(state.bytes()))
           ^ (std::hash<std::string_view>()(textOf(std::as_bytes(std::span(numbers)))) << 1)
           ^ std::hash<const void*>()(conditioning.get());
}

ConditioningPtr SharedWork::condition(Model& model, const Prompt& prompt) {
    for (const KnownPrompt& k : m_prompts)
        if (k.model == &model && k.prompt == prompt) return k.conditioning;
    m_prompts.push_front({&model, prompt, model.condition(prompt)});
    return m_prompts.front().conditioning;
}

HostTensor SharedWork::decode(const Model& model, const HostTensor& state) {
    const RowKey key{&model, nullptr, state, {}};
    if (const Entry* known = entry(key)) return known->image;
    Entry e{key, {}, model.decode(state)};
    e.bytes = state.bytes().size() + e.image.bytes().size();
    const HostTensor image = e.image;
    put(std::move(e));
    return image;
}

std::optional<RowKey> SharedWork::keyOf(const RowGroup& g, const ActiveRun& run) {
    if (!g.hooks.empty() || g.selfBlock) return {};
    const ModelInfo& info = *g.info;
    const double networkTau = g.networkTau.value_or(g.tau);
    const Conversion c = conversionAt(info.process, info.parametrization, g.tau, info.sigmaData);
    const double time = conversionAt(info.process, info.parametrization, networkTau, info.sigmaData).time;
    const bool recordsAttention = run.recordsAttention() && g.branch == Branch::Conditional;
    return RowKey{g.model,
                  g.conditioning,
                  download(g.state),
                  {c.input, c.fromState, c.fromOutput, time, networkTau, g.target, g.guidance ? 1.0 : 0.0,
                   g.guidance.value_or(0)},
                  recordsAttention ? run.attentionLevel() : AttentionLevel::Off};
}

std::optional<GroupAnswer> SharedWork::find(const RowKey& key) {
    const Entry* known = entry(key);
    return known ? std::optional(repeated(known->answer)) : std::nullopt;
}

void SharedWork::add(RowKey key, const GroupAnswer& answer) {
    try {
        Entry e{std::move(key), repeated(answer), {}};
        e.bytes = e.key.state.bytes().size() + bytesOf(answer);
        put(std::move(e));
    } catch (const std::exception&) {
        forget();
    }
}

// A copy: whoever the answer is given to may write into it.
GroupAnswer SharedWork::repeated(const GroupAnswer& answer) {
    GroupAnswer a = answer;
    a.denoised = answer.denoised.clone();
    a.milliseconds = 0;
    a.isShared = true;
    return a;
}

void SharedWork::forget() {
    m_places.clear();
    m_entries.clear();
    m_prompts.clear();
    m_bytes = 0;
}

SharedWork::Entry* SharedWork::entry(const RowKey& key) {
    const auto [begin, end] = m_places.equal_range(key.hash());
    for (auto it = begin; it != end; ++it)
        if (it->second->key == key) {
            m_entries.splice(m_entries.begin(), m_entries, it->second);
            return &m_entries.front();
        }
    return nullptr;
}

void SharedWork::put(Entry e) {
    m_bytes += e.bytes;
    m_entries.push_front(std::move(e));
    m_places.emplace(m_entries.front().key.hash(), m_entries.begin());
    while (m_bytes > m_mostBytes && m_entries.size() > 1) {
        const auto last = std::prev(m_entries.end());
        m_bytes -= last->bytes;
        const auto [begin, end] = m_places.equal_range(last->key.hash());
        m_places.erase(std::find_if(begin, end, [&](const auto& p) { return p.second == last; }));
        m_entries.erase(last);
    }
}

}  // namespace meander
