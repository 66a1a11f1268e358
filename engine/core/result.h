// What a fallible call at a border (load, plan, open, save) returns: a value or an Error, which is a sentence with
// cause and remedy.
#pragma once
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace meander {

struct Error {
    std::string text;    // one or two sentences for a person: what failed, why, what to do
    std::string detail;  // optional: technical detail, shown on demand
};

template <class T> class [[nodiscard]] Result {
public:
    Result(T value) : m_state(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : m_state(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return m_state.index() == 0; }
    explicit operator bool() const { return ok(); }
    T& value() & { return std::get<0>(m_state); }
    const T& value() const& { return std::get<0>(m_state); }
    T&& value() && { return std::get<0>(std::move(m_state)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    const Error& error() const { return std::get<1>(m_state); }

private:
    std::variant<T, Error> m_state;
};

struct Done {};
using Status = Result<Done>;

// Thrown inside the engine for a failure a person can act on; the borders turn it into an Error.
struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace meander
