// A part of a network: its path in the checkpoint, from which the names of its weights follow, its children, and the
// sites it names.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/site.h"

namespace meander::nn {

class Module {
public:
    explicit Module(std::string path = {}) : m_path(std::move(path)) {}
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;
    virtual ~Module() = default;

    const std::string& path() const { return m_path; }
    // In the order of execution.
    const std::vector<std::unique_ptr<Module>>& children() const { return m_children; }
    // Its own and its children's, in the order of execution.
    std::vector<const Site*> sites() const;

protected:
    // The path of a weight or a child: "path.name".
    std::string at(const std::string& name) const { return m_path.empty() ? name : m_path + "." + name; }
    template <class M, class... Args> M& add(const std::string& name, Args&&... args) {
        auto child = std::make_unique<M>(at(name), std::forward<Args>(args)...);
        M& added = *child;
        m_children.push_back(std::move(child));
        return added;
    }
    // `site.path` is the name within this module; empty: the module itself.
    const Site& add(Site site);
    // Gives every block, and the sites inside it, its index in the order of execution. Once, by the whole network.
    void numberBlocks();

private:
    void collect(std::vector<Site*>& to) const;

    std::string m_path;
    std::vector<std::unique_ptr<Site>> m_sites;
    std::vector<std::unique_ptr<Module>> m_children;
};

}  // namespace meander::nn
