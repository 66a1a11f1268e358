// What the runs of one group (the cells of a sweep) compute once: the encoding of a prompt, the network's answer to
// rows of equal content, the image of a state. Equal content gives equal bits, whatever else is in a call, so a run has
// the numbers that it has alone; runs that differ only in later steps share the steps before as a matter of course.
// Engine thread only.
#pragma once
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/run/run_guidance.h"

namespace meander {

class ActiveRun;

// All that the network's answer to a group of rows depends on. Models and conditionings are told apart by address; the
// key keeps the conditioning where it is.
struct RowKey {
    const Model* model = nullptr;
    ConditioningPtr conditioning;
    HostTensor state;
    std::vector<double> numbers;                     // of the conversion, the times and the guidance scale
    AttentionLevel attention = AttentionLevel::Off;  // recorded with it

    bool operator==(const RowKey& o) const;
    std::size_t hash() const;
};

class SharedWork {
public:
    // Of answers and images; beyond it what was not used for the longest time goes.
    explicit SharedWork(std::size_t mostBytes) : m_mostBytes(mostBytes) {}

    ConditioningPtr condition(Model& model, const Prompt& prompt);
    HostTensor decode(const Model& model, const HostTensor& state);

    // None for rows whose answer depends on more: a hook may keep something from one evaluation to the next.
    static std::optional<RowKey> keyOf(const RowGroup& rows, const ActiveRun& run);
    std::optional<GroupAnswer> find(const RowKey& key);
    void add(RowKey key, const GroupAnswer& answer);  // keeps nothing where memory lacks
    // The answer for another run: of no cost.
    static GroupAnswer repeated(const GroupAnswer& answer);

    // Before a model leaves memory, and where memory lacks.
    void forget();

private:
    struct Entry {
        RowKey key;
        GroupAnswer answer;  // of an image: nothing
        HostTensor image;
        std::size_t bytes = 0;
    };
    using Entries = std::list<Entry>;  // most recently used first
    Entry* entry(const RowKey& key);
    void put(Entry e);

    const std::size_t m_mostBytes;
    std::size_t m_bytes = 0;
    Entries m_entries;
    std::unordered_multimap<std::size_t, Entries::iterator> m_places;
    struct KnownPrompt {
        const Model* model;
        Prompt prompt;
        ConditioningPtr conditioning;
    };
    std::list<KnownPrompt> m_prompts;
};

}  // namespace meander
