#include "engine/core/params.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "engine/core/unsigned_param.h"

namespace meander {
namespace {

std::string shortNumber(double v) {
    char buffer[40];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
    return {buffer, end};
}

// Whole numbers of 64 bits without a sign, as seeds are.
bool isUnsigned(const ParamSpec& s) { return s.kind == ParamKind::Integer && s.maximum >= unsignedMaximum; }

std::string boundText(const ParamSpec& s, double bound) {
    if (s.kind != ParamKind::Integer) return shortNumber(bound);
    if (bound >= unsignedMaximum) return std::to_string(std::numeric_limits<std::uint64_t>::max());
    return std::abs(bound) < 9.2233e18 ? std::to_string(std::int64_t(bound)) : shortNumber(bound);
}
std::string rangeText(const ParamSpec& s) {
    return "between " + boundText(s, s.minimum) + " and " + boundText(s, s.maximum);
}

Error reject(const ParamSpec& s, const std::string& owner, const std::string& why) {
    return Error{(owner.empty() ? "'" + s.label + "' " : "The parameter '" + s.label + "' of " + owner + " ") + why
                 + "."};
}

bool inRange(const ParamSpec& s, double v) { return std::isfinite(v) && v >= s.minimum && v <= s.maximum; }

std::string choiceList(const ParamSpec& s) {
    std::string list;
    for (const auto& c : s.choices) list += (list.empty() ? "" : ", ") + c.id;
    return list;
}

std::string trimmed(const std::string& t) {
    const auto first = t.find_first_not_of(" \t\r\n");
    return first == std::string::npos ? std::string() : t.substr(first, t.find_last_not_of(" \t\r\n") - first + 1);
}

// Locale-independent; the whole text must be the number.
std::optional<double> numberIn(const std::string& text) {
    std::string t = trimmed(text);
    if (!t.empty() && t[0] == '+') t.erase(0, 1);
    double v = 0;
    const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), v);
    if (t.empty() || error != std::errc() || end != t.data() + t.size()) return std::nullopt;
    return v;
}

// Digits of a whole number beyond the signed 64 bits; as a value only where the parameter is without a sign.
bool isLargeWhole(const std::string& t) {
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), n);
    return error == std::errc::result_out_of_range && end == t.data() + t.size();
}
bool isUnsignedWhole(const std::string& t) {
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), n);
    return error == std::errc() && end == t.data() + t.size();
}

// The value in the type its kind stores, or an error.
Result<ParamValue> checked(const ParamSpec& s, const ParamValue& given, const std::string& owner) {
    switch (s.kind) {
    case ParamKind::Toggle:
        if (const bool* b = std::get_if<bool>(&given)) return ParamValue(*b);
        return reject(s, owner, "must be on or off");
    case ParamKind::Integer: {
        std::int64_t n = 0;
        if (const auto* i = std::get_if<std::int64_t>(&given)) {
            n = *i;
        } else if (const auto* d = std::get_if<double>(&given); d && std::floor(*d) == *d && std::abs(*d) < 9e15) {
            n = std::int64_t(*d);
        } else if (d && std::floor(*d) == *d) {
            return reject(s, owner, "must be " + rangeText(s) + ", but is " + shortNumber(*d));
        } else if (const auto* t = std::get_if<std::string>(&given); t && isLargeWhole(*t)) {
            if (isUnsigned(s) && isUnsignedWhole(*t)) return ParamValue(*t);
            return reject(s, owner, "must be " + rangeText(s) + ", but is " + *t);
        } else {
            return reject(s, owner, "must be a whole number");
        }
        if (!inRange(s, double(n)))
            return reject(s, owner, "must be " + rangeText(s) + ", but is " + std::to_string(n));
        return ParamValue(n);
    }
    case ParamKind::Real:
    case ParamKind::Percent: {
        double v = 0;
        if (const auto* d = std::get_if<double>(&given)) v = *d;
        else if (const auto* i = std::get_if<std::int64_t>(&given)) v = double(*i);
        else if (const auto* t = std::get_if<std::string>(&given); t && isLargeWhole(*t)) v = *numberIn(*t);
        else return reject(s, owner, "must be a number");
        if (!inRange(s, v)) return reject(s, owner, "must be " + rangeText(s) + ", but is " + shortNumber(v));
        return ParamValue(v);
    }
    case ParamKind::Choice: {
        const auto* t = std::get_if<std::string>(&given);
        if (!t) return reject(s, owner, "must be one of: " + choiceList(s));
        for (const auto& c : s.choices)
            if (c.id == *t) return ParamValue(*t);
        return reject(s, owner, "must be one of: " + choiceList(s) + "; '" + *t + "' is none of them");
    }
    case ParamKind::Text:
    case ParamKind::File:
    case ParamKind::Image:
    case ParamKind::Run:
        if (const auto* t = std::get_if<std::string>(&given)) return ParamValue(*t);
        return reject(s, owner, "must be a text");
    case ParamKind::List: {
        const auto* list = std::get_if<std::vector<double>>(&given);
        if (!list) return reject(s, owner, "must be a list of numbers");
        for (double v : *list)
            if (!inRange(s, v))
                return reject(s, owner, "has the element " + shortNumber(v) + ", but elements must be " + rangeText(s));
        return ParamValue(*list);
    }
    }
    return reject(s, owner, "is of an unknown kind");
}

template <class T> const T& typed(const Params& p, const std::string& key, const char* type) {
    const auto it = p.find(key);
    if (it == p.end())
        throw Failure("The parameter '" + key + "' is missing. Parameters must be resolved before they are used.");
    const T* v = std::get_if<T>(&it->second);
    if (!v) throw Failure("The parameter '" + key + "' is not " + type + ".");
    return *v;
}

// A whole number of 64 bits, exact; also written as 1e3, as far as a double counts.
Result<ParamValue> wholeNumber(const ParamSpec& spec, const std::string& text) {
    const std::string t = text.starts_with('+') ? text.substr(1) : text;
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), n);
    if (!t.empty() && end == t.data() + t.size() && error == std::errc()) return checked(spec, n, {});
    if (isLargeWhole(t)) return checked(spec, t, {});
    if (const auto v = numberIn(t)) return checked(spec, *v, {});
    return Error{"'" + text + "' is not a number. '" + spec.label + "' is a whole number " + rangeText(spec) + "."};
}

std::optional<std::vector<double>> numbersIn(std::string t) {
    for (char& c : t)
        if (c == '[' || c == ']' || c == ';' || c == ',') c = ' ';
    std::vector<double> list;
    for (std::size_t at = t.find_first_not_of(" \t\n"); at != std::string::npos;
         at = t.find_first_not_of(" \t\n", at)) {
        const std::size_t end = std::min(t.find_first_of(" \t\n", at), t.size());
        const auto v = numberIn(t.substr(at, end - at));
        if (!v) return std::nullopt;
        list.push_back(*v);
        at = end;
    }
    return list;
}

}  // namespace

Error unknownParam(const std::vector<ParamSpec>& specs, const std::string& key, const std::string& owner,
                   ParamHint hint) {
    std::string known;
    for (const auto& s : specs) known += (known.empty() ? "" : ", ") + s.key;
    return Error{"There is no parameter '" + key + "' of " + owner + ". "
                 + (known.empty() ? "It takes none." : "It takes: " + known + ".") + (hint ? hint(key) : "")};
}

Result<Params> resolveParams(const std::vector<ParamSpec>& specs, const Params& given, const std::string& owner) {
    return resolveParams(specs, given, owner, nullptr);
}

Result<Params> resolveParams(const std::vector<ParamSpec>& specs, const Params& given, const std::string& owner,
                             ParamHint hint) {
    Params resolved;
    for (const auto& s : specs) {
        const auto it = given.find(s.key);
        if (it == given.end() && s.optional) continue;  // absent has its own meaning
        auto value = checked(s, it == given.end() ? s.defaultValue : it->second, owner);
        if (!value) return value.error();
        resolved.emplace(s.key, std::move(*value));
    }
    for (const auto& [key, value] : given)
        if (!resolved.contains(key)) return unknownParam(specs, key, owner, hint);
    return resolved;
}

double real(const Params& p, const std::string& key) {
    if (const auto it = p.find(key); it != p.end())
        if (const auto* i = std::get_if<std::int64_t>(&it->second)) return double(*i);
    return typed<double>(p, key, "a number");
}
ParamValue wholeParam(std::uint64_t n) {
    return n > std::uint64_t(INT64_MAX) ? ParamValue(std::to_string(n)) : ParamValue(std::int64_t(n));
}
std::uint64_t unsignedInteger(const Params& p, const std::string& key) {
    const auto it = p.find(key);
    const auto* digits = it == p.end() ? nullptr : std::get_if<std::string>(&it->second);
    if (!digits) return std::uint64_t(integer(p, key));
    std::uint64_t n = 0;
    if (std::from_chars(digits->data(), digits->data() + digits->size(), n).ec != std::errc())
        throw Failure("The parameter '" + key + "' is not a whole number.");
    return n;
}
std::int64_t integer(const Params& p, const std::string& key) { return typed<std::int64_t>(p, key, "a whole number"); }
bool toggle(const Params& p, const std::string& key) { return typed<bool>(p, key, "on or off"); }
const std::string& text(const Params& p, const std::string& key) { return typed<std::string>(p, key, "a text"); }

Json toJson(const ParamValue& v) {
    return std::visit([](const auto& x) { return Json(x); }, v);
}

Json toJson(const Params& p) {
    Json j = Json::object();
    for (const auto& [key, value] : p) j[key] = toJson(value);
    return j;
}

Result<Params> paramsFromJson(const Json& j) {
    if (j.is_null()) return Params{};
    if (!j.is_object()) return Error{"Parameters must be a JSON object of names and values."};
    Params p;
    for (const auto& [key, value] : j.items()) {
        if (value.is_boolean()) {
            p[key] = value.get<bool>();
        } else if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t(INT64_MAX)) {
            p[key] = std::to_string(value.get<std::uint64_t>());
        } else if (value.is_number_integer()) {
            p[key] = value.get<std::int64_t>();
        } else if (value.is_number_float()) {
            p[key] = value.get<double>();
        } else if (value.is_string()) {
            p[key] = value.get<std::string>();
        } else if (value.is_array()
                   && std::all_of(value.begin(), value.end(), [](const Json& e) { return e.is_number(); })) {
            std::vector<double> list;
            for (const auto& e : value) list.push_back(e.get<double>());
            p[key] = std::move(list);
        } else {
            return Error{"The parameter '" + key + "' must be true, false, a number, a text or a list of numbers."};
        }
    }
    return p;
}

std::string display(const ParamValue& v) {
    struct {
        std::string operator()(bool b) const { return b ? "on" : "off"; }
        std::string operator()(std::int64_t i) const { return std::to_string(i); }
        std::string operator()(double d) const { return shortNumber(d); }
        std::string operator()(const std::string& s) const { return s; }
        std::string operator()(const std::vector<double>& list) const {
            std::string s;
            for (double d : list) s += (s.empty() ? "" : ", ") + shortNumber(d);
            return s;
        }
    } show;
    return std::visit(show, v);
}

Result<ParamValue> parseParam(const ParamSpec& spec, const std::string& given) {
    const std::string t = trimmed(given);
    switch (spec.kind) {
    case ParamKind::Toggle:
        if (t == "on" || t == "true" || t == "yes" || t == "1") return ParamValue(true);
        if (t == "off" || t == "false" || t == "no" || t == "0") return ParamValue(false);
        return Error{"'" + given + "' is not a value of '" + spec.label + "': write on or off."};
    case ParamKind::Integer: return wholeNumber(spec, t);
    case ParamKind::Real:
    case ParamKind::Percent:
        if (const auto v = numberIn(t)) return checked(spec, *v, {});
        return Error{"'" + given + "' is not a number. '" + spec.label + "' is a number " + rangeText(spec) + "."};
    case ParamKind::List:
        if (auto list = numbersIn(t)) return checked(spec, std::move(*list), {});
        return Error{"'" + given + "' is not a list of numbers. Write numbers with commas between them."};
    case ParamKind::Choice: return checked(spec, t, {});
    case ParamKind::Text:
    case ParamKind::File:
    case ParamKind::Image:
    case ParamKind::Run: return ParamValue(given);
    }
    return Error{"The parameter '" + spec.key + "' is of an unknown kind."};
}

std::string unitText(const ParamSpec& spec) {
    return spec.kind == ParamKind::Percent && !spec.unit.empty() ? "of " + spec.unit : spec.unit;
}

}  // namespace meander
