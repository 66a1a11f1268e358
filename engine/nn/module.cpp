#include "engine/nn/module.h"

namespace meander::nn {

const Site& Module::add(Site site) {
    site.path = site.path.empty() ? m_path : at(site.path);
    m_sites.push_back(std::make_unique<Site>(std::move(site)));
    return *m_sites.back();
}

void Module::collect(std::vector<Site*>& to) const {
    for (const auto& s : m_sites) to.push_back(s.get());
    for (const auto& c : m_children) c->collect(to);
}

std::vector<const Site*> Module::sites() const {
    std::vector<Site*> all;
    collect(all);
    return {all.begin(), all.end()};
}

void Module::numberBlocks() {
    std::vector<Site*> all;
    collect(all);
    int blocks = 0;
    for (Site* s : all) {
        if (s->kind == SiteKind::Skip || s->kind == SiteKind::Trunk) continue;
        if (s->kind == SiteKind::Block) ++blocks;
        s->block = blocks - 1;
    }
}

}  // namespace meander::nn
