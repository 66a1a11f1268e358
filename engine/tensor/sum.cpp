#include "engine/tensor/sum.h"

#include <algorithm>
#include <stdexcept>

namespace meander {

namespace {
bool isSame(const Tensor& a, const Tensor& b) {
    return a && b && a.view().data == b.view().data && a.shape() == b.shape() && a.type() == b.type();
}
}  // namespace

Sum& Sum::add(double sign, const Sum& other) {
    for (const Term& t : other.m_terms) {
        const auto known =
            std::find_if(m_terms.begin(), m_terms.end(), [&](const Term& own) { return isSame(own.value, t.value); });
        if (known == m_terms.end()) m_terms.push_back({sign * t.factor, t.value});
        else known->factor += sign * t.factor;
    }
    return *this;
}

Sum& Sum::operator*=(double factor) {
    for (Term& t : m_terms) t.factor *= factor;
    return *this;
}

Sum& Sum::operator/=(double divisor) {
    for (Term& t : m_terms) t.factor /= divisor;
    return *this;
}

Sum::operator Tensor() const {
    std::vector<LinearTerm> terms;
    for (const Term& t : m_terms)
        if (t.factor != 0 || !t.value) terms.push_back({t.factor, t.value});
    if (terms.empty())
        for (const Term& t : m_terms) terms.push_back({t.factor, t.value});
    if (terms.empty()) throw std::invalid_argument("a sum without terms has no shape");
    return terms.size() == 1 && terms.front().factor == 1 && terms.front().value ? terms.front().value : combine(terms);
}

}  // namespace meander
