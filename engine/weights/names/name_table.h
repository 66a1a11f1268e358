// Names of tensors between programs, as data: each table of names/*.inl says where the tensors that our networks read
// (by diffusers' names) stand in the files of another program.
//
// A row: the name that is read, the stored name, an operation. "{b}" stands for a number, "{3b+l+1}" for one computed
// from such; a "*" at the end for the rest of the name. Stored names joined by "&" are stacked, rows below each other.
// Operations: "rows 0-1/3" (the first of three equal parts of the rows), "swap" (the halves of the rows exchanged),
// "transpose". The first row whose tensors are there counts.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace meander {

struct StoredName {
    std::vector<std::string> parts;  // more than one: stacked
    enum Operation : unsigned char { Whole, Rows, Swap, Transpose } operation = Whole;
    int first = 0, last = 1, of = 1;  // of Rows: parts [first, last) of `of` equal ones
};

class NameTable {
public:
    // Throws std::logic_error for a row that cannot be read: tables are part of the program.
    explicit NameTable(std::string_view text);
    // Further rows, which count before these.
    NameTable before(std::string_view text) const;
    // "*" to prefix + "*".
    static NameTable withPrefix(const std::string& prefix);
    // Of names/*.inl: "ldm_unet", "ldm_vae", "openclip", "flux", "flux2", "sd3", "zimage",
    // "lumina2", "diffusers_vae" (attention of early files). Null for no such table.
    static const NameTable* named(std::string_view id);
    static std::vector<std::string> ids();

    // Where a tensor may stand, best first.
    std::vector<StoredName> candidates(const std::string& name) const;

private:
    struct Row {
        std::string name;
        StoredName stored;  // its parts are patterns
    };
    std::vector<Row> m_rows;
};

}  // namespace meander
