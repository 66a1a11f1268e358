// The texts that an image file carries about itself, of PNG, JPEG and WebP, told apart by their first bytes. Pixels are
// not unpacked, except for texts hidden in the lowest bits of a PNG.
#pragma once
#include "engine/imaging/png_texts.h"

namespace meander {

// Keys of PNG texts as in the file; "UserComment", "ImageDescription", "Make", "Model", "Software" of EXIF, "Comment"
// of a JPEG comment. Errors: no such file, no image of these kinds, larger than 1 GiB.
Result<PngTextList> readImageTexts(const std::string& path);
// The same of the image's bytes; `what` names it in sentences.
Result<PngTextList> imageTextsOf(std::string_view bytes, const std::string& what);
PngTextList jpegTextsOf(std::string_view bytes);
PngTextList webpTextsOf(std::string_view bytes);

// A text in the lowest bits of the alpha channel or of the colours ("stealth" metadata of NovelAI and A1111), which is
// left when other programs drop the text chunks. Empty when there is none; reads the pixels.
std::string hiddenText(std::string_view png);

}  // namespace meander
