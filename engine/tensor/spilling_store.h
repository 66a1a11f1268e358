// Memory of one record: tensors stay in memory up to a budget; those beyond it lie in a mapped temporary file, which
// the system may take out of memory while nobody reads them. Readers see no difference. A file that cannot be made, or
// a full disk, leaves them in memory.
#pragma once
#include <memory>

#include "engine/tensor/tensor.h"

namespace meander {

class SpillFile;

class SpillingStore {
public:
    // `budget` in bytes; 0: an eighth of the machine's memory.
    explicit SpillingStore(std::size_t budget = 0);
    ~SpillingStore();
    SpillingStore(SpillingStore&&) noexcept;
    SpillingStore& operator=(SpillingStore&&) noexcept;

    // The same values, counted, and moved into the file where the budget is used up.
    HostTensor keep(HostTensor t);
    std::size_t bytesInMemory() const { return m_inMemory; }
    std::size_t bytesInFile() const { return m_inFile; }

private:
    std::size_t m_budget, m_inMemory = 0, m_inFile = 0;
    std::unique_ptr<SpillFile> m_file;
};

}  // namespace meander
