#include "engine/weights/formats/pickle.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <map>

#include "engine/core/printable.h"

namespace meander::pickle {

enum class Role : std::uint8_t {
    EmptyDict,         // called without arguments or with a list of pairs
    StorageType,       // names the elements of a storage
    ElementTypeName,   // torch.float16
    RebuildTensor,     // (storage, offset, size, stride, …[, type])
    RebuildParameter,  // (tensor, …)
    ListOf,            // torch.Size and others: called with one list
    Inert              // a class that some checkpoints mention and that is never called
};

struct ImportRule {
    const char* name;
    Role role;
    const char* element = nullptr;  // in our table of element types
};

namespace {

constexpr ImportRule rules[] = {
    {"collections.OrderedDict", Role::EmptyDict},
    {"torch._utils._rebuild_tensor", Role::RebuildTensor},
    {"torch._utils._rebuild_tensor_v2", Role::RebuildTensor},
    {"torch._utils._rebuild_tensor_v3", Role::RebuildTensor},
    {"torch._utils._rebuild_parameter", Role::RebuildParameter},
    {"torch._utils._rebuild_parameter_with_state", Role::RebuildParameter},
    {"torch.Size", Role::ListOf},
    {"builtins.set", Role::ListOf},
    {"__builtin__.set", Role::ListOf},
    {"torch.DoubleStorage", Role::StorageType, "F64"},
    {"torch.FloatStorage", Role::StorageType, "F32"},
    {"torch.HalfStorage", Role::StorageType, "F16"},
    {"torch.BFloat16Storage", Role::StorageType, "BF16"},
    {"torch.LongStorage", Role::StorageType, "I64"},
    {"torch.IntStorage", Role::StorageType, "I32"},
    {"torch.ShortStorage", Role::StorageType, "I16"},
    {"torch.CharStorage", Role::StorageType, "I8"},
    {"torch.ByteStorage", Role::StorageType, "U8"},
    {"torch.BoolStorage", Role::StorageType, "BOOL"},
    {"torch.ComplexFloatStorage", Role::StorageType, "C64"},
    {"torch.ComplexDoubleStorage", Role::StorageType, "C128"},
    {"torch.UntypedStorage", Role::StorageType},
    {"torch.storage.UntypedStorage", Role::StorageType},
    {"torch.float64", Role::ElementTypeName, "F64"},
    {"torch.float32", Role::ElementTypeName, "F32"},
    {"torch.float16", Role::ElementTypeName, "F16"},
    {"torch.bfloat16", Role::ElementTypeName, "BF16"},
    {"torch.float8_e4m3fn", Role::ElementTypeName, "F8_E4M3"},
    {"torch.float8_e5m2", Role::ElementTypeName, "F8_E5M2"},
    {"torch.float8_e4m3fnuz", Role::ElementTypeName, "F8_E4M3FNUZ"},
    {"torch.float8_e5m2fnuz", Role::ElementTypeName, "F8_E5M2FNUZ"},
    {"torch.float8_e8m0fnu", Role::ElementTypeName, "F8_E8M0"},
    {"torch.int64", Role::ElementTypeName, "I64"},
    {"torch.int32", Role::ElementTypeName, "I32"},
    {"torch.int16", Role::ElementTypeName, "I16"},
    {"torch.int8", Role::ElementTypeName, "I8"},
    {"torch.uint8", Role::ElementTypeName, "U8"},
    {"torch.uint16", Role::ElementTypeName, "U16"},
    {"torch.uint32", Role::ElementTypeName, "U32"},
    {"torch.uint64", Role::ElementTypeName, "U64"},
    {"torch.bool", Role::ElementTypeName, "BOOL"},
    {"pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint", Role::Inert},
    {"pytorch_lightning.callbacks.early_stopping.EarlyStopping", Role::Inert},
};

constexpr std::size_t mostValues = 8'000'000, mostExtents = 16;

std::optional<std::int64_t> wholeNumber(std::string_view text) {
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return {};
    return n;
}

}  // namespace

// Stack, marks and memo of one pickle, as in Python's pickletools.
class Machine {
public:
    Machine(ByteReader& in, Pickle& pickle) : m_in(in), m_values(pickle.m_values) {}

    Ref run() {
        for (;;) {
            const auto op = m_in.number<std::uint8_t>();
            if (op == '.') return pop();
            if (!(framing(op) || numbers(op) || texts(op) || containers(op) || memory(op) || objects(op)))
                fail("it has the instruction " + std::to_string(int(op)) + ", which checkpoints do not use.");
        }
    }

private:
    [[noreturn]] void fail(const std::string& why) { damaged(m_in.file(), "in its pickle, " + why); }

    // The stack
    void push(Value v) {
        if (m_values.size() >= mostValues) fail("it makes too many values.");
        m_stack.push_back(&m_values.emplace_back(std::move(v)));
    }
    template <class T> void push(T v) { push(Value{std::move(v)}); }
    Value* top() {
        if (m_stack.size() <= (m_marks.empty() ? 0 : m_marks.back())) fail("something is missing.");
        return m_stack.back();
    }
    Value* pop() {
        Value* v = top();
        m_stack.pop_back();
        return v;
    }
    std::vector<Ref> popToMark() {
        if (m_marks.empty()) fail("a mark is missing.");
        std::vector<Ref> items(m_stack.begin() + std::ptrdiff_t(m_marks.back()), m_stack.end());
        m_stack.resize(m_marks.back());
        m_marks.pop_back();
        return items;
    }
    template <class T> T& onTop() {
        T* t = std::get_if<T>(&top()->is);
        if (!t) fail("a container is of another kind than its contents.");
        return *t;
    }
    template <class T> const T& expect(Ref v, const char* what) {
        const T* t = v->as<T>();
        if (!t) fail(std::string("there is no ") + what + " where one is expected.");
        return *t;
    }

    bool framing(std::uint8_t op) {
        switch (op) {
        case 0x80:  // PROTO
            if (m_in.number<std::uint8_t>() > 5) fail("its protocol is not known.");
            return true;
        case 0x95: m_in.take(8); return true;  // FRAME
        case '(': m_marks.push_back(m_stack.size()); return true;
        case '0': pop(); return true;
        case '1': popToMark(); return true;
        case '2': m_stack.push_back(top()); return true;
        default: return false;
        }
    }

    bool numbers(std::uint8_t op) {
        switch (op) {
        case 'N': push(None{}); return true;
        case 0x88: push(true); return true;
        case 0x89: push(false); return true;
        case 'J': push(std::int64_t(m_in.number<std::int32_t>())); return true;
        case 'K': push(std::int64_t(m_in.number<std::uint8_t>())); return true;
        case 'M': push(std::int64_t(m_in.number<std::uint16_t>())); return true;
        case 0x8a: longNumber(m_in.number<std::uint8_t>()); return true;
        case 0x8b: longNumber(m_in.number<std::uint32_t>()); return true;
        case 'G': {
            std::uint64_t bits = 0;  // big-endian
            for (const std::byte b : m_in.take(8)) bits = bits << 8 | std::uint64_t(b);
            push(std::bit_cast<double>(bits));
            return true;
        }
        case 'I':
        case 'L': {
            std::string_view line = m_in.line();
            if (op == 'I' && (line == "00" || line == "01")) {
                push(line == "01");
                return true;
            }
            if (line.ends_with('L')) line.remove_suffix(1);
            const auto n = wholeNumber(line);
            if (!n) fail("a number cannot be read.");
            push(*n);
            return true;
        }
        default: return false;
        }
    }
    // Two's complement, little-endian; what 64 bits do not hold becomes its bytes.
    void longNumber(std::uint64_t length) {
        const auto bytes = m_in.take(length);
        if (length > 8) return push(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
        std::uint64_t n = length > 0 && (bytes.back() & std::byte(0x80)) != std::byte(0) ? ~std::uint64_t(0) : 0;
        for (std::size_t i = bytes.size(); i-- > 0;) n = n << 8 | std::uint64_t(bytes[i]);
        push(std::int64_t(n));
    }

    bool texts(std::uint8_t op) {
        switch (op) {
        case 'T':
        case 'X':
        case 'B': push(std::string(m_in.text(m_in.number<std::uint32_t>()))); return true;
        case 'U':
        case 'C':
        case 0x8c: push(std::string(m_in.text(m_in.number<std::uint8_t>()))); return true;
        case 0x8d:
        case 0x8e:
        case 0x96: push(std::string(m_in.text(m_in.number<std::uint64_t>()))); return true;
        case 'V':
        case 'S': push(std::string(m_in.line())); return true;
        default: return false;
        }
    }

    bool containers(std::uint8_t op) {
        switch (op) {
        case ']':
        case ')':
        case 0x8f: push(List{}); return true;
        case '}': push(Dict{}); return true;
        case 't':
        case 'l':
        case 0x91: push(List{popToMark()}); return true;
        case 0x85:
        case 0x86:
        case 0x87: {
            std::vector<Ref> items(std::size_t(op - 0x84));
            for (std::size_t i = items.size(); i-- > 0;) items[i] = pop();
            push(List{std::move(items)});
            return true;
        }
        case 'a': {
            const Ref item = pop();
            onTop<List>().items.push_back(item);
            return true;
        }
        case 'e':
        case 0x90: {
            const auto items = popToMark();
            auto& list = onTop<List>().items;
            list.insert(list.end(), items.begin(), items.end());
            return true;
        }
        case 'd': {
            const auto items = popToMark();
            push(Dict{});
            addPairs(items);
            return true;
        }
        case 's': {
            const Ref value = pop(), key = pop();
            addPairs({key, value});
            return true;
        }
        case 'u': addPairs(popToMark()); return true;
        default: return false;
        }
    }
    void addPairs(const std::vector<Ref>& items) {
        auto& dict = onTop<Dict>().items;
        if (items.size() % 2 != 0) fail("a value has no key.");
        for (std::size_t i = 0; i < items.size(); i += 2) dict.emplace_back(items[i], items[i + 1]);
    }

    bool memory(std::uint8_t op) {
        switch (op) {
        case 'q': m_memo[m_in.number<std::uint8_t>()] = top(); return true;
        case 'r': m_memo[m_in.number<std::uint32_t>()] = top(); return true;
        case 0x94: m_memo[std::uint32_t(m_memo.size())] = top(); return true;
        case 'h': recall(m_in.number<std::uint8_t>()); return true;
        case 'j': recall(m_in.number<std::uint32_t>()); return true;
        case 'p':
        case 'g': {
            const auto n = wholeNumber(m_in.line());
            if (!n || *n < 0 || *n > std::int64_t(UINT32_MAX)) fail("a number cannot be read.");
            if (op == 'g') recall(std::uint32_t(*n));
            else m_memo[std::uint32_t(*n)] = top();
            return true;
        }
        default: return false;
        }
    }
    void recall(std::uint32_t place) {
        const auto it = m_memo.find(place);
        if (it == m_memo.end()) fail("it refers to what is not there.");
        m_stack.push_back(it->second);
    }

    bool objects(std::uint8_t op) {
        switch (op) {
        case 'c': {
            const std::string module(m_in.line());
            import(module + "." + std::string(m_in.line()));
            return true;
        }
        case 0x93: {
            const std::string name = expect<std::string>(pop(), "name");
            import(expect<std::string>(pop(), "module") + "." + name);
            return true;
        }
        case 'Q': storage(pop()); return true;
        case 'R':
        case 0x81: {
            const auto arguments = expect<List>(pop(), "list of arguments").items;
            call(expect<Import>(pop(), "import").rule, arguments);
            return true;
        }
        case 'b': pop(); return true;  // the state of an object: hooks, version numbers
        default: return false;
        }
    }

    void import(const std::string& name) {
        const auto rule =
            std::find_if(std::begin(rules), std::end(rules), [&](const auto& r) { return name == r.name; });
        if (rule == std::end(rules))
            throw Failure("The file '" + m_in.file() + "' wants to import '" + printable(name)
                          + "', which is not part of weights, so it was not read: such files can run programs. Use a "
                            "safetensors version.");
        push(Import{&*rule});
    }

    // ('storage', type, key, device, count)
    void storage(Ref id) {
        const auto& parts = expect<List>(id, "storage").items;
        if (parts.size() < 5 || expect<std::string>(parts[0], "storage") != "storage")
            fail("a storage is not described.");
        const ImportRule* rule = expect<Import>(parts[1], "type of a storage").rule;
        if (rule->role != Role::StorageType) fail("a storage has no type.");
        const auto count = expect<std::int64_t>(parts[4], "size of a storage");
        if (count < 0) fail("a storage has no size.");
        push(
            Storage{rule->element ? elementType(rule->element) : nullptr, expect<std::string>(parts[2], "key"), count});
    }

    void call(const ImportRule* rule, const std::vector<Ref>& arguments) {
        switch (rule->role) {
        case Role::EmptyDict: return dict(arguments);
        case Role::ListOf: return push(arguments.empty() ? List{} : expect<List>(arguments[0], "list"));
        case Role::RebuildTensor: return tensor(arguments);
        case Role::RebuildParameter:
            if (arguments.empty()) fail("a parameter is empty.");
            return push(expect<Tensor>(arguments[0], "tensor"));
        default: fail(std::string("'") + rule->name + "' is called, which makes no tensor.");
        }
    }
    void dict(const std::vector<Ref>& arguments) {
        Dict made;
        if (!arguments.empty())
            for (const Ref pair : expect<List>(arguments[0], "list of pairs").items) {
                const auto& items = expect<List>(pair, "pair").items;
                if (items.size() != 2) fail("a pair has no two parts.");
                made.items.emplace_back(items[0], items[1]);
            }
        push(std::move(made));
    }
    std::vector<std::int64_t> extents(Ref list) {
        const auto& items = expect<List>(list, "shape").items;
        if (items.size() > mostExtents) fail("a tensor has too many dimensions.");
        std::vector<std::int64_t> e;
        for (const Ref i : items) {
            e.push_back(expect<std::int64_t>(i, "extent"));
            if (e.back() < 0) fail("a tensor has a negative extent.");
        }
        return e;
    }
    void tensor(const std::vector<Ref>& arguments) {
        if (arguments.size() < 4) fail("a tensor is not described.");
        const Storage& s = expect<Storage>(arguments[0], "storage");
        Tensor t{s.type,
                 s.key,
                 0,
                 expect<std::int64_t>(arguments[1], "offset"),
                 extents(arguments[2]),
                 extents(arguments[3])};
        if (t.offset < 0 || t.extents.size() != t.strides.size()) fail("a tensor is not described.");
        // Newer files give the type of the elements beside a storage of bytes.
        for (const Ref a : arguments)
            if (const auto* i = a->as<Import>(); i && i->rule->role == Role::ElementTypeName)
                t.type = elementType(i->rule->element);
        if (!t.type) fail("a tensor has no type.");
        const auto bytes = product(std::uint64_t(s.count), s.type ? std::uint64_t(s.type->blockBytes) : 1);
        if (!bytes) fail("a storage claims an impossible size.");
        t.storageBytes = std::int64_t(*bytes);
        push(std::move(t));
    }

    ByteReader& m_in;
    std::deque<Value>& m_values;
    std::vector<Value*> m_stack;
    std::vector<std::size_t> m_marks;
    std::map<std::uint32_t, Value*> m_memo;
};

Pickle::Pickle(ByteReader& in) { m_root = Machine(in, *this).run(); }

}  // namespace meander::pickle
