#include "engine/core/python_json.h"

namespace meander {

std::string withoutNan(const std::string& text) {
    std::string clean;
    bool isInString = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (isInString && text[i] == '\\' && i + 1 < text.size()) clean += text[i++];
        else if (text[i] == '"') isInString = !isInString;
        else if (!isInString) {
            bool isReplaced = false;
            for (const char* word : {"-Infinity", "Infinity", "NaN"})
                if (text.compare(i, std::string(word).size(), word) == 0) {
                    clean += "null";
                    i += std::string(word).size() - 1;
                    isReplaced = true;
                    break;
                }
            if (isReplaced) continue;
        }
        clean += text[i];
    }
    return clean;
}

}  // namespace meander
