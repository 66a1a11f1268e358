// The texts of EXIF data (a TIFF directory inside JPEG, WebP or PNG) and of XMP packets, as far as programs that make
// images keep settings there. Offsets and lengths are checked against the data before they are followed.
#pragma once
#include <map>
#include <string>
#include <string_view>

namespace meander {

// UserComment, ImageDescription, Make, Model and Software, by these names, as UTF-8. Some programs keep two texts in
// Make and Model ("prompt:{...}", "workflow:{...}").
std::map<std::string, std::string> exifTexts(std::string_view tiff);
// exif:UserComment of an XMP packet, without its XML escapes; empty when there is none.
std::string xmpUserComment(std::string_view xmp);
// UTF-8 of UTF-16 in either order; a lone surrogate becomes U+FFFD.
std::string utf8OfUtf16(std::string_view bytes, bool isBigEndian);

}  // namespace meander
