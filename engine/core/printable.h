// Text from files as a person may see it on a terminal: what would steer the terminal is written out instead.
#pragma once
#include <streambuf>
#include <string>
#include <string_view>

namespace meander {

// Control characters, characters that reverse the direction of text, and bytes that are not UTF-8 become \u001b or
// \x9b. Inside a JSON string the former mean the same character. `keepsLines`: line breaks and tabulators stay.
std::string printable(std::string_view text, bool keepsLines = false);

// A stream that is read by a person, or by programs as lines: everything written goes through `printable` (lines kept).
class PrintableBuffer : public std::streambuf {
public:
    explicit PrintableBuffer(std::streambuf* target) : m_target(target) {}
    ~PrintableBuffer() override;

protected:
    int_type overflow(int_type c) override;
    std::streamsize xsputn(const char* s, std::streamsize n) override;
    int sync() override;

private:
    bool pass(bool isEnd);  // writes what is complete

    std::streambuf* m_target;
    std::string m_text;
};

}  // namespace meander
