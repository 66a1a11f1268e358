// PyTorch files: a pickle of tensors that refer to storages. Since version 1.6 a zip archive with "data.pkl" and one
// member a storage; before, five pickles (magic number, protocol, system, the object, the keys of the storages) and
// then the storages, each with its number of elements.
#include <algorithm>

#include "engine/weights/formats/pickle.h"
#include "engine/weights/formats/zip.h"

namespace meander {
namespace {

using pickle::Pickle;
using pickle::Ref;

constexpr int deepest = 32;
constexpr std::size_t mostEntries = 2'000'000, longestText = 4096;

// Where a storage lies, by its key.
struct StoragePlace {
    std::uint64_t offset = 0, bytes = 0;
};
using StoragePlaces = std::map<std::string, StoragePlace>;

std::vector<std::int64_t> denseStrides(const std::vector<std::int64_t>& extents) {
    std::vector<std::int64_t> strides(extents.size(), 1);
    for (std::size_t i = extents.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<std::int64_t>(extents[i], 1);
    return strides;
}

// Walks plain containers and makes a table of the tensors, their names the keys on the way to them.
class Table {
public:
    Table(const std::string& file, const StoragePlaces& places) : m_file(file), m_places(places) {}

    WeightTable of(const pickle::Value& root) {
        walk(&root, "", 0);
        return std::move(m_table);
    }

private:
    static std::string joined(const std::string& path, const std::string& key) {
        return path.empty() ? key : path + "." + key;
    }
    static std::string keyText(Ref key) {
        if (const auto* t = key->as<std::string>()) return *t;
        if (const auto* n = key->as<std::int64_t>()) return std::to_string(*n);
        return "?";
    }

    void walk(Ref v, const std::string& path, int depth) {
        if (depth > deepest || ++m_visited > mostEntries)
            damaged(m_file, "its contents are nested too deeply or too often.");
        if (const auto* dict = v->as<pickle::Dict>()) {
            for (const auto& [key, value] : dict->items) {
                const std::string name = keyText(key);
                walk(value, path.empty() && name == "state_dict" ? "" : joined(path, name), depth + 1);
            }
        } else if (const auto* list = v->as<pickle::List>()) {
            for (std::size_t i = 0; i < list->items.size(); ++i)
                walk(list->items[i], joined(path, std::to_string(i)), depth + 1);
        } else if (const auto* tensor = v->as<pickle::Tensor>()) {
            m_table.tensors.insert_or_assign(path.empty() ? "tensor" : path, entryOf(*tensor, path));
        } else if (const auto* text = v->as<std::string>()) {
            if (text->size() <= longestText) m_table.metadata.emplace(path, *text);
        } else if (const auto* number = v->as<std::int64_t>()) {
            m_table.metadata.emplace(path, std::to_string(*number));
        } else if (const auto* real = v->as<double>()) {
            m_table.metadata.emplace(path, std::to_string(*real));
        }
    }

    TensorEntry entryOf(const pickle::Tensor& t, const std::string& name) const {
        const std::string of = "tensor '" + name + "' ";
        const auto place = m_places.find(t.storage);
        if (place == m_places.end()) damaged(m_file, of + "has no data.");
        if (place->second.bytes < std::uint64_t(t.storageBytes)) damaged(m_file, of + "has fewer data than it claims.");
        const std::uint64_t size = std::uint64_t(t.type->blockBytes), stored = place->second.bytes / size;
        const auto count = countOf(t.extents);
        // More elements than are stored are possible (a stretched tensor), but not of weights.
        if (!count || *count > stored || std::uint64_t(t.offset) > stored)
            damaged(m_file, of + "claims an impossible size.");
        TensorEntry e{t.type, t.extents, {}, std::int64_t(*count), 0, *count * size};
        std::uint64_t last = std::uint64_t(t.offset);  // the last element
        for (std::size_t i = 0; i < t.extents.size() && *count > 0; ++i) {
            const auto far = product(std::uint64_t(t.extents[i] - 1), std::uint64_t(t.strides[i]));
            if (!far || *far > stored - last) damaged(m_file, of + "reaches beyond its data.");
            last += *far;
        }
        if (*count > 0 && last >= stored) damaged(m_file, of + "reaches beyond its data.");
        e.offset = place->second.offset + std::uint64_t(t.offset) * size;
        if (*count > 0 && !isDense(t)) {
            e.strides = t.strides;
            e.bytes = (last - std::uint64_t(t.offset) + 1) * size;
        }
        return e;
    }
    static bool isDense(const pickle::Tensor& t) {
        const auto dense = denseStrides(t.extents);
        for (std::size_t i = 0; i < dense.size(); ++i)
            if (t.extents[i] > 1 && t.strides[i] != dense[i]) return false;
        return true;
    }

    const std::string& m_file;
    const StoragePlaces& m_places;
    std::size_t m_visited = 0;
    WeightTable m_table;
};

// The storages that tensors refer to, with the bytes of one element.
void collectStorages(Ref v, int depth, std::size_t& visited, std::map<std::string, const pickle::Tensor*>& found) {
    if (depth > deepest || ++visited > mostEntries) return;  // refused by the walk that follows
    if (const auto* dict = v->as<pickle::Dict>())
        for (const auto& [key, value] : dict->items) collectStorages(value, depth + 1, visited, found);
    else if (const auto* list = v->as<pickle::List>())
        for (const Ref item : list->items) collectStorages(item, depth + 1, visited, found);
    else if (const auto* tensor = v->as<pickle::Tensor>()) found.emplace(tensor->storage, tensor);
}

}  // namespace

WeightTable readTorchZip(const MappedBytes& file) {
    const auto members = readZipDirectory(file);
    const auto data = std::find_if(members.begin(), members.end(), [](const auto& m) {
        return m.first == "data.pkl" || m.first.ends_with("/data.pkl");
    });
    if (data == members.end())
        throw Failure("'" + file.name() + "' is a zip archive without a PyTorch checkpoint. Unpack it first.");
    const std::string root = data->first.substr(0, data->first.size() - std::string("data.pkl").size());
    StoragePlaces places;
    for (const auto& [name, member] : members) {
        if (!name.starts_with(root)) continue;
        if (member.isCompressed)
            throw Failure("The file '" + file.name()
                          + "' is compressed inside, which PyTorch never does. Save it again, or use safetensors.");
        if (name.starts_with(root + "data/")) places[name.substr(root.size() + 5)] = {member.offset, member.size};
    }
    if (const auto order = members.find(root + "byteorder"); order != members.end()) {
        ByteReader in(file.all().subspan(order->second.offset, order->second.size), file.name());
        if (in.text(order->second.size) == "big")
            throw Failure("The file '" + file.name()
                          + "' was written on a big-endian machine, which Meander cannot read.");
    }
    ByteReader in(file.all().subspan(std::size_t(data->second.offset), std::size_t(data->second.size)), file.name());
    const Pickle pickle(in);
    return Table(file.name(), places).of(pickle.root());
}

WeightTable readTorchLegacy(const MappedBytes& file) {
    constexpr std::string_view mark("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
    ByteReader in(file.all(), file.name());
    if (in.remaining() < mark.size() || ByteReader(in).text(mark.size()) != mark)
        throw Failure(
            "'" + file.name()
            + "' is a Python pickle that PyTorch did not write. Convert it to safetensors where it was made.");
    const Pickle magic(in), protocol(in), system(in), object(in), keys(in);
    std::map<std::string, const pickle::Tensor*> tensors;
    std::size_t visited = 0;
    collectStorages(&object.root(), 0, visited, tensors);
    const auto* list = keys.root().as<pickle::List>();
    if (!list) damaged(file.name(), "its storages are not listed.");
    StoragePlaces places;
    for (const Ref item : list->items) {
        const auto* key = item->as<std::string>();
        const auto tensor = key ? tensors.find(*key) : tensors.end();
        if (tensor == tensors.end()) damaged(file.name(), "it lists a storage of no tensor.");
        const auto count = in.number<std::uint64_t>();
        const auto bytes = product(count, std::uint64_t(tensor->second->type->blockBytes));
        if (!bytes || *bytes > in.remaining()) damaged(file.name(), "it is cut off.");
        places[*key] = {in.position(), *bytes};
        in.take(*bytes);
    }
    return Table(file.name(), places).of(object.root());
}

}  // namespace meander
