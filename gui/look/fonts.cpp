#include <QFontDatabase>

#include "gui/look/theme.h"

// The resources live in a static library: without this call the linker drops them. Must stand outside of namespaces.
static void initialiseResources() { Q_INIT_RESOURCE(meander); }

namespace meander::gui {

void loadFonts() {
    static const bool loaded = [] {
        initialiseResources();
        for (const char* file : {"Inter-Regular.otf", "Inter-Medium.otf", "Inter-SemiBold.otf",
                                 "JetBrainsMono-Regular.ttf", "JetBrainsMono-Medium.ttf"})
            QFontDatabase::addApplicationFont(QStringLiteral(":/fonts/") + QLatin1String(file));
        return true;
    }();
    Q_UNUSED(loaded);
}

}  // namespace meander::gui
